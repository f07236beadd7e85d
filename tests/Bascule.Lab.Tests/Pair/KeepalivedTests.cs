namespace Bascule.Lab.Tests.Pair;

/// <summary>The rig, tried with two keepaliveds: what later tests take for granted, and what Bascule is measured beside.</summary>
[Collection("Pair")]
public sealed class KeepalivedTests(PairFixture lab)
{
    [PairTheory]
    [InlineData(PairPlan.VirtualAddress, PairPlan.VirtualAddress + "/24")]
    [InlineData(PairPlan.VirtualAddress6, PairPlan.VirtualAddress6 + "/64")]
    public async Task A_killed_keepalived_is_replaced_after_three_intervals_and_the_skew(string address, string configured)
    {
        KeepalivedRouter router = new() { Priority = 100, Address = configured, More = "nopreempt" };
        await using LabWatch watch = await lab.WatchAsync(address);
        await using Keepalived first = await Keepalived.StartAsync(lab, "director-1", router);
        await Takeover.AnswersAsync(watch, "director-1");
        await using Keepalived second = await Keepalived.StartAsync(lab, "director-2", router);

        IReadOnlyList<(string By, Takeover Takeover)> takeovers = await Takeover.SeriesAsync(watch, watch, first, second, 5);

        Takeover.AssertAreOnTime(takeovers.Select(t => t.Takeover), TimeSpan.FromMilliseconds(100), priority: 100);
    }
}
