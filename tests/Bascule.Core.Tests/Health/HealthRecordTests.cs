using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;

namespace Bascule.Core.Tests.Health;

/// <summary>Rise 2, fall 3. P is a check that passes, F one that fails; U means up after it, d down.</summary>
public sealed class HealthRecordTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly HealthRecord _record = new(Sample.Check, Sample.One, Noon);

    [Fact]
    public void Is_down_until_the_first_check_passes()
    {
        Assert.False(_record.IsUp);
        Assert.Null(_record.Last);
        Assert.Equal(Noon, _record.Since);
    }

    [Theory]
    [InlineData("P", "U")] // the first pass suffices
    [InlineData("FFFFP", "ddddU")] // also when it comes late
    [InlineData("PFFF", "UUUd")]
    [InlineData("PFFPFFF", "UUUUUUd")] // a pass in between starts the count anew
    [InlineData("PFFFPP", "UUUddU")]
    [InlineData("PFFFPFPP", "UUUddddU")] // a failure in between starts the count anew
    [InlineData("PFFFPPFFF", "UUUddUUUd")]
    public void Falls_after_three_failures_and_rises_after_two_passes(string answers, string states) => Assert.Equal(states, Ask(answers));

    [Fact]
    public void Says_that_it_changed_exactly_when_it_did()
    {
        bool[] changes = [.. "FPPFFFFPP".Select((answer, i) => _record.Apply(Answer(answer), Noon.AddSeconds(i)))];

        Assert.Equal([false, true, false, false, false, true, false, false, true], changes);
    }

    [Fact]
    public void Remembers_when_it_changed_and_what_the_last_answer_was()
    {
        Ask("PFFFF");

        Assert.Equal(Noon.AddSeconds(3), _record.Since);
        Assert.Equal(Noon.AddSeconds(4), _record.LastAt);
        Assert.Equal("status 503, expected 200", _record.Last!.Why);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("FF", 0)] // down and failing: it agrees
    [InlineData("PFF", 2)]
    [InlineData("PFFP", 0)]
    [InlineData("PFFF", 0)] // it has changed
    [InlineData("PFFFP", 1)]
    [InlineData("PFFFPF", 0)]
    public void Counts_the_answers_in_a_row_that_disagree_with_its_state(string answers, int streak)
    {
        Ask(answers);

        Assert.Equal(streak, _record.Streak);
    }

    [Fact]
    public void With_a_rise_and_fall_of_1_every_answer_is_the_state()
    {
        HealthRecord nervous = new(Sample.Check with { Rise = 1, Fall = 1 }, Sample.One, Noon);

        Assert.Equal("UdUdU", Ask(nervous, "PFPFP"));
    }

    [Fact]
    public void Knows_until_when_it_is_held_down_by_the_clock_on_the_wall()
    {
        HealthRecord held = new(Sample.Check with { Rise = 1, Fall = 1, Reentry = TimeSpan.FromSeconds(60) }, Sample.One, Noon);
        TimeSpan boot = TimeSpan.FromHours(77); // another clock altogether
        held.Apply(Answer('P'), Noon, boot);
        held.Apply(Answer('F'), Noon.AddSeconds(1), boot + TimeSpan.FromSeconds(1));
        Assert.Null(held.HeldUntil); // down by its checks

        held.Apply(Answer('P'), Noon.AddSeconds(2), boot + TimeSpan.FromSeconds(2));
        Assert.Equal(Noon.AddSeconds(62), held.HeldUntil);

        Assert.True(held.Apply(Answer('P'), Noon.AddSeconds(62), boot + TimeSpan.FromSeconds(62)));
        Assert.Null(held.HeldUntil);
    }

    [Fact]
    public void A_failure_leaves_what_the_real_server_said_of_its_weight()
    {
        _record.Apply(Answer('P') with { Weight = new(50, IsPercent: true), Wish = AdministrativeState.Drain }, Noon);

        _record.Apply(Answer('F'), Noon);

        Assert.Equal(new WeightAdvice(50, IsPercent: true), _record.Last!.Weight);
        Assert.Equal(AdministrativeState.Drain, _record.Last.Wish);
        _record.Apply(Answer('P'), Noon);
        Assert.Null(_record.Last!.Weight);
    }

    private string Ask(string answers) => Ask(_record, answers);

    private static string Ask(HealthRecord record, string answers) => string.Concat(answers.Select((answer, i) =>
    {
        record.Apply(Answer(answer), Noon.AddSeconds(i));
        return record.IsUp ? 'U' : 'd';
    }));

    private static CheckAnswer Answer(char answer) =>
        answer == 'P' ? new(true, "200 in 1 ms", TimeSpan.Zero) : new(false, "status 503, expected 200", TimeSpan.Zero);
}
