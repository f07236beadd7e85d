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
        _realServer.Weight = 5;
        _realServer.Weight = 0;

        Assert.Equal((0, 5), (_realServer.Weight, _realServer.LastWeight));
    }

    [Fact]
    public void Weight_0_takes_no_connections()
    {
        Assert.True(_realServer.TakesConnections);

        _realServer.Weight = 0;

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
}
