using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>Known sequences of the schedulers that take turns or look at the load.</summary>
public sealed class SequenceTests
{
    [Theory]
    [InlineData("AABABCABC", 4, 3, 2)]
    [InlineData("AABABC", 30, 20, 10)] // steps of the common divisor: the shares of 3, 2, 1
    [InlineData("ABC", 7, 7, 7)]
    [InlineData("CBC", 0, 1, 2, 0)]
    public void Wrr_interleaves_by_weight(string cycle, params int[] weights) =>
        Assert.Equal(cycle + cycle, Farm.Sequence(new Farm(weights).Scheduler(SchedulerKind.WeightedRoundRobin), 2 * cycle.Length));

    [Fact]
    public void Wrr_follows_a_weight_that_changes_at_run_time()
    {
        Farm farm = new(4, 3, 2);
        Scheduler wrr = farm.Scheduler(SchedulerKind.WeightedRoundRobin);
        Assert.Equal("AA", Farm.Sequence(wrr, 2));

        farm.RealServers[0].ConfiguredWeight = 1;
        farm.RealServers[1].ConfiguredWeight = 1;
        farm.RealServers[2].ConfiguredWeight = 1;

        Assert.Equal("ABCABC", Farm.Sequence(wrr, 6));
    }

    [Fact]
    public void Wrr_shares_out_by_the_weights_of_those_that_are_up()
    {
        Farm farm = new(5, 4, 2);
        farm.SetHealth(0, isUp: false);

        Assert.Equal("BBCBBC", Farm.Sequence(farm.Scheduler(SchedulerKind.WeightedRoundRobin), 6));
    }

    [Fact]
    public void Wrr_does_not_walk_through_thousands_of_empty_rounds()
    {
        Farm farm = new(65535, 1);
        Scheduler wrr = farm.Scheduler(SchedulerKind.WeightedRoundRobin);
        farm.SetHealth(0, isUp: false);
        Assert.Equal("BBBB", Farm.Sequence(wrr, 4));

        farm.SetHealth(0, isUp: true);

        Assert.Equal("AAAA", Farm.Sequence(wrr, 4));
    }

    [Fact]
    public void Rr_ignores_weights_but_not_a_weight_of_0() =>
        Assert.Equal("ACACAC", Farm.Sequence(new Farm(1, 0, 9).Scheduler(SchedulerKind.RoundRobin), 6));

    [Theory]
    [InlineData(SchedulerKind.LeastConnection)]
    [InlineData(SchedulerKind.WeightedLeastConnection)]
    [InlineData(SchedulerKind.ShortestExpectedDelay)]
    public void An_idle_farm_is_used_in_turn_and_not_only_its_first_real_server(SchedulerKind kind) =>
        Assert.Equal("ABCABC", Farm.Sequence(new Farm(2, 2, 2).Scheduler(kind), 6));

    [Fact]
    public void Lc_counts_an_active_connection_as_many_idle_ones_and_ignores_weights()
    {
        Farm farm = new(9, 1);
        farm.SetActive(0, 1);
        for (int i = 0; i < 200; i++)
            farm.RealServers[1].Opened();

        Assert.Equal("BB", Farm.Sequence(farm.Scheduler(SchedulerKind.LeastConnection), 2));
    }

    [Fact]
    public void Wlc_fills_real_servers_in_proportion_to_their_weights()
    {
        Farm farm = new(1, 2, 5);
        Scheduler wlc = farm.Scheduler(SchedulerKind.WeightedLeastConnection);

        for (int i = 0; i < 80; i++)
        {
            int choice = wlc.Pick(Farm.Client("192.0.2.1"), default, new Random(1));
            farm.SetActive(choice, farm.RealServers[choice].ActiveConnections + 1);
        }

        Assert.Equal([10, 20, 50], farm.RealServers.Select(r => r.ActiveConnections));
    }

    [Fact]
    public void Wlc_compares_the_largest_counts_and_weights_without_overflow()
    {
        Farm farm = new(65535, 65534);
        farm.SetActive(0, 1_000_000);
        farm.SetActive(1, 1_000_000);

        Assert.Equal("AA", Farm.Sequence(farm.Scheduler(SchedulerKind.WeightedLeastConnection), 2));
    }

    [Fact]
    public void Sed_gives_the_first_connection_of_an_idle_farm_to_the_greatest_weight() =>
        Assert.Equal("BB", Farm.Sequence(new Farm(1, 3, 2).Scheduler(SchedulerKind.ShortestExpectedDelay), 2));

    [Fact]
    public void Sed_would_rather_queue_at_a_strong_real_server_than_use_a_weak_idle_one_and_nq_would_not()
    {
        Farm farm = new(1, 10);
        farm.SetActive(1, 1);

        Assert.Equal("B", Farm.Sequence(farm.Scheduler(SchedulerKind.ShortestExpectedDelay), 1));
        Assert.Equal("A", Farm.Sequence(farm.Scheduler(SchedulerKind.NeverQueue), 1));
    }

    [Fact]
    public void Nq_takes_the_first_idle_one_of_the_list_whatever_its_weight() =>
        Assert.Equal("AAA", Farm.Sequence(new Farm(1, 9, 9).Scheduler(SchedulerKind.NeverQueue), 3));

    [Fact]
    public void Fo_sends_all_to_the_highest_weight_until_it_is_down_and_then_to_the_next()
    {
        Farm farm = new(1, 3, 2, 3);
        Scheduler fo = farm.Scheduler(SchedulerKind.FailOver);
        Assert.Equal("BB", Farm.Sequence(fo, 2));

        farm.SetHealth(1, isUp: false);
        Assert.Equal("DD", Farm.Sequence(fo, 2));

        farm.SetHealth(3, isUp: false);
        Assert.Equal("CC", Farm.Sequence(fo, 2));
    }

    [Fact]
    public void Ovf_gives_each_one_connection_more_than_its_weight_before_the_next_and_then_nobody()
    {
        Farm farm = new(1, 2);
        Scheduler ovf = farm.Scheduler(SchedulerKind.Overflow);

        string choices = "";
        for (int i = 0; i < 6; i++)
        {
            choices += Farm.Sequence(ovf, 1);
            if (choices[^1] != '-')
                farm.SetActive(choices[^1] - 'A', farm.RealServers[choices[^1] - 'A'].ActiveConnections + 1);
        }

        Assert.Equal("BBBAA-", choices);
    }
}
