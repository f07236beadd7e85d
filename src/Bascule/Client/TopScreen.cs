using Bascule.Core.Api;
using Spectre.Console;

namespace Bascule.Client;

/// <summary><c>bascule top</c> on a terminal: drawn again in place, with keys.</summary>
/// <param name="look">Looks at the daemon; null when it does not answer, and why has been said.</param>
internal sealed class TopScreen(Func<CancellationToken, Task<DirectorStatus?>> look, TopView view, TimeSpan interval, TimeProvider time)
{
    private const int LinesBesideRows = 8;

    private static readonly TimeSpan KeyPace = TimeSpan.FromMilliseconds(50);

    private DirectorStatus? _last;
    private TopFrame? _frame;

    /// <returns>Whether the daemon answered to the end.</returns>
    public async Task<bool> ShowAsync(CancellationToken cancellation)
    {
        if (!await LookAsync(cancellation))
            return false;
        bool answers = true;
        await AnsiConsole.Live(Draw()).AutoClear(true).StartAsync(async screen =>
        {
            long looked = time.GetTimestamp();
            while (!view.IsOver && !cancellation.IsCancellationRequested)
            {
                bool isNew = ReadKeys();
                if (!view.IsPaused && time.GetElapsedTime(looked) >= interval)
                {
                    looked = time.GetTimestamp();
                    isNew = answers = await LookAsync(cancellation);
                    if (!answers)
                        return;
                }

                if (isNew)
                    screen.UpdateTarget(Draw());
                await Task.Delay(KeyPace, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        });
        return answers;
    }

    private async Task<bool> LookAsync(CancellationToken cancellation)
    {
        if (await look(cancellation) is not { } status)
            return cancellation.IsCancellationRequested;
        _frame = TopFrame.Between(_last, status);
        _last = status;
        return true;
    }

    private bool ReadKeys()
    {
        bool isPressed = false;
        while (!Console.IsInputRedirected && Console.KeyAvailable)
        {
            view.Press(Console.ReadKey(intercept: true));
            isPressed = true;
        }

        return isPressed;
    }

    private Rows Draw()
    {
        Spectre.Console.Table table = new Spectre.Console.Table().Border(TableBorder.None).Expand();
        foreach (string heading in TopView.Headings)
        {
            TableColumn column = new(new Markup($"[bold]{Markup.Escape(heading.TrimStart('>'))}[/]"));
            table.AddColumn(heading.StartsWith('>') ? column.RightAligned() : column);
        }

        IReadOnlyList<TopRow> rows = view.Choose(_frame!);
        int room = int.Max(3, AnsiConsole.Profile.Height - LinesBesideRows);
        foreach (TopRow row in rows.Take(room))
            table.AddRow([.. view.Cells(row).Select((cell, column) => Styled(row, cell, column))]);
        string more = rows.Count > room ? $"  {rows.Count - room} more lines" : "";
        string typed = view.IsTyping ? $"  filter: {view.Filter}_" : view.Filter.Length > 0 ? $"  filter: {view.Filter}" : "";
        return new(
        [
            new Text($"Bascule {_last!.Version}, {StatusText.Age(_last.Now - _last.StartedAt)} up{(view.IsPaused ? ", PAUSED" : "")}"),
            new Text(TopView.Summary(_last, _frame!)),
            new Text(""),
            table,
            new Text(""),
            new Text($"{TopView.Keys}  (order: {view.Order.ToString().ToLowerInvariant()}){typed}{more}", new Style(Color.Grey)),
        ]);
    }

    private static Text Styled(TopRow row, string cell, int column)
    {
        Style style = row.RealServer is null ? new(decoration: Decoration.Bold)
            : column == 1 ? new(row.State switch
            {
                RealServerState.Up => Color.Green,
                RealServerState.Down or RealServerState.Ejected => Color.Red,
                _ => Color.Yellow,
            })
            : Style.Plain;
        return new Text(cell, style);
    }
}
