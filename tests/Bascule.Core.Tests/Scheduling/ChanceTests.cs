using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>The schedulers that draw lots, by the distribution of what they draw (fixed seeds, so these never flicker).</summary>
public sealed class ChanceTests
{
    private const int Draws = 100_000;

    // χ² with 3 degrees of freedom exceeds this with probability 0.001.
    private const double Limit = 16.27;

    [Fact]
    public void Random_draws_in_proportion_to_weight()
    {
        double[] expected = [0.1, 0.2, 0.3, 0.4];

        Assert.InRange(ChiSquared(Counts(SchedulerKind.Random, 1, 2, 3, 4), expected), 0, Limit);
    }

    [Fact]
    public void Random_spreads_the_share_of_one_that_is_down_over_the_others_in_proportion()
    {
        Farm farm = new(1, 2, 3, 4, 10);
        farm.SetHealth(4, isUp: false);

        Assert.InRange(ChiSquared(Counts(SchedulerKind.Random, farm), [0.1, 0.2, 0.3, 0.4]), 0, Limit);
    }

    [Fact]
    public void Twos_on_an_idle_farm_draws_in_proportion_to_weight_without_favouring_the_first()
    {
        // The kernel's range would give the first 2/11 of the draws, which this many draws would show (χ² about 7,000).
        Assert.InRange(ChiSquared(Counts(SchedulerKind.PowerOfTwoChoices, 1, 2, 3, 4), [0.1, 0.2, 0.3, 0.4]), 0, Limit);
    }

    [Fact]
    public void Twos_takes_the_busiest_only_when_both_draws_hit_it()
    {
        Farm farm = new(1, 1, 1, 1);
        for (int i = 0; i < 4; i++)
            farm.SetActive(i, i);

        // Of 16 equally likely pairs, the least busy of the two is A in 7, B in 5, C in 3, D in 1.
        Assert.InRange(ChiSquared(Counts(SchedulerKind.PowerOfTwoChoices, farm), [7 / 16.0, 5 / 16.0, 3 / 16.0, 1 / 16.0]), 0, Limit);
    }

    private static int[] Counts(SchedulerKind kind, params int[] weights) => Counts(kind, new Farm(weights));

    private static int[] Counts(SchedulerKind kind, Farm farm)
    {
        Scheduler scheduler = farm.Scheduler(kind);
        Random random = new(20260101);
        int[] counts = new int[farm.Count];
        for (int i = 0; i < Draws; i++)
            counts[scheduler.Pick(default, default, random)]++;
        return counts;
    }

    private static double ChiSquared(int[] counts, double[] expected)
    {
        Assert.All(counts[expected.Length..], count => Assert.Equal(0, count));
        return expected.Select((share, i) => Math.Pow(counts[i] - (share * Draws), 2) / (share * Draws)).Sum();
    }
}
