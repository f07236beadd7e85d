using System.Text.RegularExpressions;
using Bascule.Lab.Echo;
using Bascule.Testing;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Connections through the packet datapath, and what clients' cookies say, outlive the director that carries them.</summary>
[Collection("Pair")]
public sealed class FlowsFollowTests(PairFixture lab)
{
    private const int Many = 50, Clients = 4, CookiePort = 8081, LearnPort = 8082;

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
        Array.ForEach(Directory.GetFiles(lab.Network.Folder, "jar-*"), File.Delete);
        string[] visited = [.. await VisitAsync(CookiePort, "name"), .. await VisitAsync(LearnPort, "login")];
        await second.SeesAsync(status => status.Packets?.Flows > Many);
        await Eventually.HoldsAsync(() => KnowsLearnedSessionsAsync(second).Result, "the second director knows the learned sessions");

        long since = TimeProvider.System.GetTimestamp();
        await first.KillAsync();
        await Takeover.AnswersAsync(watch, "director-2", since);
        Assert.False(download.IsCompleted, "the download was over too soon to show anything");
        string[] again = [.. await VisitAsync(CookiePort, "name"), .. await VisitAsync(LearnPort, "name")];
        HolderReport after = await connections.TalkAsync(10);
        await download;

        Assert.Equal(visited, again);
        Assert.True(after.Broken.Count == 0, Connections.Describe(after));
        Assert.Equal(Many, after.Open.Values.Sum());
    }

    /// <summary>Each client comes with the cookies that it has, the last one first.</summary>
    /// <returns>Whom each met.</returns>
    private async Task<string[]> VisitAsync(int port, string path)
    {
        string said = await lab["client"].RunScriptAsync($"""
            for client in $(seq {Clients} -1 1); do
              jar={lab.Network.Folder}/jar-{port}-$client
              echo "$client $(curl -sS --fail --max-time 5 -c $jar -b $jar http://{PairPlan.VirtualAddress}:{port}/{path})"
            done

            """);
        return [.. said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order()];
    }

    // One or two clients of each of the three real servers.
    private static async Task<bool> KnowsLearnedSessionsAsync(PairDirector director) =>
        Regex.Count(await director.AskAsync("list", "--persistent"), ":80 +1 +[12] ") == LabPlan.RealServers.Length;

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
            $"cookie: {{ address: \"{PairPlan.VirtualAddress}:{CookiePort}\", protocol: http, scheduler: rr, check: none, persistence: {{ by: cookie }}, realServers: [ {PairSettings.Servers(80)} ] }}",
            $"learn: {{ address: \"{PairPlan.VirtualAddress}:{LearnPort}\", protocol: http, scheduler: rr, check: none, persistence: {{ by: learn, cookie: SID }}, realServers: [ {PairSettings.Servers(80)} ] }}",
        ],
    };
}
