using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.Health;

/// <summary>When a real server is asked, and what keeps it down though its checks pass. Interval 10 s, rise 2, fall 3 unless told.</summary>
public sealed class CadenceTests
{
    private static readonly Check Every10 = Sample.Check with { Interval = Seconds(10), Rise = 2, Fall = 3 };

    private readonly ManualClock _clock = new();

    [Fact]
    public void The_next_check_begins_an_interval_after_the_last_was_to_begin_however_late_it_was_and_however_long_it_took()
    {
        Cadence cadence = new(Every10, wasUp: true);
        cadence.Take(passed: true, Seconds(3));

        Assert.Equal(Seconds(10), cadence.NextCheck(begun: Seconds(0), now: Seconds(3), TimeSpan.Zero, jitter: 0));
    }

    [Fact]
    public void What_was_missed_is_not_made_up_for_and_the_beat_is_kept()
    {
        Cadence cadence = new(Every10, wasUp: true);
        cadence.Take(passed: true, Seconds(33));

        Assert.Equal(Seconds(40), cadence.NextCheck(begun: Seconds(0), now: Seconds(33), TimeSpan.Zero, jitter: 0));
        Assert.Equal(Seconds(39), cadence.NextCheck(begun: Seconds(0), now: Seconds(39), TimeSpan.Zero, jitter: -0.1));
        Assert.Equal(Seconds(39.5), cadence.NextCheck(begun: Seconds(0), now: Seconds(39.5), TimeSpan.Zero, jitter: -0.1)); // never before now
    }

    [Theory]
    [InlineData(-0.1, 9)]
    [InlineData(0.1, 11)]
    public void Jitter_is_a_part_of_the_interval(double jitter, double expected)
    {
        Cadence cadence = new(Every10, wasUp: true);
        cadence.Take(passed: true, Seconds(0));

        Assert.Equal(Seconds(expected), cadence.NextCheck(Seconds(0), Seconds(0), TimeSpan.Zero, jitter));
    }

    [Theory]
    [InlineData("", 2)] // nothing is known yet
    [InlineData("P", 10)]
    [InlineData("F", 60)] // down, and known to be
    [InlineData("PF", 2)] // on its way down
    [InlineData("PFF", 2)]
    [InlineData("PFP", 10)]
    [InlineData("PFFF", 60)]
    [InlineData("PFFFP", 2)] // on its way up
    [InlineData("PFFFPF", 60)]
    [InlineData("PFFFPP", 10)]
    public void The_interval_follows_the_state(string answers, double expected)
    {
        Cadence cadence = After(answers, Every10 with { IntervalDown = Seconds(60), IntervalUnknown = Seconds(2) });

        Assert.Equal(Seconds(expected), cadence.NextCheck(Seconds(100), Seconds(100), TimeSpan.Zero, jitter: 0) - Seconds(100));
    }

    [Theory]
    [InlineData("")]
    [InlineData("P")]
    [InlineData("F")]
    [InlineData("PF")]
    [InlineData("PFFFP")]
    public void Without_intervals_of_their_own_all_states_have_the_same(string answers) =>
        Assert.Equal(Seconds(110), After(answers, Every10).NextCheck(Seconds(100), Seconds(100), TimeSpan.Zero, jitter: 0));

    [Fact]
    public void A_backup_lengthens_each_interval_that_is_shorter_than_its_own()
    {
        Cadence up = After("P", Every10);
        Cadence down = After("F", Every10 with { IntervalDown = Seconds(60) });

        Assert.Equal(Seconds(30), up.NextCheck(Seconds(0), Seconds(0), shortest: Seconds(30), jitter: 0));
        Assert.Equal(Seconds(60), down.NextCheck(Seconds(0), Seconds(0), shortest: Seconds(30), jitter: 0));
    }

    [Fact]
    public void A_failure_counts_after_its_repetitions_have_failed_too()
    {
        Check patient = Every10 with { Fall = 1, Retries = 2, RetryDelay = Seconds(1) };

        Assert.Equal("UUUd", States("PFFF", patient));
        Assert.Equal("UUUUUUd", States("PFFPFFF", patient)); // a repetition that passes ends the matter
        Assert.Equal("UUUUUUd", States("PFFFFFF", patient with { Fall = 3, Retries = 1 }));
    }

    [Fact]
    public void A_repetition_begins_its_delay_after_the_failure_and_not_after_the_interval()
    {
        Cadence cadence = After("PF", Every10 with { Retries = 1, RetryDelay = Seconds(0.5) });

        Assert.Equal(Seconds(4.5), cadence.NextCheck(begun: Seconds(3), now: Seconds(4), shortest: Seconds(30), jitter: 0.1));
    }

