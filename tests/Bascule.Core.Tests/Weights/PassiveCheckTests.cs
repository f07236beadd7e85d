using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Core.Weights;
using Bascule.Testing;

namespace Bascule.Core.Tests.Weights;

public sealed class PassiveCheckTests
{
    private static readonly PassiveCheck Rule = new()
    {
        ConsecutiveFailures = 5,
        Outliers = null,
        Ejection = TimeSpan.FromSeconds(30),
        MaxEjection = TimeSpan.FromSeconds(100),
        MaxEjected = 50,
    };

    private readonly ManualClock _clock = new();
    private readonly HealthBoard _board;
    private readonly WeightKeeper _keeper;
    private SnapshotHolder _snapshots;

    public PassiveCheckTests()
    {
        _board = new(_clock);
        _keeper = new(_clock);
        _snapshots = Farm(4, Rule);
        Turn();
    }

    [Fact]
    public void Failures_in_a_row_over_all_workers_eject_and_a_success_between_them_does_not()
    {
        Fail(0, 4);
        Live(0).Succeeded();
        Fail(0, 4);
        Assert.Empty(Turn());

        Fail(0, 1);

        Assert.Equal(["10.0.1.0:80 Ejected: 5 failures in a row"], Turn());
        Assert.Equal((true, false, false), (Live(0).IsEjected, Live(0).IsUp, Live(1).IsEjected));
        Assert.Equal(_clock.GetUtcNow() + Rule.Ejection, Live(0).Ejection!.Until);
    }

