using Bascule.Core.Api;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class PassiveCheckTests
{
    [Fact]
    public async Task Who_passes_its_check_and_answers_clients_badly_is_ejected_and_everybody_is_told_why()
    {
        await using FakeRealServer good = RunningDaemon.Named("good");
        await using FakeRealServer bad = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nbad");
        await using RunningDaemon daemon = new();
        daemon.Write([good, bad], "check: { type: tcp, interval: 1s }\n    passiveCheck: { consecutiveFailures: 3, ejection: 10m, maxEjection: 10m }");
        string told = daemon.File + ".told", script = daemon.File + ".sh";
        await File.WriteAllTextAsync(script, $"#!/bin/sh\necho \"$2 $3: $4\" >> {told}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await File.AppendAllTextAsync(daemon.File, $"\nnotify: {{ log: {{ command: [{script}], on: [realServer] }} }}\n");
        await daemon.StartAsync();
        await daemon.Process.HasWrittenAsync($"{bad.Address} is up");
        await daemon.Process.HasWrittenAsync($"{good.Address} is up");

        for (int i = 0; i < 6; i++)
            await AskAsync();
        await daemon.Process.HasWrittenAsync($"Real server {bad.Address} of web is ejected for 600 s: 3 failures in a row");

        Assert.Equal(["good", "good", "good", "good"], [await daemon.GetAsync(), await daemon.GetAsync(), await daemon.GetAsync(), await daemon.GetAsync()]);
        RealServerStatus status = (await daemon.StatusAsync()).VirtualServers[0].RealServers[1];
        Assert.Equal((RealServerState.Ejected, "3 failures in a row"), (status.State, status.Ejection!.Why));
        (_, string text, _) = await BasculeProcess.RunAsync("status", "-s", daemon.Socket);
        Assert.Matches($"{bad.Address} .* ejected +3 failures in a row; since .*, for another 9m", text);
        await Eventually.HoldsAsync(() => File.ReadAllText(told).Contains($"web/{bad.Address} ejected: 3 failures in a row", StringComparison.Ordinal), "somebody is told");

        async Task AskAsync()
        {
            try
            {
                await daemon.GetAsync();
            }
            catch (HttpRequestException)
            {
                // the 500
            }
        }
    }
}
