using System.Net;
using Bascule.Linux.Netlink;

namespace Bascule.Linux.Tests.Netlink;

/// <summary>Asks the kernel about the loopback interface, which is everywhere and needs no privilege.</summary>
public sealed class NetworkTests : IDisposable
{
    private readonly Network _network = new();

    public void Dispose() => _network.Dispose();

    [Fact]
    public void Finds_the_loopback_interface()
    {
        NetworkLink loopback = Assert.Single(_network.Links(), link => link.IsLoopback);

        Assert.Equal("lo", loopback.Name);
        Assert.True(loopback.IsUp);
        Assert.InRange(loopback.Mtu, 1280, 65536);
        Assert.Equal(loopback, _network.FindLink("lo"));
    }

    [Fact]
    public void Knows_no_interface_that_is_not_there() => Assert.Null(_network.FindLink("no-such-link"));

    [Fact]
    public void Finds_the_loopback_address()
    {
        int index = _network.FindLink("lo")!.Index;

        Assert.Contains(new NetworkAddress(index, IPAddress.Loopback, 8), _network.Addresses());
    }

    [Fact]
    public void A_packet_to_an_address_of_ours_stays_here()
    {
        NetworkRoute? route = _network.FindRoute(IPAddress.Loopback, out Errno error);

        Assert.Equal(Errno.None, error);
        Assert.Equal(new(RouteKind.Local, _network.FindLink("lo")!.Index, null, IPAddress.Loopback, 0), route);
    }

    [Fact]
    public void An_interface_that_is_not_there_has_no_neighbours() => Assert.Null(_network.FindNeighbour(int.MaxValue, IPAddress.Loopback));

    [Fact]
    public void A_watch_that_nothing_happens_to_returns_nothing()
    {
        using NetworkWatch watch = new();

        Assert.DoesNotContain(watch.Read(TimeSpan.Zero), change => change.IsOverrun);
    }
}