    [Fact]
    public void A_look_that_changes_nothing_allocates_nothing()
    {
        Fail(0, 5);
        Turn();
        _keeper.Turn(_snapshots.Current);
        long before = GC.GetAllocatedBytesForCurrentThread();

        _keeper.Turn(_snapshots.Current);
        _keeper.Step(_snapshots.Current);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_run_that_ended_before_anybody_looked_counts()
    {
        Fail(0, 5);
        Live(0).Succeeded();

        Assert.Single(Turn());
    }

    [Fact]
    public void It_is_readmitted_when_its_time_is_over_and_starts_with_a_clean_slate()
    {
        Fail(0, 5);
        Turn();
        Fail(0, 20); // of connections that it still had
        _clock.Advance(Rule.Ejection - TimeSpan.FromMilliseconds(1));
        Assert.Empty(Turn());

        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(["10.0.1.0:80 Readmitted: its time is over"], Turn());
        Assert.True(Live(0).IsUp);
        Fail(0, 4);
        Assert.Empty(Turn());
    }

    [Fact]
    public void Each_ejection_is_longer_up_to_the_longest_and_shorter_again_after_a_while_without()
    {
        Assert.Equal([30, 60, 90, 100, 100], Enumerable.Range(0, 5).Select(_ => EjectAndWait()));

        _clock.Advance(Rule.Ejection * 2);
        Turn();

        Assert.Equal([60, 90], Enumerable.Range(0, 2).Select(_ => EjectAndWait()));
        _clock.Advance(Rule.Ejection * 100);
        Turn();
        Assert.Equal(30, EjectAndWait());

        double EjectAndWait()
        {
            Fail(0, 5);
            Turn();
            TimeSpan length = Live(0).Ejection!.Until - Live(0).Ejection!.Since;
            _clock.Advance(length);
            Turn();
            return length.TotalSeconds;
        }
    }

    [Theory]
    [InlineData(1, 50, 0)]
    [InlineData(2, 50, 1)]
    [InlineData(3, 50, 1)]
    [InlineData(3, 33, 0)]
    [InlineData(3, 34, 1)]
    [InlineData(10, 99, 9)]
    [InlineData(1, 100, 1)]
    [InlineData(0, 100, 0)]
    public void The_share_that_may_be_ejected_is_rounded_down(int up, int percent, int most) =>
        Assert.Equal(most, PassiveWatch.MostEjected(up, Rule with { MaxEjected = percent }));

    [Fact]
    public void No_more_than_the_share_are_ejected()
    {
        for (int i = 0; i < 4; i++)
            Fail(i, 5);
        Turn();

        Assert.Equal([true, true, false, false], Enumerable.Range(0, 4).Select(i => Live(i).IsEjected));
    }

    [Fact]
    public void When_others_go_down_who_was_ejected_first_is_given_work_again()
    {
        Fail(1, 5);
        Turn();
        _clock.Advance(TimeSpan.FromSeconds(1));
        Fail(0, 5);
        Turn();

        Live(2).State = AdministrativeState.Maintenance;
        Assert.Equal(["10.0.1.1:80 Readmitted: too few others are left"], Turn());
        Live(3).State = AdministrativeState.Maintenance;
        Assert.Empty(Turn());
        Live(1).State = AdministrativeState.Maintenance;

        Assert.Equal(["10.0.1.0:80 Readmitted: too few others are left"], Turn());
    }

    [Fact]
    public void Who_is_down_by_its_check_is_not_ejected_too()
    {
        Live(0).State = AdministrativeState.Maintenance;
        Fail(0, 5);

        Assert.Empty(Turn());
    }

    [Fact]
    public void Without_the_rule_nobody_stays_ejected()
    {
        Fail(0, 5);
        Turn();

        _snapshots.Publish(_snapshots.Current.Next(Sample.Configuration(Web(4, rule: null)), _board));

        Assert.Equal(["10.0.1.0:80 Readmitted: there is no passive check any more"], Turn());
        Assert.False(Live(0).IsEjected);
    }

    [Fact]
    public void Who_is_ejected_and_readmitted_starts_slowly()
    {
        _snapshots = new(Snapshot.First(Sample.Configuration(Web(4, Rule, slowStart: TimeSpan.FromSeconds(10))), 1, _board));
        Turn();
        Fail(0, 5);
        Turn();
        _clock.Advance(Rule.Ejection);

        Turn();

        Assert.Equal(SlowStart.Floor, Live(0).Share);
    }

    [Fact]
    public void Who_answers_much_worse_than_the_others_is_ejected()
    {
        _snapshots = Farm(5, Rule with { ConsecutiveFailures = 0, Outliers = new(TimeSpan.FromSeconds(10), MinRequests: 20, MinServers: 5, Factor: 1.9) });
        Turn();
        for (int i = 0; i < 5; i++)
            Answer(i, good: i == 2 ? 60 : 100, bad: i == 2 ? 40 : 0);

        _clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Empty(Turn());
        _clock.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(["10.0.1.2:80 Ejected: 60% of its answers were good, 92% on average"], Turn());
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(Turn()); // of an interval without requests nothing can be said
    }

    [Theory]
    [InlineData("", 100, 100, 100, 100, 100)]
    [InlineData("4", 100, 100, 100, 100, 50)]
    [InlineData("", 100, 100, 100, 50, 50)] // two of five are no outliers: they lie 1.22 deviations below
    [InlineData("", 100, 100, 100, 100, 95)] // hardly worse: 4 points below the mean
    [InlineData("4", 100, 100, 100, 100, 93)]
    [InlineData("", 50, 50, 50, 50, 50)] // all are bad: it is not they
    [InlineData("", 100, 100, 100, 50)] // four cannot be told apart by this rule
    [InlineData("6 7", 100, 100, 100, 100, 100, 100, 20, 0, 100, 100, 100, 100)]
    public void An_outlier_lies_far_below_the_mean(string expected, params int[] rates)
    {
        AnswerCount[] counts = [.. rates.Select(rate => new AnswerCount(rate, 100 - rate))];

        IEnumerable<int> found = Outliers.Find(counts, new(TimeSpan.FromSeconds(10), MinRequests: 20, MinServers: 5, Factor: 1.9), out _);

        Assert.Equal(expected, string.Join(' ', found.Order()));
    }

    [Fact]
    public void Who_has_answered_little_is_not_compared()
    {
        AnswerCount[] counts = [new(100, 0), new(100, 0), new(100, 0), new(100, 0), new(0, 19), new(100, 0)];

        Assert.Empty(Outliers.Find(counts, new(TimeSpan.FromSeconds(10), MinRequests: 20, MinServers: 5, Factor: 1.9), out double mean));
        Assert.Equal(1, mean);
    }

    [Theory]
    [InlineData(4, 1.9, false)]
    [InlineData(5, 1.9, true)]
    [InlineData(5, 2, false)]
    [InlineData(6, 2, true)]
    public void Of_few_none_can_lie_far_below(int servers, double factor, bool can) =>
        Assert.Equal(can, Outliers.CanFind(servers, new(TimeSpan.FromSeconds(10), 20, MinServers: 3, factor)));

    private static VirtualServer Web(int count, PassiveCheck? rule, TimeSpan slowStart = default) => Sample.Web with
    {
        Check = null,
        PassiveCheck = rule,
        RealServers = [.. Enumerable.Range(0, count).Select(i => new RealServer(new(new IPAddress([10, 0, 1, (byte)i]), 80), 10) { SlowStart = slowStart })],
    };

    private SnapshotHolder Farm(int count, PassiveCheck rule) => new(Snapshot.First(Sample.Configuration(Web(count, rule)), 1, _board));

    private LiveRealServer Live(int index) => _snapshots.Current.VirtualServers[0].RealServers[index];

    private void Fail(int index, int times)
    {
        for (int i = 0; i < times; i++)
            Live(index).Failed();
    }

    private void Answer(int index, long good, long bad)
    {
        Live(index).Counters[0].GoodAnswers += good;
        Live(index).Counters[0].BadAnswers += bad;
    }

    private string[] Turn() => [.. _keeper.Turn(_snapshots.Current).Changes.Select(c => $"{c.RealServer?.Address} {c.Kind}: {c.Why}")];
}
