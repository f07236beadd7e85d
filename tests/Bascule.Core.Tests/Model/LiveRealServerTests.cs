using Bascule.Core.Health;
using Bascule.Core.Model;

namespace Bascule.Core.Tests.Model;

public sealed class LiveRealServerTests
{
    private readonly LiveRealServer _realServer = new(new(Sample.One, 1), health: null, workers: 3);

    [Fact]
    public void An_active_connection_weighs_257_and_an_idle_one_1()
    {
        _realServer.Opened();
        _realServer.Opened();
        _realServer.Opened();
        _realServer.BeginActive();

        Assert.Equal((1, 2, 3), (_realServer.ActiveConnections, _realServer.InactiveConnections, _realServer.Connections));
        Assert.Equal(257 + 2, _realServer.Overhead);
    }

    [Fact]
    public void Work_counts_before_its_connection_is_open()
    {
        _realServer.BeginActive();

        Assert.Equal(257, _realServer.Overhead);
        Assert.Equal(0, _realServer.InactiveConnections);
    }

    [Fact]
    public void Is_as_before_when_all_has_finished()
    {
        _realServer.Opened();
        _realServer.BeginActive();
        _realServer.EndActive();
        _realServer.Closed();

        Assert.Equal((0, 0, 0L), (_realServer.ActiveConnections, _realServer.Connections, _realServer.Overhead));
    }

    [Fact]
    public void Every_worker_has_counters_of_its_own() => Assert.Equal(3, _realServer.Counters.Distinct().Count());

    [Fact]
    public void Stops_at_the_upper_threshold_and_goes_on_below_the_lower()
    {
        _realServer.Thresholds = new(Upper: 4, Lower: 3);

        Assert.Equal("yes yes yes no", Takes(+1, +1, +1, +1));
        Assert.Equal("no yes yes no", Takes(-1, -1, +1, +1)); // 3 is not below 3
    }

    [Fact]
    public void Thresholds_that_change_hold_at_once_for_the_connections_there_are()
    {
        Takes(+1, +1, +1);

        _realServer.Thresholds = new(Upper: 3, Lower: 2);
        Assert.False(_realServer.TakesConnections);

        _realServer.Thresholds = new(Upper: 5, Lower: 4);
        Assert.True(_realServer.TakesConnections);

        _realServer.Thresholds = new(Upper: 2, Lower: 1);
        _realServer.Thresholds = null;
        Assert.True(_realServer.TakesConnections);
    }

    [Fact]
    public void From_many_threads_at_once_it_ends_as_open_as_it_began()
    {
        _realServer.Thresholds = new(Upper: 2, Lower: 1);
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                _realServer.BeginActive();
                _realServer.EndActive();
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();

        Assert.True(_realServer.TakesConnections);
    }

    [Fact]
    public void Remembers_the_last_weight_above_0()
    {
        _realServer.ConfiguredWeight = 5;
        _realServer.ConfiguredWeight = 0;

        Assert.Equal((0, 5), (_realServer.Weight, _realServer.LastWeight));
    }

    [Fact]
    public void Weight_0_takes_no_connections()
    {
        Assert.True(_realServer.TakesConnections);

        _realServer.ConfiguredWeight = 0;

        Assert.False(_realServer.TakesConnections);
    }

    private string Takes(params int[] changes) => string.Join(' ', changes.Select(change =>
    {
        if (change > 0)
            _realServer.BeginActive();
        else
            _realServer.EndActive();
        return _realServer.TakesConnections ? "yes" : "no";
    }));

    [Theory]
    [InlineData(10, AdministrativeState.Enabled, null, false, LiveRealServer.WholeShare, 10)]
    [InlineData(10, AdministrativeState.Enabled, null, false, 2_500, 2)]
    [InlineData(10, AdministrativeState.Enabled, null, false, 1, 1)] // however slow its start, it takes part
    [InlineData(10, AdministrativeState.Enabled, 50, true, LiveRealServer.WholeShare, 5)]
    [InlineData(10, AdministrativeState.Enabled, 1, true, LiveRealServer.WholeShare, 1)]
    [InlineData(10, AdministrativeState.Enabled, 0, true, LiveRealServer.WholeShare, 0)]
    [InlineData(10, AdministrativeState.Enabled, 200, false, LiveRealServer.WholeShare, 200)]
    [InlineData(10, AdministrativeState.Enabled, 200, false, 5_000, 100)]
    [InlineData(60_000, AdministrativeState.Enabled, 1000, true, LiveRealServer.WholeShare, 65_535)]
    [InlineData(0, AdministrativeState.Enabled, 200, false, LiveRealServer.WholeShare, 0)] // who was quiesced stays so, whatever it says itself
    [InlineData(10, AdministrativeState.Drain, 100, true, LiveRealServer.WholeShare, 0)]
    [InlineData(10, AdministrativeState.Maintenance, null, false, LiveRealServer.WholeShare, 0)]
    public void Its_weight_is_made_of_the_configured_one_its_state_its_advice_and_its_share(
        int configured, AdministrativeState state, int? advice, bool isPercent, int share, int expected) =>
        Assert.Equal(expected, LiveRealServer.EffectiveWeight(configured, state, advice is { } value ? new(value, isPercent) : null, share));

