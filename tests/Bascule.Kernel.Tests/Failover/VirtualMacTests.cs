using System.Net;
using Bascule.Core.Model;
using Bascule.Linux.Netlink;
using Bascule.Linux.Sockets;
using Bascule.Vrrp;
using Bascule.Vrrp.Addresses;

namespace Bascule.Kernel.Tests.Failover;

/// <summary>The virtual MAC of RFC 9568 §7.3 on a macvlan.</summary>
public sealed class VirtualMacTests
{
    private const string Mac4 = "00:00:5e:00:01:33", Mac6 = "00:00:5e:00:02:33"; // virtual router 51

    [KernelTheory]
    [InlineData("192.0.2.10", 24, Mac4, "vrrp.51.4")]
    [InlineData("2001:db8::10", 64, Mac6, "vrrp.51.6")]
    public void Neighbours_reach_the_address_by_the_virtual_mac_alone(string address, int prefixLength, string mac, string link)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Instance(address, prefixLength));
            Assert.Empty(keeper.Start());
            Assert.Contains("state DOWN", lan.Director.Ask("ip", "link", "show", link), StringComparison.Ordinal);

            Assert.Empty(keeper.Take(TimeSpan.Zero));

            string shown = lan.Director.Ask("ip", "-d", "address", "show", link);
            Assert.Contains("alias bascule", shown, StringComparison.Ordinal);
            Assert.Contains("macvlan mode bridge", shown, StringComparison.Ordinal);
            Assert.Contains($"{address}/{prefixLength}", shown, StringComparison.Ordinal);
            Assert.DoesNotContain("fe80", shown, StringComparison.Ordinal);
            Assert.Contains("3 received", lan.Client.Ask("ping", "-c", "3", "-i", "0.1", "-W", "1", address), StringComparison.Ordinal);
            Assert.Contains($"lladdr {mac}", lan.Client.Ask("ip", "neighbour", "show", address), StringComparison.Ordinal);

            Assert.Empty(keeper.Drop());
            Assert.Contains("state DOWN", lan.Director.Ask("ip", "link", "show", link), StringComparison.Ordinal);
        });
        Assert.DoesNotContain(link, lan.Director.Ask("ip", "link"), StringComparison.Ordinal);
    }

    [KernelFact]
    public void Settings_of_the_parent_are_set_back_at_the_end()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            AddressKeeper keeper = new(Instance("192.0.2.10", 24));
            keeper.Start();
            Assert.Equal("1", lan.Director.Ask("cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore").Trim());

            keeper.Dispose();

            Assert.Equal("0", lan.Director.Ask("cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore").Trim());
        });
    }

    [KernelFact]
    public void The_switch_sends_frames_to_where_the_last_announcement_came_from()
    {
        using Lan lan = new();
        using TestNetwork third = lan.Plug("port-c", Lan.ThirdMac, 3);

        Announce(lan.Director);
        Assert.Contains($"{Mac4} dev port-a", lan.Switch.Ask("bridge", "fdb", "show"), StringComparison.Ordinal);
        Announce(third);

        Assert.Contains($"{Mac4} dev port-c", lan.Switch.Ask("bridge", "fdb", "show"), StringComparison.Ordinal);
    }

    [KernelFact]
    public void An_advertisement_from_the_virtual_mac_moves_the_switch_and_tcpdump_reads_it()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Network network = new();
            using PacketSocket socket = new();
            using Sniffer sniffer = new(lan.Client, "ip proto 112 or ip6 proto 112");
            int link = network.FindLink("eth0")!.Index;

            Send("192.0.2.1", "224.0.0.18", "192.0.2.10", false);
            Send("fe80::1", "ff02::12", "2001:db8::10", true);

            string[] packets = sniffer.Packets(2);
            Assert.StartsWith($"{Mac4} > 01:00:5e:00:00:12, ethertype IPv4 (0x0800), length 46: (tos 0xc0, ttl 255, id 0, offset 0, flags [DF], proto VRRP (112), length 32)", packets[0], StringComparison.Ordinal);
            Assert.EndsWith("192.0.2.1 > 224.0.0.18: VRRPv3, Advertisement, vrid 51, prio 100, intvl 10cs, length 12, addrs: 192.0.2.10", packets[0], StringComparison.Ordinal);
            Assert.StartsWith($"{Mac6} > 33:33:00:00:00:12, ethertype IPv6 (0x86dd), length 78: (class 0xc0, hlim 255, next-header VRRP (112) payload length: 24)", packets[1], StringComparison.Ordinal);
            Assert.EndsWith("vrid 51, prio 100, intvl 10cs, length 24, addrs: 2001:db8::10", packets[1], StringComparison.Ordinal);
            Assert.DoesNotContain(packets, packet => packet.Contains("bad", StringComparison.Ordinal));
            Assert.Contains($"{Mac4} dev port-a", lan.Switch.Ask("bridge", "fdb", "show"), StringComparison.Ordinal);

            void Send(string from, string to, string address, bool isIpv6)
            {
                IPAddress source = IPAddress.Parse(from), group = IPAddress.Parse(to);
                byte[] message = new byte[AdvertisementCodec.MaxLength], frame = new byte[AdvertisementCodec.MaxLength + VirtualMacFrame.MaxOverhead];
                int length = AdvertisementCodec.Encode(new(VrrpVersion.V3, 51, 100, TimeSpan.FromMilliseconds(100)), [IPAddress.Parse(address)], source, group, ChecksumForm.PseudoHeader, [], message);
                length = VirtualMacFrame.Write(VirtualMac.Of(51, isIpv6).GetAddressBytes(), source.GetAddressBytes(), group.GetAddressBytes(), message.AsSpan(0, length), frame);
                socket.Send(link, frame.AsSpan(0, length));
            }
        });
    }

    [KernelFact]
    public void An_interface_and_all_that_bears_our_mark_is_removed_by_the_next_life()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            HaInstance instance = Instance("192.0.2.10", 24) with { Lease = null, Routes = [new(IPNetwork.Parse("198.51.100.0/24"), IPAddress.Parse("192.0.2.99"), null, null, 254, 0)] };
            AddressKeeper former = new(instance); // not disposed of, as if it had been killed
            former.Start();
            former.Take(TimeSpan.Zero);
            lan.Director.IpInside("route add 203.0.113.0/24 via 192.0.2.99 proto bgp");
            using Network network = new();

            string[] said = [.. Leftovers.Remove(network)];

            Assert.Equal("""
                address 192.0.2.10/24 on vrrp.51.4 was left by a former life and is removed
                interface vrrp.51.4 was left by a former life and is removed
                1 routes and rules were left by a former life and are removed
                """, string.Join('\n', said));
            Assert.DoesNotContain("vrrp", lan.Director.Ask("ip", "address"), StringComparison.Ordinal);
            Assert.DoesNotContain("proto 181", lan.Director.Ask("ip", "route"), StringComparison.Ordinal);
            Assert.Contains("203.0.113.0/24", lan.Director.Ask("ip", "route"), StringComparison.Ordinal);
        });
    }

    private static HaInstance Instance(string address, int prefixLength) => Lan.Instance(new VirtualAddress(IPAddress.Parse(address), prefixLength)) with { VirtualMac = true };

    private static void Announce(TestNetwork director) => director.Run(() =>
    {
        using AddressKeeper keeper = new(Instance("192.0.2.10", 24));
        using Announcer announcer = new(keeper, new(1, TimeSpan.Zero, TimeSpan.Zero));
        keeper.Start();
        keeper.Take(TimeSpan.Zero);
        announcer.Announce(TimeSpan.Zero);
        return announcer.Sent;
    });
}
