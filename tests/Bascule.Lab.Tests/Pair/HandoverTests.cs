using System.Globalization;

namespace Bascule.Lab.Tests.Pair;

/// <summary>A planned handover and the way back, under requests and downloads that nobody may notice it by.</summary>
[Collection("Pair")]
public sealed class HandoverTests(PairFixture lab)
{
    private const string Timeout = "handoverTimeout: 20s";

    private static readonly PairSettings Settings = new()
    {
        Ha = [Timeout],
        Priority = { ["director-1"] = 150 },
        VirtualServers = [$"web: {{ address: \"{PairPlan.VirtualAddress}:80\", check: none, realServers: [ \"10.0.2.11:9000\" ] }}"],
    };

    private static readonly PairSettings Settings6 = Settings with
    {
        Address = $"{PairPlan.VirtualAddress6}/64",
        VirtualServers = [$"web: {{ address: \"[{PairPlan.VirtualAddress6}]:80\", check: none, realServers: [ \"10.0.2.11:9000\" ] }}"],
    };

    [PairTheory]
    [InlineData(PairPlan.VirtualAddress, "250ms")]
    [InlineData(PairPlan.VirtualAddress6, "off")]
    public Task A_handover_and_the_way_back_lose_no_request_and_no_byte_of_a_download(string address, string gate) =>
        HandOverAndBackAsync((address == PairPlan.VirtualAddress ? Settings : Settings6) with { More = [$"gate: {gate}"] }, address);

    [PairFact]
    public async Task Nor_does_that_of_a_sync_group_which_goes_together()
    {
        string there = await HandOverAndBackAsync(
            Settings with
            {
                Ha = [Timeout, "syncGroups: { both: [ web-vip, inside ] }"],
                Instances = [$"inside: {{ interface: eth2, virtualRouterId: 52, priority: DIRECTOR-1, advertInterval: 100ms, preempt: false, addresses: [ {PairPlan.InsideAddress}/24 ] }}"],
            }, PairPlan.VirtualAddress);

        Assert.Contains("Handed over: web-vip, inside.", there);
    }

    [PairFact]
    public async Task Handing_back_while_the_other_one_drains_is_refused_at_once_and_disturbs_nothing()
    {
        await using HandoverTraffic traffic = await HandoverTraffic.StartAsync(lab, PairPlan.VirtualAddress);
        await using PairDirector first = await PairDirector.StartAsync(lab, "director-1", Settings);
        await using PairDirector second = await PairDirector.StartAsync(lab, "director-2", Settings);
        Task<string> asking = await traffic.BeginAsync(first, seconds: 8);
        await first.AskAsync("handover", "web-vip");

        LabException refused = await Assert.ThrowsAsync<LabException>(() => second.AskAsync("handover", "web-vip"));

        Assert.Contains("nothing was handed over: try again when it has drained there", refused.Message);
        AssertNothingFailed(await asking);
        Assert.DoesNotContain("web-vip is Backup (was Active)", second.Log);
    }

    [PairFact]
    public async Task A_director_that_is_killed_while_it_drains_answers_nobody_and_its_next_start_removes_what_it_left()
    {
        await using HandoverTraffic traffic = await HandoverTraffic.StartAsync(lab, PairPlan.VirtualAddress);
        await using PairDirector first = await PairDirector.StartAsync(lab, "director-1", Settings);
        await using PairDirector second = await PairDirector.StartAsync(lab, "director-2", Settings);
        Task<string> asking = await traffic.BeginAsync(first, seconds: 8);
        await first.AskAsync("handover", "web-vip");

        await first.KillAsync();

        Assert.True(await RelaysAsync("director-1"));
        await lab["client"].RunAsync("ip", "neighbour", "flush", "dev", "eth0");
        await lab["client"].RunAsync("ping", "-c", "3", "-W", "5", PairPlan.VirtualAddress);
        Assert.Contains(PairPlan.MacOf("director-2"), await lab["client"].RunAsync("ip", "neighbour", "show", PairPlan.VirtualAddress));
        string report = await asking;
        Assert.True(Figure(report, "new") > 100 && Figure(report, "failed") <= 5 && !report.Contains("('new'", StringComparison.Ordinal), report); // what was open there is lost
        await first.StartAgainAsync();
        await AssertNothingIsLeftAsync("director-1");
    }

    [PairFact]
    public async Task A_director_that_is_stopped_hands_over_first_and_ends_when_its_downloads_have()
    {
        await using HandoverTraffic traffic = await HandoverTraffic.StartAsync(lab, PairPlan.VirtualAddress);
        await using PairDirector first = await PairDirector.StartAsync(lab, "director-1", Settings);
        await using PairDirector second = await PairDirector.StartAsync(lab, "director-2", Settings);
        Task<string> asking = await traffic.BeginAsync(first, seconds: 8);

        await first.StopAsync();

        AssertNothingFailed(await asking);
        await AssertNothingIsLeftAsync("director-1");
    }

    private async Task<string> HandOverAndBackAsync(PairSettings settings, string address)
    {
        await using HandoverTraffic traffic = await HandoverTraffic.StartAsync(lab, address);
        await using PairDirector first = await PairDirector.StartAsync(lab, "director-1", settings);
        await using PairDirector second = await PairDirector.StartAsync(lab, "director-2", settings);
        Task<string> asking = await traffic.BeginAsync(first, seconds: 14);

        string there = await first.AskAsync("handover", "web-vip");
        await HoldsAsync(() => Task.FromResult(first.Log.Contains("web-vip is drained", StringComparison.Ordinal)));
        await HoldsAsync(async () => !await RelaysAsync("director-2"));
        string back = await second.AskAsync("handover", "web-vip");

        Assert.Contains("Handed over: web-vip", there);
        Assert.Contains("Handed over: web-vip", back);
        AssertNothingFailed(await asking);
        await HoldsAsync(() => Task.FromResult(second.Log.Contains("web-vip is drained", StringComparison.Ordinal)));
        await AssertNothingIsLeftAsync("director-1");
        await AssertNothingIsLeftAsync("director-2");
        return there;
    }

    private static void AssertNothingFailed(string report) =>
        Assert.True(Figure(report, "failed") == 0 && Figure(report, "new") > 100 && Figure(report, "kept") > 100 && Figure(report, "downloads") > 0, report);

    private static int Figure(string report, string name)
    {
        string[] words = report.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return int.Parse(words[Array.IndexOf(words, name) + 1], CultureInfo.InvariantCulture);
    }

    private static async Task HoldsAsync(Func<Task<bool>> condition)
    {
        for (int attempt = 0; !await condition(); attempt++)
        {
            Assert.True(attempt < 300, "it did not come about within 30 s");
            await Task.Delay(100);
        }
    }

    private async Task<bool> RelaysAsync(string director) => (await lab[director].RunAsync("nft", "list", "tables")).Contains("bascule-handover", StringComparison.Ordinal);

    private async Task AssertNothingIsLeftAsync(string director)
    {
        await HoldsAsync(async () => !await RelaysAsync(director));
        Assert.DoesNotContain("scope global lo", await lab[director].RunAsync("ip", "address", "show", "dev", "lo"));
    }
}