    [Theory]
    [InlineData(AdministrativeState.Enabled, null, AdministrativeState.Enabled)]
    [InlineData(AdministrativeState.Enabled, AdministrativeState.Enabled, AdministrativeState.Enabled)]
    [InlineData(AdministrativeState.Enabled, AdministrativeState.Drain, AdministrativeState.Drain)]
    [InlineData(AdministrativeState.Enabled, AdministrativeState.Maintenance, AdministrativeState.Maintenance)]
    [InlineData(AdministrativeState.Drain, null, AdministrativeState.Drain)]
    [InlineData(AdministrativeState.Drain, AdministrativeState.Enabled, AdministrativeState.Drain)] // an agent that is ready does not end a drain
    [InlineData(AdministrativeState.Drain, AdministrativeState.Drain, AdministrativeState.Drain)]
    [InlineData(AdministrativeState.Drain, AdministrativeState.Maintenance, AdministrativeState.Maintenance)]
    [InlineData(AdministrativeState.Maintenance, null, AdministrativeState.Maintenance)]
    [InlineData(AdministrativeState.Maintenance, AdministrativeState.Enabled, AdministrativeState.Maintenance)]
    [InlineData(AdministrativeState.Maintenance, AdministrativeState.Drain, AdministrativeState.Maintenance)]
    [InlineData(AdministrativeState.Maintenance, AdministrativeState.Maintenance, AdministrativeState.Maintenance)]
    public void Of_what_the_operator_and_its_check_say_the_stricter_counts(AdministrativeState said, AdministrativeState? wish, AdministrativeState counts)
    {
        (LiveRealServer live, HealthRecord health) = Checked();
        live.State = said;

        health.Apply(new(Passed: true, "agent", TimeSpan.Zero) { Wish = wish }, DateTimeOffset.UnixEpoch);
        live.Reweigh();

        Assert.Equal(counts, live.EffectiveState);
        Assert.Equal((counts != AdministrativeState.Maintenance, counts == AdministrativeState.Enabled ? 10 : 0), (live.IsUp, live.Weight));
    }

    [Fact]
    public void However_threads_meet_its_weight_is_that_of_what_they_said_last()
    {
        (LiveRealServer live, HealthRecord health) = Checked();
        using Barrier round = new(4);
        Action<int>[] parts =
        [
            i => live.Share = i % 2 == 0 ? LiveRealServer.WholeShare : LiveRealServer.WholeShare / 2,
            i => live.ConfiguredWeight = 100 + (i % 7),
            i => live.State = i % 3 == 0 ? AdministrativeState.Drain : AdministrativeState.Enabled,
            i =>
            {
                health.Apply(new(Passed: true, "agent", TimeSpan.Zero) { Weight = new(50 + (i % 5), IsPercent: true) }, DateTimeOffset.UnixEpoch);
                live.Reweigh();
                live.TakesConnections.ToString(); // a choice meanwhile
            },
        ];
        List<string> stale = [];
        Thread[] threads = [.. parts.Select((part, number) => new Thread(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                round.SignalAndWait();
                part(i);
                round.SignalAndWait();
                int expected = LiveRealServer.EffectiveWeight(live.ConfiguredWeight, live.State, health.Last!.Weight, live.Share);
                if (number == 0 && live.Weight != expected)
                    stale.Add($"round {i}: {live.Weight} instead of {expected}");
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();

        Assert.Empty(stale);
    }

    private static (LiveRealServer, HealthRecord) Checked()
    {
        HealthRecord health = new(new AgentCheck { Question = null }, Sample.One, DateTimeOffset.UnixEpoch);
        return (new(new(Sample.One, 10), health, workers: 1), health);
    }

    [Fact]
    public void In_maintenance_or_ejected_it_is_not_up_and_draining_it_is()
    {
        _realServer.State = AdministrativeState.Maintenance;
        Assert.False(_realServer.IsUp);

        _realServer.State = AdministrativeState.Drain;
        Assert.Equal((true, 0, false), (_realServer.IsUp, _realServer.Weight, _realServer.TakesConnections));

        _realServer.State = AdministrativeState.Enabled;
        _realServer.Ejection = new("5 failures in a row", DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        Assert.Equal((false, 1), (_realServer.IsUp, _realServer.Weight));
    }
}
