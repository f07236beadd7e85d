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
    public void Weight_0_takes_no_connections()
    {
        Assert.True(_realServer.TakesConnections);

        _realServer.Weight = 0;

        Assert.False(_realServer.TakesConnections);
    }
}