    [Fact]
    public void A_failure_of_what_is_down_anyway_is_not_repeated()
    {
        Cadence cadence = After("F", Every10 with { Retries = 1, RetryDelay = Seconds(0.5) });

        Assert.Equal(Seconds(10), cadence.NextCheck(Seconds(0), Seconds(1), TimeSpan.Zero, jitter: 0));
    }

    [Fact]
    public void A_real_server_that_was_down_comes_back_at_the_earliest_when_its_reentry_time_is_over()
    {
        // Every 10 s: it is down at 30, passes from 40 on, and so may be back from 75 on.
        Cadence cadence = Live("PFFFPPPP", Every10 with { Reentry = Seconds(35) }, out string states);

        Assert.Equal("UUUddddd", states);
        Assert.Equal(2, cadence.Streak);
        Assert.Equal(Seconds(75), cadence.NextCheck(Seconds(70), Seconds(70), TimeSpan.Zero, jitter: 0)); // on time, not at 80
        Assert.False(cadence.Take(passed: true, Seconds(74.9)));
        Assert.True(cadence.Take(passed: true, Seconds(75)));
    }

    [Fact]
    public void A_failure_begins_the_reentry_time_anew()
    {
        Check check = Every10 with { Reentry = Seconds(25) };

        Live("PFFFPPPP", check, out string steady);
        Live("PFFFPPFPPPP", check, out string broken);

        Assert.Equal("UUUddddU", steady);
        Assert.Equal("UUUdddddddU", broken);
    }

    [Fact]
    public void Nobody_waits_for_a_reentry_time_at_the_start()
    {
        Live("FFP", Every10 with { Reentry = Seconds(3600) }, out string states);

        Assert.Equal("ddU", states);
    }

    [Fact]
    public void What_changed_too_often_in_too_short_a_time_is_held_down()
    {
        // Changes at 10, 20, 30: the third within 25 s. Held until 30 + 40 = 70.
        Check nervous = Every10 with { Rise = 1, Fall = 1, FlapHold = new(Changes: 3, Window: Seconds(25), Hold: Seconds(40)) };

        Cadence cadence = Live("PFPFPPP", nervous, out string states);

        Assert.Equal("UdUdddd", states);
        Assert.True(cadence.IsFlapping);
        Assert.Equal(Seconds(70), cadence.NextCheck(Seconds(61), Seconds(61), TimeSpan.Zero, jitter: 0));
        Assert.True(cadence.Take(passed: true, Seconds(70)));
        Assert.False(cadence.IsFlapping);
    }

    [Fact]
    public void As_many_changes_in_a_longer_time_hold_nothing()
    {
        Check nervous = Every10 with { Rise = 1, Fall = 1, FlapHold = new(Changes: 3, Window: Seconds(19), Hold: Seconds(40)) };

        Live("PFPFPFP", nervous, out string states);

        Assert.Equal("UdUdUdU", states);
    }

    [Fact]
    public void Coming_up_for_the_first_time_is_no_change_that_counts()
    {
        Check nervous = Every10 with { Rise = 1, Fall = 1, FlapHold = new(Changes: 2, Window: Seconds(3600), Hold: Seconds(40)) };

        Live("FPFP", nervous, out string states);

        Assert.Equal("dUdU", states); // the way down at 20 was the first that counts
    }

    [Fact]
    public void What_is_on_its_way_up_is_asked_in_its_rhythm_and_not_when_a_hold_ends()
    {
        Cadence cadence = Live("PFFFP", Every10 with { Reentry = Seconds(1) }, out _);

        Assert.Equal(Seconds(50), cadence.NextCheck(Seconds(40), Seconds(40), TimeSpan.Zero, jitter: 0)); // it needs a second pass anyway
    }

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(0.25, 15)]
    [InlineData(0.999, 59.94)]
    public void First_checks_are_spread_over_the_warm_up(double chance, double expected) =>
        Assert.Equal(Seconds(expected), Cadence.FirstCheck(Every10 with { WarmUp = Seconds(60) }, chance));

    /// <summary>Answers every 10 s of the clock, the first at 0.</summary>
    private Cadence Live(string answers, Check check, out string states)
    {
        long start = _clock.GetTimestamp();
        Cadence cadence = new(check, wasUp: false);
        states = "";
        foreach (char answer in answers)
        {
            cadence.Take(answer == 'P', _clock.GetElapsedTime(start));
            states += cadence.IsUp ? 'U' : 'd';
            _clock.Advance(Seconds(10));
        }

        return cadence;
    }

    private static Cadence After(string answers, Check check)
    {
        Cadence cadence = new(check, wasUp: false);
        foreach (char answer in answers)
            cadence.Take(answer == 'P', Seconds(0));
        return cadence;
    }

    private string States(string answers, Check check)
    {
        Live(answers, check, out string states);
        return states;
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
