using System.Globalization;

namespace Bascule.Lab.Tests.Pair;

/// <summary>A planned handover and the way back, under requests and downloads that nobody may notice it by.</summary>
[Collection("Pair")]
public sealed class HandoverTests(PairFixture lab)
{
    private static readonly PairSettings Settings = new()
    {
        Ha = ["handoverTimeout: 20s"],
        Priority = { ["director-1"] = 150 },
        VirtualServers = [$"web: {{ address: \"{PairPlan.VirtualAddress}:80\", check: none, realServers: [ \"10.0.2.11:9000\" ] }}"],
    };

    [PairFact]
    public Task A_handover_and_the_way_back_lose_no_request_and_no_byte_of_a_download() => HandOverAndBackAsync(Settings, PairPlan.VirtualAddress);

    [PairFact]
    public Task Nor_over_IPv6() => HandOverAndBackAsync(
        Settings with
        {
            Address = $"{PairPlan.VirtualAddress6}/64",
            VirtualServers = [$"web: {{ address: \"[{PairPlan.VirtualAddress6}]:80\", check: none, realServers: [ \"10.0.2.11:9000\" ] }}"],
        }, PairPlan.VirtualAddress6);

    [PairFact]
    public async Task A_director_that_is_stopped_hands_over_first_and_ends_when_its_downloads_have()
    {
        await using HandoverTraffic traffic = await HandoverTraffic.StartAsync(lab, PairPlan.VirtualAddress);
        await using PairDirector first = await PairDirector.StartAsync(lab, "director-1", Settings);
        await using PairDirector second = await PairDirector.StartAsync(lab, "director-2", Settings);
        Task<string> asking = await traffic.BeginAsync(seconds: 8);

        await first.StopAsync();

        Assert.True(traffic.IsDownloading is false, "the director ended before the download did");
        AssertNothingFailed(await asking);
        await AssertNothingIsLeftAsync("director-1");
    }

    private async Task HandOverAndBackAsync(PairSettings settings, string address)
    {
        await using HandoverTraffic traffic = await HandoverTraffic.StartAsync(lab, address);
        await using PairDirector first = await PairDirector.StartAsync(lab, "director-1", settings);
        await using PairDirector second = await PairDirector.StartAsync(lab, "director-2", settings);
        Task<string> asking = await traffic.BeginAsync(seconds: 14);

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
    }

    private static void AssertNothingFailed(string report)
    {
        string[] figures = report.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int New(string name) => int.Parse(figures[Array.IndexOf(figures, name) + 1], CultureInfo.InvariantCulture);
        Assert.True(New("failed") == 0 && New("new") > 100 && New("kept") > 100 && New("downloads") > 0, report);
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
