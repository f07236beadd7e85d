using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>Which datagram goes where, and what comes back, over real sockets.</summary>
public sealed class UdpSessionTests : IDisposable
{
    private readonly FakeDatagramServer _alpha = FakeDatagramServer.Named("alpha ");
    private readonly FakeDatagramServer _beta = FakeDatagramServer.Named("beta ");

    public void Dispose()
    {
        _alpha.Dispose();
        _beta.Dispose();
    }

    [Fact]
    public async Task All_datagrams_of_a_client_go_to_one_real_server_and_the_next_client_to_the_next()
    {
        await using Director director = Director.Start(Both());
        using Socket one = UdpClients.Connect(director.Address), two = UdpClients.Connect(director.Address);

        Assert.Equal(["alpha 1", "beta 1", "alpha 2", "alpha ", "beta 2"],
            [await one.AskAsync("1"), await two.AskAsync("1"), await one.AskAsync("2"), await one.AskAsync(""), await two.AskAsync("2")]);

        Assert.Equal((1, 1), (director.RealServer(0).ActiveConnections, director.RealServer(1).ActiveConnections));
        RealServerCounters counted = director.RealServer(0).Counters[0];
        Assert.Equal((1, 3, 3), (counted.Connections, counted.PacketsIn, counted.PacketsOut));
        Assert.Equal((2, 20), (counted.BytesIn, counted.BytesOut));
        Assert.Equal((2, 2), (director.VirtualServer.Counters[0].Connections, director.VirtualServer.Counters[0].OpenConnections));
    }

    private VirtualServer Both() => Director.Udp(_alpha.Address, _beta.Address);
}
