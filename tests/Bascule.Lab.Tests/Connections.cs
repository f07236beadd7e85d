using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bascule.Lab.Echo;

namespace Bascule.Lab.Tests;

/// <summary>Connections that a client holds open: each sends a numbered message every so often, and notices whatever happens to it.</summary>
internal sealed class Connections : IAsyncDisposable
{
    private readonly Process _holder;

    private Connections(Process holder) => _holder = holder;

    /// <summary>Opens so many to a port of the virtual address, and waits until all are there.</summary>
    /// <param name="milliseconds">Between two messages of a connection.</param>
    public static Task<Connections> OpenAsync(LabFixture lab, int count, int milliseconds, string address = LabPlan.VirtualAddress, int port = LabFixture.EchoPort) =>
        OpenAsync(lab.Client, count, milliseconds, address, port);

    /// <inheritdoc cref="OpenAsync(LabFixture, int, int, string, int)"/>
    internal static async Task<Connections> OpenAsync(LabMachine client, int count, int milliseconds, string address, int port)
    {
        Connections connections = new(client.StartTalking(
            LabFixture.EchoProgram, "hold", address, Text(port), Text(count), Text(milliseconds)));
        HolderReport report = await connections.ReportAsync();
        for (Stopwatch waited = Stopwatch.StartNew(); report.Open.Values.Sum() < count; report = await connections.ReportAsync())
        {
            Assert.True(report.Broken.Count == 0 && waited.Elapsed < TimeSpan.FromSeconds(40), $"{count} connections do not come up: {Describe(report)}");
            await Task.Delay(20);
        }

        return connections;
    }

    /// <summary>What became of them so far.</summary>
    public async Task<HolderReport> ReportAsync()
    {
        await _holder.StandardInput.WriteLineAsync("report");
        string line = await _holder.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await _holder.StandardError.ReadToEndAsync());
        return JsonSerializer.Deserialize<HolderReport>(line)!;
    }

    /// <summary>Waits until every connection that is open has had so many more messages echoed, on average, and returns what became of them.</summary>
    public async Task<HolderReport> TalkAsync(int messagesEach)
    {
        HolderReport now = await ReportAsync();
        long until = now.Echoes + ((long)messagesEach * now.Open.Values.Sum());
        for (Stopwatch waited = Stopwatch.StartNew(); now.Echoes < until; now = await ReportAsync())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"the connections have gone silent: {Describe(now)}");
            await Task.Delay(20);
        }

        return now;
    }

    /// <summary>For a message: who has how many, and how those that broke did.</summary>
    public static string Describe(HolderReport report) => $"open: {string.Join(", ", report.Open.OrderBy(p => p.Key).Select(p => $"{p.Value} on {p.Key}"))}; "
        + $"broken: {string.Join(", ", report.Broken.GroupBy(b => (b.Server, b.Why)).Select(g => $"{g.Count()} on {g.Key.Server} ({g.Key.Why}, at message {g.Min(b => b.Number)} to {g.Max(b => b.Number)})"))}";

    public async ValueTask DisposeAsync()
    {
        if (!_holder.HasExited)
            _holder.Kill();
        await _holder.WaitForExitAsync();
        _holder.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
