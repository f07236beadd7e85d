using System.Net.NetworkInformation;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Bascule and keepalived share an address, in both roles.</summary>
[Collection("Pair")]
public sealed class MixedTests(PairFixture lab)
{
    // How much earlier than the RFC says one may speak, and how much later on a machine that does other things as well.
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(20), Late = TimeSpan.FromMilliseconds(500);

    [PairTheory]
    [InlineData(true, 3, false)]
    [InlineData(false, 3, true)]
    [InlineData(true, 2, false)]
    [InlineData(false, 2, true)]
    public async Task The_other_takes_over_from_one_that_is_killed(bool oursIsKilled, int version, bool unicast)
    {
        await using MixedPair pair = await MixedPair.StartAsync(lab, oursIsKilled, version, unicast);
        long since = TimeProvider.System.GetTimestamp();

        await pair.Active.KillAsync();

        Takeover takeover = await pair.TakenByAsync(pair.Backup, since);
        AssertTook(takeover, Takeover.Expected(pair.Interval, priority: 100));
    }

    [PairTheory]
    [InlineData(true, 3, false)]
    [InlineData(false, 2, false)]
    public async Task The_other_takes_over_after_the_skew_alone_from_one_that_is_stopped(bool oursIsStopped, int version, bool unicast)
    {
        await using MixedPair pair = await MixedPair.StartAsync(lab, oursIsStopped, version, unicast);
        long since = TimeProvider.System.GetTimestamp();

        await pair.Active.StopAsync();

        Takeover takeover = await pair.TakenByAsync(pair.Backup, since);
        Assert.Equal(0, takeover.LastWord.Priority); // RFC 9568 §6.4.3: a goodbye
        AssertTook(takeover, pair.Interval * (256 - 100) / 256);
    }

    [PairTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_other_takes_over_from_one_that_is_paused_and_one_of_the_two_serves_when_it_goes_on(bool oursIsPaused)
    {
        await using MixedPair pair = await MixedPair.StartAsync(lab, oursIsPaused);
        long since = TimeProvider.System.GetTimestamp();

        pair.Active.Pause();
        Takeover takeover = await pair.TakenByAsync(pair.Backup, since);
        await Task.Delay(TimeSpan.FromSeconds(1.5)); // longer than our lease
        since = TimeProvider.System.GetTimestamp();
        pair.Active.Continue();

        AssertTook(takeover, Takeover.Expected(pair.Interval, priority: 100));
        if (oursIsPaused)
        {
            // It slept longer than its lease: it gives up first, and then hears that the other serves.
            await Takeover.IsHeardAsync(pair.Words, MixedPair.Theirs);
            Assert.DoesNotContain(pair.Words.Seen.After(since).Of(Sight.Advertisement), s => IsFrom(s, MixedPair.Ours));
            Assert.DoesNotContain(pair.Words.Seen.After(since).Of(Sight.Announcement), s => IsFrom(s, MixedPair.Ours));
        }
        else
        {
            // keepalived goes on as if nothing had been; its address is the higher one, so ours yields (RFC 9568 §6.4.3).
            await pair.Bascule.IsAsync(Core.Roles.Role.Backup);
        }
    }

    [PairTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_stronger_one_takes_over_from_the_weaker_one_that_serves(bool oursIsStronger)
    {
        await using MixedPair pair = await MixedPair.StartAsync(
            lab, weAreActive: !oursIsStronger, ours: oursIsStronger ? 150 : 100, theirs: oursIsStronger ? 100 : 150, preempt: true);

        Takeover takeover = await pair.TakenByAsync(pair.Backup, since: 0);

        Assert.Equal(150, takeover.FirstWord.Priority);
        if (!oursIsStronger)
            await pair.Bascule.IsAsync(Core.Roles.Role.Backup);
    }

    [PairTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_preemption_the_stronger_one_waits(bool oursIsStronger)
    {
        await using MixedPair pair = await MixedPair.StartAsync(
            lab, weAreActive: !oursIsStronger, ours: oursIsStronger ? 150 : 100, theirs: oursIsStronger ? 100 : 150);

        for (int i = 0; i < 3; i++)
            await Takeover.IsHeardAsync(pair.Words, pair.Active.Director); // longer than the Active_Down_Interval in all

        Assert.DoesNotContain(pair.Words.Seen.Of(Sight.Advertisement), s => IsFrom(s, pair.Backup.Director));
    }

    [PairFact]
    public async Task Twenty_takeovers_take_three_intervals_and_the_skew()
    {
        await using MixedPair pair = await MixedPair.StartAsync(lab, weAreActive: false, theirs: 150, theyPreempt: true);
        List<Takeover> takeovers = [];

        for (int i = 0; i < 20; i++)
        {
            long since = TimeProvider.System.GetTimestamp();
            await pair.Keepalived.KillAsync();
            takeovers.Add(await pair.TakenByAsync(pair.Bascule, since));
            since = TimeProvider.System.GetTimestamp();
            await pair.Keepalived.StartAgainAsync(); // it preempts
            await Takeover.AnswersAsync(pair.Answers, MixedPair.Theirs, since);
            await Takeover.IsHeardAsync(pair.Words, MixedPair.Theirs);
        }

        Takeover.AssertAreOnTime(takeovers, pair.Interval, priority: 100);
    }

    private static bool IsFrom(Sighting sighting, string director) => sighting.From.Equals(PhysicalAddress.Parse(PairPlan.MacOf(director)));

    private static void AssertTook(Takeover takeover, TimeSpan expected) =>
        Assert.InRange(takeover.Took, expected - Early, expected + Late);
}
