using System.Net;
using System.Net.NetworkInformation;
using Bascule.Linux;
using Bascule.Linux.Netlink;

namespace Bascule.Kernel.Tests;

/// <summary>Netlink in a namespace of the test's own: two interfaces on one cable, near is ours, far the neighbour's.</summary>
public sealed class NetworkTests
{
    private static readonly IPAddress Gateway = IPAddress.Parse("192.0.2.1");

    [KernelFact]
    public void Finds_the_way_and_its_mtu()
    {
        using TestNetwork network = Cable();
        network.IpInside("route add 198.51.100.0/24 via 192.0.2.1 mtu 1400");

        (NetworkRoute? route, NetworkLink a) = network.Run(() =>
        {
            using Network here = new();
            return (here.FindRoute(IPAddress.Parse("198.51.100.7"), out _), here.FindLink("near")!);
        });

        Assert.Equal(new(RouteKind.Unicast, a.Index, Gateway, IPAddress.Parse("192.0.2.10"), 1400), route);
        Assert.Equal(PhysicalAddress.Parse("02-00-00-00-00-0A"), a.Mac);
        Assert.True(a is { IsUp: true, HasCarrier: true, Mtu: 1500 });
    }

    [KernelFact]
    public void No_way_is_an_answer()
    {
        using TestNetwork network = Cable();

        Errno error = network.Run(() =>
        {
            using Network here = new();
            Assert.Null(here.FindRoute(IPAddress.Parse("203.0.113.1"), out Errno why));
            return why;
        });

        Assert.Equal(Errno.NetworkUnreachable, error);
    }

    [KernelFact]
    public void A_neighbour_that_is_asked_for_is_heard_of()
    {
        using TestNetwork network = Cable();

        Neighbour found = network.Run(() =>
        {
            using Network here = new();
            using NetworkWatch watch = new();
            int a = here.FindLink("near")!.Index;
            Assert.Equal(Errno.None, here.Resolve(a, Gateway));

            // Nobody has the address, so that the kernel gives up after a few seconds: what is awaited is that it asks.
            Neighbour? heard = null;
            for (int i = 0; i < 100 && heard is null; i++)
                heard = watch.Read(TimeSpan.FromMilliseconds(100)).Select(change => change.Neighbour).FirstOrDefault(neighbour => neighbour?.Address.Equals(Gateway) == true)
                    ?? here.FindNeighbour(a, Gateway);
            return heard!;
        });

        Assert.NotNull(found);
        Assert.False(found.IsUsable);
    }

    [KernelFact]
    public void Hears_of_a_neighbour_and_of_its_end()
    {
        using TestNetwork network = Cable();

        network.Run(() =>
        {
            using NetworkWatch watch = new();
            network.IpInside("neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev near");
            Neighbour came = Next(watch, change => change.Neighbour);
            network.IpInside("neighbour delete 192.0.2.1 dev near");

            Assert.Equal(PhysicalAddress.Parse("02-00-00-00-00-01"), came.Mac);
            Assert.True(came.IsUsable);
            NetworkEvent gone = Next(watch, change => change.Neighbour is { IsUsable: false } || change.IsGone ? change : null);
            Assert.Equal(Gateway, gone.Neighbour!.Address);
            return 0;
        });
    }

    [KernelFact]
    public void Adds_and_removes_an_address_of_either_family()
    {
        using TestNetwork network = Cable();

        network.Run(() =>
        {
            using Network here = new();
            int a = here.FindLink("near")!.Index;
            foreach (NetworkAddress address in new NetworkAddress[] { new(a, IPAddress.Parse("203.0.113.5"), 32), new(a, IPAddress.Parse("2001:db8::5"), 128) })
            {
                Assert.Equal(Errno.None, here.AddAddress(address));
                Assert.Equal(Errno.Exists, here.AddAddress(address));
                Assert.Contains(address, here.Addresses());
                Assert.Equal(Errno.None, here.RemoveAddress(address));
                Assert.DoesNotContain(address, here.Addresses());
                Assert.Equal(Errno.AddressNotAvailable, here.RemoveAddress(address));
            }

            return 0;
        });
    }

    private static T Next<T>(NetworkWatch watch, Func<NetworkEvent, T?> pick)
        where T : class
    {
        for (int i = 0; i < 100; i++)
        {
            if (watch.Read(TimeSpan.FromMilliseconds(100)).Select(pick).FirstOrDefault(picked => picked is not null) is { } found)
                return found;
        }

        throw new TimeoutException("the change was not heard of");
    }

    private static TestNetwork Cable()
    {
        TestNetwork network = new(
            "link add near address 02:00:00:00:00:0a type veth peer name far",
            "address add 192.0.2.10/24 dev near",
            "link set near up",
            "link set far up");
        return network;
    }
}
