using Bascule.Core.Model;

namespace Bascule.Vrrp.Tests;

/// <summary>What tracked things do to a priority.</summary>
public sealed class WeightsTests
{
    [Theory]
    [InlineData(20, true, 120)]
    [InlineData(20, false, 100)]
    [InlineData(-20, true, 100)]
    [InlineData(-20, false, 80)]
    [InlineData(0, true, 100)]
    [InlineData(0, false, 100)]
    public void A_weight_above_0_is_added_while_well_and_one_below_subtracted_while_not(int weight, bool isWell, byte expected)
    {
        Weights weights = new(100, Thing(weight));

        weights.Set(0, isWell, 0);

        Assert.Equal(expected, weights.Priority);
    }

    [Fact]
    public void What_has_not_been_looked_at_yet_changes_nothing_but_holds_back_with_weight_0()
    {
        Weights weights = new(100, Thing(-20), Thing(20), Thing(0));

        Assert.Equal((100, false), (weights.Priority, weights.MayRun));
    }

    [Theory]
    [InlineData(7, 2, 114)]
    [InlineData(-7, 2, 86)]
    [InlineData(7, -2, 86)]
    [InlineData(0, 2, 100)]
    [InlineData(int.MaxValue, 253, 254)]
    [InlineData(int.MinValue, 253, 1)]
    public void A_file_s_number_is_multiplied_by_its_weight(int number, int weight, byte expected)
    {
        Weights weights = new(100, new TrackedFile("/run/weight", weight));

        weights.Set(0, isWell: number == 0, number);

        Assert.Equal(expected, weights.Priority);
    }

    [Theory]
    [InlineData(253, 254)]
    [InlineData(-253, 1)]
    public void Neither_goodbye_nor_the_owner_s_priority_is_reached(int weight, byte expected)
    {
        Weights weights = new(100, Thing(weight), Thing(weight));

        weights.Set(0, isWell: weight > 0, 0);
        weights.Set(1, isWell: weight > 0, 0);

        Assert.Equal(expected, weights.Priority);
    }

    [Fact]
    public void Weights_are_added_up_before_the_bounds_are_looked_at()
    {
        Weights weights = new(200, Thing(100), Thing(-100));

        weights.Set(0, isWell: true, 0);
        weights.Set(1, isWell: false, 0);

        Assert.Equal(200, weights.Priority);
    }

    [Fact]
    public void The_owner_s_priority_is_never_changed()
    {
        Weights weights = new(255, Thing(-100), Thing(0));

        weights.Set(0, isWell: false, 0);
        weights.Set(1, isWell: false, 0);

        Assert.Equal((255, false), (weights.Priority, weights.MayRun));
    }

    [Fact]
    public void One_thing_of_weight_0_that_is_not_well_is_enough_to_hold_back()
    {
        Weights weights = new(100, Thing(0), Thing(0));

        weights.Set(0, isWell: true, 0);
        weights.Set(1, isWell: false, 0);
        Assert.False(weights.MayRun);
        weights.Set(1, isWell: true, 0);
        Assert.True(weights.MayRun);
    }

    private static TrackedInterface Thing(int weight) => new("eth1", weight);
}
