using System.Collections.Concurrent;
using System.Globalization;
using Bascule.Core.Api;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bascule.Demo;

/// <summary>A table that is drawn again in place, for terminals; below it the last lines of the director's log.</summary>
internal sealed class TableView(TimeProvider time) : IDemoView
{
    private const int LogLines = 6;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentQueue<string> _log = new();

    public void Log(string line)
    {
        _log.Enqueue(line);
        while (_log.Count > LogLines)
            _log.TryDequeue(out _);
    }

    public Task ShowAsync(Func<DemoFrame> next, CancellationToken stopping) => AnsiConsole.Live(Draw(next())).StartAsync(async screen =>
    {
        await Beat.RepeatAsync(Pace, time, () => UpdateAsync(screen, next), stopping);
        await UpdateAsync(screen, next);
    });

    private Task UpdateAsync(LiveDisplayContext screen, Func<DemoFrame> next)
    {
        screen.UpdateTarget(Draw(next()));
        return Task.CompletedTask;
    }

    private Rows Draw(DemoFrame frame)
    {
        Table table = new Table().RoundedBorder()
            .AddColumns("real server", "address", "process", "state", "why", "HTTP requests", "TCP connections");
        table.Columns[5].RightAligned();
        table.Columns[6].RightAligned();
        foreach (DemoFrame.Row row in frame.Rows)
            table.AddRow(Cells(row, frame.Now));
        string failures = frame.Failures.Length > 0 ? $"[yellow]failed: {Markup.Escape(frame.Failures)}[/]" : "none failed";
        return new Rows(
        [
            table,
            new Markup($"{frame.OpenConnections} client connections open, {failures}"),
            .. _log.Select(line => new Text(line, new Style(Color.Grey))),
        ]);
    }

    private static IRenderable[] Cells(DemoFrame.Row row, DateTimeOffset now)
    {
        string state = row.State switch
        {
            RealServerState.Up => "[green]up[/]",
            RealServerState.Down => "[red]down[/]",
            RealServerState.Maintenance => "[yellow]maintenance[/]",
            RealServerState.Ejected => "[red]ejected[/]",
            RealServerState.Drain => "[yellow]drain[/]",
            RealServerState.Quiesced => "[yellow]quiesced[/]",
            RealServerState.Full => "[yellow]full[/]",
            RealServerState.Standby => "[yellow]standby[/]",
            RealServerState.Sorry => "[yellow]sorry[/]",
            null => "[grey]gone[/]",
        };
        string process = row.ProcessId is { } id ? id.ToString(CultureInfo.InvariantCulture) : "[red]dead[/]";
        string[] cells =
            [$"[bold]{row.Name}[/]", row.Address, process, state, Markup.Escape(row.Why(now)), Number(row.Http), Number(row.Tcp)];
        return [.. cells.Select(text => new Markup(text))];
    }

    private static string Number(RealServerStatus? seen) => (seen?.Requests ?? 0).ToString("N0", CultureInfo.InvariantCulture);
}
