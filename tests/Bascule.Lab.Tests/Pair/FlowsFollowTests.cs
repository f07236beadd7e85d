using Bascule.Lab.Echo;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Connections through the packet datapath outlive the director that carries them.</summary>
[Collection("Pair")]
public sealed class FlowsFollowTests(PairFixture lab)
{
    private const int Many = 50;

    [PairTheory]
    [InlineData("nat")]
    [InlineData("{ nat: full, source: " + PairPlan.InsideAddress + " }")]
    public async Task Connections_and_a_download_through_nat_go_on_when_the_active_director_is_killed(string forward)
    {
        PairSettings settings = Settings(forward);
        await using RealServers servers = await RealServers.StartAsync(lab);
        await using LabWatch watch = await lab.WatchAsync();
        await using PairDirector first = await PairDirector.StartAsync(lab, "director-1", settings);
        await Takeover.AnswersAsync(watch, "director-1");
        await using PairDirector second = await PairDirector.StartAsync(lab, "director-2", settings);
        Task download = servers.DownloadsWholeAsync("2M");
        await using Connections connections = await Connections.OpenAsync(lab["client"], Many, milliseconds: 50, PairPlan.VirtualAddress, LabFixture.EchoPort);
        await second.SeesAsync(status => status.Packets?.Flows > Many);

        long since = TimeProvider.System.GetTimestamp();
        await first.KillAsync();
        await Takeover.AnswersAsync(watch, "director-2", since);
        Assert.False(download.IsCompleted, "the download was over too soon to show anything");
        HolderReport after = await connections.TalkAsync(10);
        await download;

        Assert.True(after.Broken.Count == 0, Connections.Describe(after));
        Assert.Equal(Many, after.Open.Values.Sum());
    }

    private static PairSettings Settings(string forward) => new()
    {
        Priority = new() { ["director-1"] = 150 },
        Top = ["packets: { interfaces: [eth0, eth2], state: PINS, flows: 4096 }"],
        Ha = ["syncGroups: { both: [ web-vip, inside ] }"],
        Instances =
        [
            $"inside: {{ interface: eth2, virtualRouterId: 52, priority: DIRECTOR-1, advertInterval: 100ms, preempt: false, addresses: [ \"{PairPlan.InsideAddress}/24\" ] }}",
        ],
        VirtualServers =
        [
            $"web: {{ address: \"{PairPlan.VirtualAddress}:80\", forward: {forward}, scheduler: rr, check: none, realServers: [ {PairSettings.Servers(80)} ] }}",
            $"echo: {{ address: \"{PairPlan.VirtualAddress}:{LabFixture.EchoPort}\", forward: {forward}, scheduler: lc, check: none, realServers: [ {PairSettings.Servers(LabFixture.EchoPort)} ] }}",
        ],
    };
}
