using System.Diagnostics;
using System.Net;
using Bascule.Core.Model;
using Bascule.Vrrp.Addresses;

namespace Bascule.Kernel.Tests.Failover;

/// <summary>Gratuitous ARP and unsolicited Neighbor Advertisements, as a real neighbour and tcpdump understand them.</summary>
public sealed class AnnouncerTests
{
    private static readonly VirtualAddress Ipv4 = new(IPAddress.Parse("192.0.2.10"), 24), Ipv6 = new(IPAddress.Parse("2001:db8::10"), 64);

    [KernelTheory]
    [InlineData("192.0.2.10", false)]
    [InlineData("192.0.2.10", true)]
    [InlineData("2001:db8::10", false)]
    public void A_neighbour_that_knows_another_mac_reaches_the_new_one_after_the_announcement(string address, bool asReply)
    {
        using Lan lan = new();
        lan.Client.IpInside($"neighbour replace {address} lladdr {Lan.ThirdMac} dev eth0 nud reachable");
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance(Ipv4, Ipv6 with { IsExcluded = true }) with { Lease = null });
            using Announcer announcer = new(keeper, new(Repeat: 2, TimeSpan.Zero, TimeSpan.Zero));
            keeper.Start();
            keeper.Take(TimeSpan.Zero);
            using Process before = lan.Client.Start("ping", "-c", "1", "-W", "1", address);
            before.WaitForExit();
            Assert.Equal(1, before.ExitCode);

            announcer.Announce(TimeSpan.Zero); // the first round asks, the second one answers
            if (asReply)
            {
                lan.Client.IpInside($"neighbour replace {address} lladdr {Lan.ThirdMac} dev eth0 nud stale");
                announcer.Tick(announcer.Due);
            }

            Assert.Contains("1 received", lan.Client.Ask("ping", "-c", "1", "-W", "1", address), StringComparison.Ordinal);
            Assert.Contains(Lan.DirectorMac, lan.Client.Ask("ip", "neighbour", "show", address), StringComparison.Ordinal);
        });
    }

    [KernelFact]
    public void Tcpdump_reads_the_announcements_and_the_probes_without_complaint()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            HaInstance instance = Lan.Instance(Ipv4, Ipv6 with { IsExcluded = true }) with { ConflictProbe = TimeSpan.FromSeconds(1) };
            using AddressKeeper keeper = new(instance);
            using Announcer announcer = new(keeper, new(Repeat: 2, TimeSpan.Zero, TimeSpan.Zero));
            using ConflictProbe probe = new(instance, keeper);
            keeper.Start();
            keeper.Take(TimeSpan.Zero);
            using Sniffer sniffer = new(lan.Client, $"ether src {Lan.DirectorMac} and (arp or (icmp6 and (ip6[40] == 135 or ip6[40] == 136)))");

            announcer.Announce(TimeSpan.Zero);
            announcer.Tick(announcer.Due);
            probe.Begin(TimeSpan.Zero, []);
            probe.Tick(probe.Due);

            string[] packets = sniffer.Packets(6);
            const string NeighbourAdvertisement = $"{Lan.DirectorMac} > 33:33:00:00:00:01, ethertype IPv6 (0x86dd), length 86: (hlim 255, next-header ICMPv6 (58) payload length: 32) "
                + "2001:db8::10 > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is 2001:db8::10, Flags [override]";
            Assert.Equal($"{Lan.DirectorMac} > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Ethernet (len 6), IPv4 (len 4), "
                + "Request who-has 192.0.2.10 tell 192.0.2.10, length 28", packets[0]);
            Assert.StartsWith(NeighbourAdvertisement, packets[1], StringComparison.Ordinal);
            Assert.Contains($"destination link-address option (2), length 8 (1): {Lan.DirectorMac}", packets[1], StringComparison.Ordinal);
            Assert.EndsWith($"Reply 192.0.2.10 is-at {Lan.DirectorMac}, length 28", packets[2], StringComparison.Ordinal);
            Assert.StartsWith(NeighbourAdvertisement, packets[3], StringComparison.Ordinal);
            Assert.EndsWith("Request who-has 192.0.2.10 tell 0.0.0.0, length 28", packets[4], StringComparison.Ordinal);
            Assert.EndsWith(":: > ff02::1:ff00:10: [icmp6 sum ok] ICMP6, neighbor solicitation, length 24, who has 2001:db8::10", packets[5], StringComparison.Ordinal);
            Assert.Equal((4L, 0L), (announcer.Sent, announcer.Unsent));
        });
    }

    [KernelFact]
    public void Announces_nothing_on_an_interface_that_is_down_and_counts_it()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance(Ipv4));
            using Announcer announcer = new(keeper, new(Repeat: 1, TimeSpan.Zero, TimeSpan.Zero));
            keeper.Start();
            lan.Director.IpInside("link set eth0 down");

            announcer.Announce(TimeSpan.Zero);

            Assert.Equal((0L, 1L), (announcer.Sent, announcer.Unsent));
        });
    }
}
