using Bascule.Core.Api;
using Bascule.Lab.Echo;

namespace Bascule.Lab.Tests;

/// <summary>The daemon comes and goes under load; the datapath stays.</summary>
[Collection("Lab")]
public sealed class RestartTests(LabFixture lab)
{
    [LabTheory]
    [InlineData("dr", "mh", false)]
    [InlineData("dr", "mh", true)]
    [InlineData("nat", "wlc", true)]
    [InlineData("gue", "rr", true)]
    public async Task A_daemon_that_ends_or_is_killed_and_starts_again_loses_no_connection(string name, string scheduler, bool kill)
    {
        Way way = Way.Of(name);
        await using TestDirector director = await lab.StartDirectorAsync(Echo(way, scheduler), Way.Settings);
        await using Connections connections = await Connections.OpenAsync(lab, 500, milliseconds: 100);

        await director.EndAsync(kill);
        HolderReport without = await connections.TalkAsync(10);
        string newcomer = await lab.Client.RunAsync(LabFixture.EchoProgram, "visit", LabPlan.VirtualAddress, $"{LabFixture.EchoPort}", "2", "1");
        await director.StartAgainAsync();
        HolderReport after = await connections.TalkAsync(10);

        Assert.True(without.Broken.Count == 0, $"while it was away: {Connections.Describe(without)}");
        Assert.Contains("\"Failed\":{}", newcomer, StringComparison.Ordinal);
        Assert.True(after.Broken.Count == 0, $"after it came back: {Connections.Describe(after)}");
    }

    [LabTheory]
    [InlineData("dr", "mh")]
    [InlineData("nat", "rr")]
    public async Task Reloads_under_load_lose_no_connection(string name, string scheduler)
    {
        Way way = Way.Of(name);
        await using TestDirector director = await lab.StartDirectorAsync(Echo(way, scheduler), Way.Settings);
        await using Connections connections = await Connections.OpenAsync(lab, 500, milliseconds: 100);

        for (int i = 0; i < 5; i++)
        {
            await director.ReloadAsync(Echo(way, scheduler, weight: i % 2), Way.Settings);
            await connections.TalkAsync(3);
        }

        HolderReport after = await connections.TalkAsync(3);
        Assert.True(after.Broken.Count == 0, Connections.Describe(after));
    }

    [LabFact]
    public async Task A_killed_real_server_leaves_within_its_check_interval_and_comes_back()
    {
        await using TestDirector director = await lab.StartDirectorAsync(
            Way.Of("dr").Virtual("rr", "check: { type: http, path: /, interval: 200ms, timeout: 200ms, rise: 1, fall: 1 }"), Way.Settings);

        string[] without = [];
        TimeSpan took = default;
        await lab.WithoutAsync("beta", "nginx", async () =>
        {
            took = await director.SeesAsync(status => status.VirtualServers[0].RealServers[1].State == RealServerState.Down);
            await Task.Delay(TimeSpan.FromMilliseconds(500)); // the datapath is told within 100 ms
            without = await AskAsync();
        });
        await director.EveryoneIsCheckedAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        string[] again = await AskAsync();

        Assert.True(took < TimeSpan.FromSeconds(1.5), $"it took {took}"); // interval and timeout 200 ms each; the rest is asking for the status
        Assert.Equal(["alpha\n", "gamma\n"], without.Distinct().Order());
        Assert.Equal(["alpha\n", "beta\n", "gamma\n"], again.Distinct().Order());

        Task<string[]> AskAsync() => Task.WhenAll(Enumerable.Range(0, 9).Select(_ => lab.CurlAsync($"http://{LabPlan.VirtualAddress}/")));
    }

    internal static string Echo(Way way, string scheduler, int weight = 1) => $$"""
          echo:
            address: {{LabPlan.VirtualAddress}}:{{LabFixture.EchoPort}}
            forward: {{way.Forward}}
            scheduler: {{scheduler}}
            realServers:
              - {{LabPlan.AddressOf("alpha", way.Segment)}}:{{LabFixture.EchoPort}}
              - {{LabPlan.AddressOf("beta", way.Segment)}}:{{LabFixture.EchoPort}}
              - { address: {{LabPlan.AddressOf("gamma", way.Segment)}}:{{LabFixture.EchoPort}}, weight: {{weight}} }
        """;
}
