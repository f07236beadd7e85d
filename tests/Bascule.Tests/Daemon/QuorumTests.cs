using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class QuorumTests
{
    [Fact]
    public async Task Without_a_quorum_the_fallback_server_answers_and_programs_are_run_in_order_and_once()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using FakeRealServer spare = RunningDaemon.Named("spare");
        await using RunningDaemon daemon = new();
        string told = daemon.File + ".told", script = daemon.File + ".sh";
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nsleep $1\nshift\necho \"$*\" >> {told}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        daemon.Write([alpha, beta], $$"""
            check: { type: tcp, interval: 50ms, timeout: 50ms, rise: 1, fall: 1 }
                fallbackServers: [{{spare.Address}}]
                quorum: { up: 2, onUp: [{{script}}, "0", came], onDown: [{{script}}, "0.2", went] }
            """);
        await daemon.StartAsync();
        await daemon.Process.HasWrittenAsync("web has its quorum: live weights add up to 2, the quorum is 2");
        Assert.Equal(["alpha", "beta"], new[] { await daemon.GetAsync(), await daemon.GetAsync() }.Order());

        await beta.RefuseAsync();
        await daemon.Process.HasWrittenAsync("web has lost its quorum: live weights add up to 1");
        await daemon.Process.HasWrittenAsync("web is now served by its fallback servers");
        Assert.Equal(["spare", "spare"], [await daemon.GetAsync(), await daemon.GetAsync()]);
        VirtualServerStatus status = (await daemon.StatusAsync()).VirtualServers[0];
        Assert.Equal((Serving.Fallback, new QuorumStatus(1, 2, 0, Has: false)), (status.Serving, status.Quorum));
        Assert.Equal([RealServerState.Standby, RealServerState.Down, RealServerState.Up], status.RealServers.Select(r => r.State));

        beta.Listen();
        await daemon.Process.HasWrittenAsync("web is now served by its real servers");
        Assert.DoesNotContain("spare", new[] { await daemon.GetAsync(), await daemon.GetAsync() });

        await Eventually.HoldsAsync(() => File.Exists(told) && File.ReadAllLines(told).Length == 3, "three programs have run");
        Assert.Equal(
            [
                "came virtualServer web up live weights add up to 2, the quorum is 2",
                "went virtualServer web down live weights add up to 1, the quorum is 2", // it is slow: the next one waits for it
                "came virtualServer web up live weights add up to 2, the quorum is 2",
            ],
            await File.ReadAllLinesAsync(told));
    }

    [Fact]
    public async Task The_program_of_a_quorum_is_run_once_by_the_reload_that_brings_it_and_by_the_next_start()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        string told = daemon.File + ".told", script = daemon.File + ".sh";
        await File.WriteAllTextAsync(script, $"#!/bin/sh\necho \"$*\" >> {told}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        daemon.Write([alpha]);
        await daemon.StartAsync();

        daemon.Write([alpha], $"quorum: {{ up: 1, onUp: [{script}, came] }}");
        Assert.Equal(0, (await BasculeProcess.RunAsync("reload", "-c", daemon.File)).Code);
        await Eventually.HoldsAsync(() => File.Exists(told), "the reload has run it");
        Assert.Equal(0, (await BasculeProcess.RunAsync("reload", "-c", daemon.File)).Code);
        await daemon.StopAsync(); // which waits for programs
        Assert.Single(await File.ReadAllLinesAsync(told));

        await daemon.StartAsync();
        await daemon.StopAsync();
        Assert.Equal(2, (await File.ReadAllLinesAsync(told)).Length);
    }

    [Fact]
    public async Task Fails_open_when_every_check_fails()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer closed = FakeRealServer.Refusing();
        await using RunningDaemon daemon = new();
        daemon.Write([alpha], $"panic: open\n    check: {{ type: tcp, port: {closed.Address.Port}, interval: 1s }}");
        await daemon.StartAsync();

        await daemon.Process.HasWrittenAsync("web is now served by all real servers, though they seem to be down");

        Assert.Equal("alpha", await daemon.GetAsync());
    }
}
