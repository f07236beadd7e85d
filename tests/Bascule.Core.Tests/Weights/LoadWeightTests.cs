using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Core.Weights;

namespace Bascule.Core.Tests.Weights;

public sealed class LoadWeightTests
{
    private readonly HealthRecord _record = new(Sample.Check with { Rise = 1, Fall = 1 }, Sample.One, DateTimeOffset.UnixEpoch);
    private TimeSpan _now;

    // What nanny came to with a weight of 100, in whole numbers: last ± 50 × ∛|1 - load|, without what follows the point.
    [Theory]
    [InlineData(100, 0, 150)]
    [InlineData(100, 0.5, 139)]
    [InlineData(100, 0.75, 131)]
    [InlineData(100, 0.875, 125)] // an eighth is just enough
    [InlineData(100, 0.88, 100)]
    [InlineData(100, 1, 100)]
    [InlineData(100, 30, 100)]    // never below the configured weight
    [InlineData(980, 0, 980)]     // 1000 would be a change by less than a quarter
    [InlineData(970, 0, 1000)]
    [InlineData(1000, 0, 1000)]
    [InlineData(300, 1.11, 300)]
    [InlineData(300, 1.12, 275)]  // 275.3 was cut off to whole numbers before it was compared
    [InlineData(300, 2, 250)]
    [InlineData(300, 9, 200)]
    [InlineData(120, 9, 120)]     // 100 would be a change by less than a quarter
    public void Goes_up_below_a_load_of_1_and_down_above_it_with_a_hysteresis_of_a_quarter(int percent, double load, int next) =>
        Assert.Equal(next, LoadWeight.Next(percent, load));

    [Fact]
    public void Is_reckoned_every_20_seconds_from_what_it_was()
    {
        Assert.Equal(131, Say(0.75));
        Assert.Equal(131, Say(0, after: 19.9));
        Assert.Equal(162, Say(0.75, after: 0.1));
        Assert.Equal(112, Say(2, after: 30));
    }

    [Fact]
    public void Who_was_down_or_said_nothing_begins_with_its_configured_weight()
    {
        Say(0);
        Assert.Equal(200, Say(0, after: 20));
        Apply(new(Passed: false, "refused", TimeSpan.Zero) { Load = 0 });
        Assert.Equal(200, _record.Last!.Weight?.Value); // while it is down nobody goes by it

        Assert.Equal(150, Say(0, after: 20));

        Apply(new(Passed: true, "up", TimeSpan.Zero));
        Assert.Null(_record.Last!.Weight);
        Assert.Equal(150, Say(0, after: 20));
    }

    [Fact]
    public void What_it_says_of_its_weight_goes_before_its_load()
    {
        Apply(new(Passed: true, "up", TimeSpan.Zero) { Load = 0, Weight = new(30, IsPercent: true) });

        Assert.Equal(new WeightAdvice(30, IsPercent: true), _record.Last!.Weight);
    }

    private int? Say(double load, double after = 0)
    {
        _now += TimeSpan.FromSeconds(after);
        Apply(new(Passed: true, "up", TimeSpan.Zero) { Load = load });
        return _record.Last!.Weight is { IsPercent: true } advice ? advice.Value : null;
    }

    private void Apply(CheckAnswer answer) => _record.Apply(answer, DateTimeOffset.UnixEpoch + _now, _now);
}
