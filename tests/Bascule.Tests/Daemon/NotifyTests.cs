using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class NotifyTests
{
    [Fact]
    public async Task A_program_is_told_of_real_servers_and_of_the_director_in_order()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer dead = FakeRealServer.Refusing();
        await using RunningDaemon daemon = new();
        daemon.Write([alpha, dead], "check: { type: tcp, interval: 100ms, timeout: 100ms, fall: 1 }");
        string log = daemon.File + ".told", script = daemon.File + ".sh";
        await File.WriteAllTextAsync(script, $"#!/bin/sh\necho \"$1 $2 $3\" >> {log}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await File.AppendAllTextAsync(daemon.File, $"\nnode: director-1\nnotify: {{ log: {{ command: [{script}] }} }}\n");
        await daemon.StartAsync();

        await alpha.DisposeAsync();
        await Eventually.HoldsAsync(() => File.ReadAllText(log).Contains("nobody", StringComparison.Ordinal), "the program is told that alpha went down, and that nobody is left");
        Assert.Equal(0, await daemon.StopAsync());

        Assert.Equal(
            ["director director-1 started", $"realServer web/{alpha.Address} up", $"realServer web/{alpha.Address} down", "virtualServer web nobody", "director director-1 stopping"],
            await File.ReadAllLinesAsync(log));
    }
}
