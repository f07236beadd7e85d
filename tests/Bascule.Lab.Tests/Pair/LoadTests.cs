using System.Text.Json;
using Bascule.Lab.Echo;

namespace Bascule.Lab.Tests.Pair;

/// <summary>A director is killed and gets the address back, under all the load at once that one has in a working day.</summary>
[Collection("Pair")]
public sealed class LoadTests(PairFixture lab)
{
    private const int Persistent = 1000, Downloads = 100, Visitors = 5, DownloadLength = 2_000_000;

    [PairFact]
    public async Task A_thousand_connections_and_a_hundred_downloads_through_nat_outlive_failover_and_failback()
    {
        PairSettings settings = Settings;
        await using RealServers servers = await RealServers.StartAsync(lab);
        await using LabWatch watch = await lab.WatchAsync();
        await using PairDirector first = await PairDirector.StartAsync(lab, OurPair.First, settings);
        await Takeover.AnswersAsync(watch, OurPair.First);
        await using PairDirector second = await PairDirector.StartAsync(lab, OurPair.Second, settings);
        await using Connections connections = await Connections.OpenAsync(lab["client"], Persistent, milliseconds: 500, PairPlan.VirtualAddress, LabFixture.EchoPort);
        Task downloads = DownloadAsync(servers);
        Task<string> visits = lab["client"].RunAsync(LabFixture.EchoProgram, "visit", PairPlan.VirtualAddress, $"{LabFixture.EchoPort}", $"{Visitors}", "12");
        await second.SeesAsync(status => status.Packets?.Flows > Persistent + Downloads);
        IReadOnlyDictionary<string, int> before = (await connections.ReportAsync()).Open;

        long killed = TimeProvider.System.GetTimestamp();
        await first.KillAsync();
        await Takeover.AnswersAsync(watch, OurPair.Second, killed);
        await first.StartAgainAsync();
        await first.SeesAsync(ha => ha.Peers[0].Channel is { IsConnected: true } channel && channel.Streams.All(s => s.IsInStep), "in step");
        await first.SeesAsync(status => status.Packets?.Flows > Persistent + Downloads);
        await second.AskAsync("handover", "web-vip");
        HolderReport after = await connections.TalkAsync(4);
        await downloads;
        VisitReport visited = JsonSerializer.Deserialize<VisitReport>(await visits)!;

        Assert.True(after.Broken.Count == 0, Connections.Describe(after));
        Assert.Equal(before.OrderBy(p => p.Key), after.Open.OrderBy(p => p.Key)); // nobody has moved to another real server
        Assert.True(visited.Failed.Values.Sum() <= Visitors, // what was in the making at the moment of the kill
            $"{string.Join(", ", visited.Failed.Select(f => $"{f.Value} {f.Key}"))} of {visited.Served.Values.Sum()}");
    }

    /// <summary>Each at 200 kB a second, so that it lasts from before the kill to after the failback.</summary>
    private async Task DownloadAsync(RealServers servers)
    {
        string folder = Path.Combine(lab.Network.Folder, "downloads");
        Directory.CreateDirectory(folder);
        await lab["client"].RunAsync("curl", "-sS", "--fail", "--parallel", "--parallel-immediate", "--parallel-max", $"{Downloads}", "--limit-rate", "200k", "--max-time", "60",
            "--range", $"0-{DownloadLength - 1}", "--output", $"{folder}/#1", $"http://{PairPlan.VirtualAddress}/download?[1-{Downloads}]");
        for (int i = 1; i <= Downloads; i++)
            Assert.True((await File.ReadAllBytesAsync(Path.Combine(folder, $"{i}"))).AsSpan().SequenceEqual(servers.Download.AsSpan(0, DownloadLength)), $"download {i} is not what was there");
    }

    private static PairSettings Settings => new()
    {
        Top = ["packets: { interfaces: [eth0, eth2], state: PINS, flows: 65536 }"],
        Ha = ["syncGroups: { both: [ web-vip, inside ] }"],
        Instances = [$"inside: {{ interface: eth2, virtualRouterId: 52, advertInterval: 100ms, preempt: false, addresses: [ \"{PairPlan.InsideAddress}/24\" ] }}"],
        VirtualServers =
        [
            $"web: {{ address: \"{PairPlan.VirtualAddress}:80\", forward: nat, scheduler: rr, check: none, realServers: [ {PairSettings.Servers(80)} ] }}",
            $"echo: {{ address: \"{PairPlan.VirtualAddress}:{LabFixture.EchoPort}\", forward: nat, scheduler: lc, check: none, realServers: [ {PairSettings.Servers(LabFixture.EchoPort)} ] }}",
        ],
    };
}
