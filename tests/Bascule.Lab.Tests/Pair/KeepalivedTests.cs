namespace Bascule.Lab.Tests.Pair;

/// <summary>The rig, tried with two keepaliveds: what later tests take for granted, and what Bascule is measured beside.</summary>
[Collection("Pair")]
public sealed class KeepalivedTests(PairFixture lab)
{
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(20);

    [PairTheory]
    [InlineData(PairPlan.VirtualAddress, PairPlan.VirtualAddress + "/24")]
    [InlineData(PairPlan.VirtualAddress6, PairPlan.VirtualAddress6 + "/64")]
    public async Task A_killed_keepalived_is_replaced_after_three_intervals_and_the_skew(string address, string configured)
    {
        await using LabWatch watch = await lab.WatchAsync(address);
        await using Keepalived first = await Keepalived.StartAsync(lab, "director-1", new() { Priority = 150, Address = configured });
        await watch.SeesAsync(s => s.What == Sight.Answer, since: 0);
        await using Keepalived second = await Keepalived.StartAsync(lab, "director-2", new() { Priority = 100, Address = configured });
        await Takeover.IsHeardAsync(watch, "director-1");

        await first.KillAsync();

        Takeover takeover = await Takeover.SeenAsync(watch, "director-2");
        takeover.AssertIsOnTime(TimeSpan.FromMilliseconds(100), priority: 100, Slack);
    }
}
