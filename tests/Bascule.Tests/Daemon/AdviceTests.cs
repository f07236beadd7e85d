using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class AdviceTests
{
    private const int Requests = 70;

    [Fact]
    public async Task What_an_agent_and_a_script_say_of_weight_and_load_moves_the_clients()
    {
        string said = "up";
        await using FakeRealServer agent = FakeRealServer.Start(client => client.WriteAsync($"{Say()}\n"));
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        string script = daemon.File + ".sh";
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nif mkdir {daemon.Folder}/once 2> {daemon.Folder}/again; then echo load: 0; else echo load: 1; fi\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        daemon.Write([], $$"""
            check: { type: agent, port: {{agent.Address.Port}}, interval: 500ms, timeout: 500ms, fall: 100 }
            """);
        await File.WriteAllTextAsync(daemon.File, (await File.ReadAllTextAsync(daemon.File))
            .Replace("scheduler: rr", "scheduler: wrr", StringComparison.Ordinal)
            .Replace("realServers: []", $$"""realServers: [ {{alpha.Address}}, { address: {{beta.Address}}, check: { type: script, command: [{{script}}], loadWeight: true, interval: 500ms, timeout: 500ms, fall: 100 } } ]""", StringComparison.Ordinal));
        await daemon.StartAsync();
        Assert.Equal(Requests * 3 / 5, await AnsweredByBetaAsync(null, 150));

        Volatile.Write(ref said, "25%");
        Assert.Equal(Requests * 6 / 7, await AnsweredByBetaAsync(25, 150));

        Volatile.Write(ref said, "up load: 0"); // counts at once, for it has said nothing of its load before
        Assert.Equal(Requests / 2, await AnsweredByBetaAsync(150, 150));
        (_, string text, _) = await BasculeProcess.RunAsync("status", "-c", daemon.File);
        Assert.Contains("150 % of its weight by its load of 1; agent: up load 1", text, StringComparison.Ordinal);

        // Once: by the next reckoning, 20 s later, it would have even more. A load of 1 leaves the weight as it is.
        string Say() => Interlocked.CompareExchange(ref said, "up load: 1", "up load: 0");

        async Task<int> AnsweredByBetaAsync(int? alphaPercent, int betaPercent)
        {
            await Eventually.HoldsAsync(
                () => daemon.StatusAsync().Result.VirtualServers[0].RealServers is [var first, var second] && (first.AdvisedPercent, second.AdvisedPercent) == (alphaPercent, betaPercent),
                $"{alphaPercent} and {betaPercent} percent");
            int answered = 0;
            for (int i = 0; i < 2 * Requests; i++) // wrr ends the round it is in
                answered += await daemon.GetAsync() == "beta" && i >= Requests ? 1 : 0;
            return answered;
        }
    }
}
