using Bascule.Core.Roles;
using Director = Bascule.Vrrp.Tests.PairSimulation.Director;

namespace Bascule.Vrrp.Tests;

/// <summary>Two directors with heartbeats, and what can go wrong between them.</summary>
public sealed class PairSimulationTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<int, int> SeedsAndLinks { get; } = new() { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 2 }, { 5, 2 }, { 6, 2 } };

    [Theory]
    [MemberData(nameof(SeedsAndLinks))]
    public void Ten_minutes_of_30_percent_loss_change_no_role(int seed, int links)
    {
        PairSimulation pair = Serving(seed, links);
        int before = pair.Changes;

        pair.LoseEverywhere(0.3);
        pair.Run(600 * Second);

        Assert.True(pair.Changes == before, pair.Story);
        Assert.InRange(pair.Weak.Peer.Links[0].Lost / 24_000.0, 0.28, 0.32);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void One_of_two_links_that_comes_and_goes_each_second_changes_no_role(int link)
    {
        PairSimulation pair = Serving(seed: 1, links: 2);
        int before = pair.Changes;

        for (int i = 0; i < 120; i++)
        {
            pair.Lose(pair.Strong, link, 1 - (i % 2));
            pair.Lose(pair.Weak, link, 1 - (i % 2));
            pair.Run(Second / 2);
        }

        Assert.True(pair.Changes == before, pair.Story);
    }

    [Theory]
    [MemberData(nameof(SeedsAndLinks))]
    public void A_stronger_director_that_nobody_hears_gives_way_within_the_bound_and_stays_away(int seed, int links)
    {
        PairSimulation pair = Serving(seed, links);

        for (int link = 0; link < links; link++)
            pair.Lose(pair.Strong, link, 1);
        pair.Run((4 * PairSimulation.Interval) + PairSimulation.Notices);
        int before = pair.Changes;
        AssertOneOwner(pair, pair.Weak);
        Assert.Equal(TransitionReason.NotHeard, pair.Strong.Judge.Reason);

        pair.Run(60 * Second);
        Assert.True(pair.Changes == before, pair.Story);

        pair.LoseEverywhere(0);
        pair.Run(PairSimulation.Settles);
        AssertOneOwner(pair, pair.Strong);
    }

    [Theory]
    [MemberData(nameof(SeedsAndLinks))]
    public void A_weaker_director_that_nobody_hears_changes_nothing(int seed, int links)
    {
        PairSimulation pair = Serving(seed, links);
        int before = pair.Changes;

        for (int link = 0; link < links; link++)
            pair.Lose(pair.Weak, link, 1);
        pair.Run(60 * Second);

        Assert.True(pair.Changes == before, pair.Story);
    }

    [Theory]
    [MemberData(nameof(SeedsAndLinks))]
    public void With_all_links_cut_both_serve_and_once_they_are_whole_one_does_within_the_bound(int seed, int links)
    {
        PairSimulation pair = Serving(seed, links);

        pair.LoseEverywhere(1);
        pair.Run(10 * Second);
        Assert.Equal(2, pair.Owners);

        pair.LoseEverywhere(0);
        pair.Run(PairSimulation.Interval + PairSimulation.Slack);
        AssertOneOwner(pair, pair.Strong);
        AssertStays(pair, pair.Strong);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(60)]
    public void A_director_that_was_paused_gives_up_before_it_speaks(double seconds)
    {
        PairSimulation pair = Serving(seed: 7, links: 2);

        pair.Pause(pair.Strong);
        pair.Run(seconds * Second);
        AssertOneOwner(pair, pair.Weak);
        pair.Resume(pair.Strong); // that it says nothing too early is asserted where it speaks
        Assert.Equal(TransitionReason.Overslept, pair.Strong.Judge.Reason);
        Assert.Equal(1, pair.Owners);

        pair.Run(PairSimulation.Settles);
        AssertOneOwner(pair, pair.Strong);
        AssertStays(pair, pair.Strong);
    }

    [Theory]
    [InlineData(0.9, 1)]
    [InlineData(1, 0.9)]
    [InlineData(1.1, 1)]
    [InlineData(1, 1.1)]
    [InlineData(0.9, 1.1)]
    public void Clocks_that_run_at_different_paces_change_no_role(double strongRate, double weakRate)
    {
        PairSimulation pair = new(seed: 3, links: 1, strongRate, weakRate);
        pair.Run(2 * Second);
        AssertOneOwner(pair, pair.Strong);
        int before = pair.Changes;

        pair.LoseEverywhere(0.1);
        pair.Run(60 * Second);

        Assert.True(pair.Changes == before, pair.Story);
    }

    [Fact]
    public void A_goodbye_that_is_lost_as_an_advertisement_is_heard_as_a_heartbeat()
    {
        PairSimulation pair = Serving(seed: 5, links: 2);
        pair.Lose(pair.Strong, link: 0, 1);

        pair.HandOver(pair.Strong);
        pair.Run(PairSimulation.Interval + PairSimulation.Slack); // the skew alone, not three intervals

        AssertOneOwner(pair, pair.Weak);
        Assert.Equal(TransitionReason.Goodbye, pair.Weak.Judge.Reason);
    }

    [Fact]
    public void After_a_handover_the_addresses_stay_where_they_were_handed_to()
    {
        PairSimulation pair = Serving(seed: 5, links: 2);

        pair.HandOver(pair.Strong);
        pair.Run(60 * Second);
        AssertOneOwner(pair, pair.Weak);

        pair.HandOver(pair.Weak);
        pair.Run(PairSimulation.Settles);
        AssertOneOwner(pair, pair.Strong);
    }

    /// <summary>Random faults on every link and in both directors. Each schedule is its own seed, so that one that fails can be run again by itself.</summary>
    [Fact]
    public void Whatever_happened_one_serves_within_the_bound_after_the_last_fault_and_stays_it()
    {
        Parallel.For(0, 2000, seed =>
        {
            PairSimulation pair = new(seed, links: 1 + (seed % 2));
            Trouble(pair, new(seed));
            pair.Run(PairSimulation.Settles);

            for (int step = 0; step < 10; step++)
            {
                Assert.True(pair.Owners == 1, $"seed {seed}: {pair.Owners} serve: {pair.Story}");
                pair.Run(PairSimulation.Interval);
            }
        });
    }

    private static void Trouble(PairSimulation pair, Random random)
    {
        for (int i = 0; i < 12; i++)
        {
            Director director = random.Next(2) == 0 ? pair.Strong : pair.Weak;
            switch (random.Next(4))
            {
                case 0 when director.IsAwake:
                    pair.Pause(director);
                    break;
                case 0:
                    pair.Resume(director);
                    break;
                case 1:
                    pair.HandOver(director);
                    break;
                default:
                    pair.Lose(director, random.Next(pair.Strong.Peer.Links.Length), share: random.Next(4) / 3.0);
                    break;
            }

            pair.Run(random.Next(1, 800) * TimeSpan.FromMilliseconds(1));
        }

        pair.LoseEverywhere(0);
        foreach (Director director in (Director[])[pair.Strong, pair.Weak])
            pair.Resume(director);
    }

    private static PairSimulation Serving(int seed, int links)
    {
        PairSimulation pair = new(seed, links);
        pair.Run(2 * Second);
        AssertOneOwner(pair, pair.Strong);
        return pair;
    }

    private static void AssertOneOwner(PairSimulation pair, Director expected) =>
        Assert.True(pair.Owners == 1 && expected.HasAddresses, pair.Story);

    private static void AssertStays(PairSimulation pair, Director expected)
    {
        int before = pair.Changes;
        pair.Run(10 * Second);
        Assert.True(pair.Changes == before, pair.Story);
        AssertOneOwner(pair, expected);
    }
}
