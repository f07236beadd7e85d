using Bascule.Core.Api;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class ReloadTests
{
    [Fact]
    public async Task A_reload_puts_the_new_file_in_force_and_says_what_changed()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        Assert.Equal("alpha", await daemon.GetAsync());

        daemon.Write([beta]);
        (int code, string output, string error) = await BasculeProcess.RunAsync("reload", "-s", daemon.Socket);

        Assert.Equal((0, "Reloaded: changed web.", ""), (code, output, error));
        Assert.Equal("beta", await daemon.GetAsync());
        await daemon.Process.HasWrittenAsync("Reloaded: changed web");
    }

    [Fact]
    public async Task SIGHUP_reloads_too()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        daemon.Write([beta]);
        daemon.Process.Signal("HUP");
        await daemon.Process.HasWrittenAsync("Reloaded: changed web");

        Assert.Equal("beta", await daemon.GetAsync());
    }

    [Fact]
    public async Task A_bad_file_is_answered_with_every_problem_and_changes_nothing()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        File.WriteAllText(daemon.File, File.ReadAllText(daemon.File)
            .Replace("scheduler: rr", "scheduler: rrr", StringComparison.Ordinal).Replace("shutdownTimeout: 20s", "shutdownTimeout: 20", StringComparison.Ordinal));
        (int code, string output, string error) = await BasculeProcess.RunAsync("reload", "-s", daemon.Socket);

        Assert.Equal((1, ""), (code, output));
        string[] lines = error.Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith($"{daemon.File}:3:", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"{daemon.File}:9:", lines[1], StringComparison.Ordinal);
        Assert.Equal("Nothing was changed: the daemon runs on with the configuration it had.", lines[2]);
        await daemon.Process.HasWrittenAsync($"ERROR {daemon.File}:9:");
        Assert.Equal("alpha", await daemon.GetAsync());
    }

    [Fact]
    public async Task An_address_that_cannot_be_had_changes_nothing()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        daemon.Write([beta]);
        File.AppendAllText(daemon.File, $"  greedy: {{ address: \"{alpha.Address}\", protocol: tcp, realServers: [\"{beta.Address}\"] }}\n");
        (int code, _, string error) = await BasculeProcess.RunAsync("reload", "-s", daemon.Socket);

        Assert.Equal(1, code);
        Assert.Contains($"greedy: another program already listens on {alpha.Address}", error, StringComparison.Ordinal);
        Assert.Equal("alpha", await daemon.GetAsync());
        Assert.Equal(1, (await daemon.StatusAsync()).Snapshot);
    }

    [Fact]
    public async Task What_needs_a_restart_is_said_and_the_rest_applied()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        daemon.Write([beta], workers: 3);
        (int code, _, string error) = await BasculeProcess.RunAsync("reload", "-s", daemon.Socket);

        Assert.Equal(0, code);
        Assert.Contains("workers stays 1 until the daemon is restarted", error, StringComparison.Ordinal);
        Assert.Equal("beta", await daemon.GetAsync());
    }

    [Fact]
    public async Task An_unchanged_file_keeps_everything_and_its_counters()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        await daemon.GetAsync();

        (int code, string output, _) = await BasculeProcess.RunAsync("reload", "-s", daemon.Socket);
        await daemon.GetAsync();
        DirectorStatus status = await daemon.StatusAsync();

        Assert.Equal((0, "Reloaded: kept web."), (code, output));
        RealServerStatus realServer = status.VirtualServers[0].RealServers[0];
        Assert.Equal((2L, 2L, 1L), (status.Snapshot, realServer.Requests, realServer.Connections));
    }
}
