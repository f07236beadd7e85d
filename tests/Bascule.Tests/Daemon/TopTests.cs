using System.Text.Json;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class TopTests
{
    [Fact]
    public async Task One_look_has_the_rates_of_what_goes_through()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        using CancellationTokenSource over = new();
        Task load = LoadAsync(daemon, over.Token);

        (int code, string json, string error) = await BasculeProcess.RunAsync("top", "--once", "--json", "-i", "0.5", "-s", daemon.Socket);
        (_, string text, _) = await BasculeProcess.RunAsync("top", "--once", "-i", "0.1", "--filter", "down", "-s", daemon.Socket);
        (_, string stats, _) = await BasculeProcess.RunAsync("stats", "web", "-s", daemon.Socket);
        await over.CancelAsync();
        await load;

        Assert.Equal((0, ""), (code, error));
        JsonElement[] rows = [.. JsonDocument.Parse(json).RootElement.GetProperty("rows").EnumerateArray()];
        Assert.Equal(2, rows.Length);
        Assert.All(rows, r => Assert.True(r.GetProperty("requests").GetDouble() > 0));
        Assert.Equal("up", rows[1].GetProperty("state").GetString());
        Assert.Contains("1 virtual server; real servers: 1 up;", text, StringComparison.Ordinal);
        Assert.DoesNotContain(alpha.Address.ToString(), text, StringComparison.Ordinal);
        Assert.Contains("100.0 %", stats, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_it_is_drawn_in_place_until_somebody_ends_it()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        await using BasculeProcess top = BasculeProcess.StartInTerminal($"top -i 0.1 -s {daemon.Socket}");
        await top.HasWrittenAsync("s: order");
        await top.HasWrittenAsync(alpha.Address.ToString());
        await top.PressAsync("q");

        Assert.Equal(0, await top.EndAsync());
    }

    private static async Task LoadAsync(RunningDaemon daemon, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
            await daemon.GetAsync();
    }
}
