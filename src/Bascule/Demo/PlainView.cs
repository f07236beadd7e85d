using Bascule.Core.Api;

namespace Bascule.Demo;

/// <summary>Lines, for pipes, files and scripts.</summary>
internal sealed class PlainView(TimeProvider time) : IDemoView
{
    public void Log(string line) => Console.Out.WriteLine(line);

    public Task ShowAsync(Func<DemoFrame> next, CancellationToken stopping) => Beat.RepeatAsync(
        TimeSpan.FromSeconds(1), time, () => Console.Out.WriteLineAsync(Line(next())), stopping);

    private static string Line(DemoFrame frame) =>
        string.Join(" | ", frame.Rows.Select(r => Cell(r, frame.Now))) + (frame.Failures.Length > 0 ? $" | failed: {frame.Failures}" : "");

    private static string Cell(DemoFrame.Row row, DateTimeOffset now)
    {
        string state = row.State == RealServerState.Up ? "up" : $"{row.State?.ToString().ToLowerInvariant() ?? "gone"} ({row.Why(now)})";
        return $"{row.Name} {state}, {row.Http?.Requests ?? 0} http {row.Tcp?.Requests ?? 0} tcp";
    }
}
