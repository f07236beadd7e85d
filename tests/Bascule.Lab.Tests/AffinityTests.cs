using Bascule.Lab.Echo;

namespace Bascule.Lab.Tests;

/// <summary>
/// No connection to a real server that lives is ever broken by a change of the set, though the datapath keeps no flows while the set is stable.
/// docs/design/affinity.md has the proof; this is the test.
/// </summary>
[Collection("Lab")]
public sealed class AffinityTests(LabFixture lab)
{
    private const int Count = 10_000;

    [LabFact]
    public async Task Ten_thousand_connections_survive_every_change_of_the_set_but_the_loss_of_their_own_server()
    {
        await using TestDirector director = await lab.StartDirectorAsync(Farm("alpha", "beta"), Way.Settings);
        await using Connections connections = await Connections.OpenAsync(lab, Count, milliseconds: 1500);
        HolderReport begin = await connections.TalkAsync(1);
        Assert.Equal(["alpha", "beta"], begin.Open.Keys.Order());

        // One more, less of one, one taken out of the file: nobody may notice.
        await director.ReloadAsync(Farm("alpha", "beta", "gamma"), Way.Settings);
        NobodyBroke(await connections.TalkAsync(1));
        string newcomers = await lab.Client.RunAsync(LabFixture.EchoProgram, "visit", LabPlan.VirtualAddress, $"{LabFixture.EchoPort}", "20", "1");
        Assert.Contains("\"gamma\":", newcomers, StringComparison.Ordinal); // the change is one
        await director.ReloadAsync(Farm("alpha", "{ address: beta, weight: 3 }", "gamma"), Way.Settings);
        NobodyBroke(await connections.TalkAsync(1));
        await director.ReloadAsync(Farm("alpha", "{ address: beta, weight: 0 }", "gamma"), Way.Settings);
        NobodyBroke(await connections.TalkAsync(1));
        await director.ReloadAsync(Farm("alpha", "beta"), Way.Settings);
        NobodyBroke(await connections.TalkAsync(1));
        await director.ReloadAsync(Farm("alpha", "beta", "gamma"), Way.Settings);
        HolderReport before = await connections.TalkAsync(1);
        NobodyBroke(before);

        // alpha dies with its connections. Those of beta must not notice, and new ones go elsewhere.
        HolderReport after = before;
        await lab.WithoutAsync("alpha", "bascule-echo", async () =>
        {
            await director.SeesAsync(status => status.VirtualServers[0].RealServers.Any(r => r.State == Core.Api.RealServerState.Down));
            after = await connections.TalkAsync(2);
        });

        Assert.All(after.Broken, broken => Assert.Equal("alpha", broken.Server));
        Assert.Equal(before.Open["beta"], after.Open["beta"]);
    }

    private static void NobodyBroke(HolderReport report) => Assert.True(report.Broken.Count == 0, Connections.Describe(report));

    private static string Farm(params string[] members) => $$"""
          echo:
            address: {{LabPlan.VirtualAddress}}:{{LabFixture.EchoPort}}
            forward: dr
            scheduler: { type: mh, port: true }
            check: { type: tcp, interval: 500ms, timeout: 500ms, rise: 1, fall: 1 }
            realServers: [{{string.Join(", ", members.Select(Addressed))}}]
        """;

    private static string Addressed(string member) =>
        LabPlan.RealServers.Aggregate(member, (text, name) => text.Replace(name, LabPlan.AddressOf(name, LabSegment.Lan), StringComparison.Ordinal));
}
