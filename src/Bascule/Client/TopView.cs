using System.Globalization;
using Bascule.Core.Api;

namespace Bascule.Client;

/// <summary>What an operator chose to see of <c>bascule top</c>, and what his keys make of it.</summary>
internal sealed class TopView
{
    /// <summary>The keys, for the last line.</summary>
    public const string Keys = "s: order  /: filter  p: pause  q: quit";

    /// <summary>How rows are ordered.</summary>
    public TopOrder Order { get; set; }

    /// <summary>Only virtual and real servers in whose name or state this is; empty: all.</summary>
    public string Filter { get; set; } = "";

    /// <summary>Nothing moves.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>A filter is being typed.</summary>
    public bool IsTyping { get; private set; }

    /// <summary>Nobody wants to see more.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Takes a key.</summary>
    public void Press(ConsoleKeyInfo key)
    {
        if (IsTyping)
        {
            Type(key);
            return;
        }

        switch (key.KeyChar)
        {
            case 'q':
                IsOver = true;
                break;
            case 's':
                Order = (TopOrder)(((int)Order + 1) % Enum.GetValues<TopOrder>().Length);
                break;
            case 'p':
                IsPaused = !IsPaused;
                break;
            case '/':
                (IsTyping, Filter) = (true, "");
                break;
            default:
                if (key.Key == ConsoleKey.Escape)
                    Filter = "";
                break;
        }
    }

    private void Type(ConsoleKeyInfo key)
    {
        if (key.Key is ConsoleKey.Enter or ConsoleKey.Escape)
            IsTyping = false;
        if (key.Key == ConsoleKey.Escape)
            Filter = "";
        else if (key.Key == ConsoleKey.Backspace)
            Filter = Filter.Length == 0 ? "" : Filter[..^1];
        else if (!char.IsControl(key.KeyChar))
            Filter += key.KeyChar;
    }

    /// <summary>The rows to show, in their order. In the order of the file virtual servers stand above their real servers; otherwise there are only real servers.</summary>
    public IReadOnlyList<TopRow> Choose(TopFrame frame)
    {
        TopRow[] fitting = [.. frame.Rows.Where(r => r.RealServer is not null && Fits(r))];
        HashSet<string> shown = [.. fitting.Select(r => r.VirtualServer)];
        return Order switch
        {
            TopOrder.File => [.. frame.Rows.Where(r => r.RealServer is null ? shown.Contains(r.VirtualServer) : Fits(r))],
            TopOrder.Active => [.. fitting.OrderByDescending(r => r.Active)],
            TopOrder.Requests => [.. fitting.OrderByDescending(r => r.Requests)],
            TopOrder.Bytes => [.. fitting.OrderByDescending(r => r.BytesIn + r.BytesOut)],
            TopOrder.State => [.. fitting.OrderBy(r => r.State == RealServerState.Up)],
        };
    }

    /// <summary>One line about everything.</summary>
    public static string Summary(DirectorStatus status, TopFrame frame)
    {
        string[] states = [.. status.VirtualServers.SelectMany(v => v.RealServers).GroupBy(r => r.State).OrderBy(g => g.Key).Select(g => $"{g.Count()} {Word(g.Key)}")];
        TopRow[] whole = [.. frame.Rows.Where(r => r.RealServer is null)];
        return string.Create(CultureInfo.InvariantCulture,
            $"{status.VirtualServers.Length} virtual server{(status.VirtualServers.Length == 1 ? "" : "s")}; real servers: {string.Join(", ", states)}; {whole.Sum(r => r.Active)} open, {whole.Sum(r => r.Requests):0} requests/s, ")
            + $"in {StatusText.Bytes(whole.Sum(r => r.BytesIn))}/s, out {StatusText.Bytes(whole.Sum(r => r.BytesOut))}/s";
    }

    /// <summary>The cells of a row.</summary>
    public string[] Cells(TopRow row) =>
    [
        row.RealServer is null ? row.VirtualServer : Order == TopOrder.File ? $"  -> {row.RealServer}" : $"{row.VirtualServer}/{row.RealServer}",
        row.State is { } state ? Word(state) : "",
        row.Weight?.ToString(CultureInfo.InvariantCulture) ?? "",
        row.Active.ToString(CultureInfo.InvariantCulture),
        Number(row.Connections), Number(row.Requests), StatusText.Bytes(row.BytesIn), StatusText.Bytes(row.BytesOut), Number(row.Failures),
    ];

    /// <summary>The headings; <c>&gt;</c> begins those of numbers.</summary>
    public static string[] Headings => ["Server", "State", ">Weight", ">Active", ">Conns/s", ">Reqs/s", ">In/s", ">Out/s", ">Fails/s"];

    private bool Fits(TopRow row) =>
        Filter.Length == 0 || $"{row.VirtualServer}/{row.RealServer} {Word(row.State!.Value)}".Contains(Filter, StringComparison.OrdinalIgnoreCase);

    private static string Word(RealServerState state) => state.ToString().ToLowerInvariant();

    private static string Number(double number) => number.ToString(number is 0 or >= 10 ? "0" : "0.0", CultureInfo.InvariantCulture);
}
