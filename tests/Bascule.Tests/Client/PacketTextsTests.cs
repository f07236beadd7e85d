using System.Collections.Immutable;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Frames;
using Bascule.Core.Model;

namespace Bascule.Tests.Client;

/// <summary>What people read about the datapath.</summary>
public sealed class PacketTextsTests
{
    internal static Explanation Sent => new()
    {
        Packet = "tcp 198.51.100.7:4242 > 192.0.2.10:80 [syn]",
        VirtualServer = "web",
        RealServer = "10.0.0.12:80",
        Forwarding = "dr",
        Scheduler = "mh",
        Reason = ChoiceReason.Table,
        Hash = 0xBEEF,
        Slot = 1234,
        Verdict = PacketVerdict.Sent,
        Drop = DropReason.None,
        Interface = "eth1",
        Frame = FrameBuilder.Build(PacketText.Parse("tcp 198.51.100.7:4242 > 192.0.2.10:80", null, out _)!, [2, 0, 0, 0, 0, 12], [2, 0, 0, 0, 0, 1]),
    };

    [Fact]
    public void Explains_which_real_server_why_and_where_the_frame_goes() => Assert.Equal("""
        tcp 198.51.100.7:4242 > 192.0.2.10:80 [syn]
          virtual server  web, scheduler mh
          real server     10.0.0.12:80 by dr: it has the flow's slot of the mh table, and has had it all along, so nothing is recorded
          hash            0000beef, slot 1234
          the packet      leaves by eth1 as
                          Ethernet 02:00:00:00:00:01 > 02:00:00:00:00:0c
                          IPv4 198.51.100.7 > 192.0.2.10 ttl 63
                          TCP 4242 > 80 [syn]

        """, Written(Sent));

    [Fact]
    public void Explains_a_packet_that_is_dropped_and_one_that_is_not_for_us()
    {
        Explanation none = Sent with { RealServer = null, Forwarding = null, Reason = ChoiceReason.None, Hash = null, Slot = null, Interface = null, Frame = null };

        Assert.Equal("""
            tcp 198.51.100.7:4242 > 192.0.2.10:80 [syn]
              virtual server  web, scheduler mh
              real server     none
              the packet      is dropped: from clients that `deny` holds or `allow` does not

            """, Written(none with { Verdict = PacketVerdict.Dropped, Drop = DropReason.Denied }));
        Assert.Equal("""
            tcp 198.51.100.7:4242 > 192.0.2.10:80 [syn]
              virtual server  none
              the packet      goes up to the director's own stack, unchanged

            """, Written(none with { VirtualServer = null, Scheduler = null, Verdict = PacketVerdict.ToStack }));
    }

    [Fact]
    public void Every_reason_has_words()
    {
        Assert.All(Enum.GetValues<DropReason>(), r => Assert.NotEmpty(PacketWords.Of(r)));
        Assert.All(Enum.GetValues<ChoiceReason>(), r => Assert.NotEmpty(PacketWords.Of(r, "mh")));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1 kB")]
    [InlineData(1_550_000, "1.6 MB")]
    [InlineData(20_300_000_000, "20.3 GB")]
    [InlineData(9e18, "9 EB")]
    public void Bytes_have_a_unit_that_fits(double bytes, string text) => Assert.Equal(text, StatusText.Bytes(bytes));

    [Fact]
    public void The_status_says_where_the_datapath_is_attached_and_what_it_dropped()
    {
        using StringWriter to = new() { NewLine = "\n" };
        new StatusText(to, colours: false).Write(StatusTextTests.Status with
        {
            Packets = new()
            {
                Interfaces =
                [
                    new() { Name = "eth0", Attached = AttachMode.Generic, Why = "the driver e1000 has no XDP" },
                    new() { Name = "eth1", Attached = null, Why = "there is no such interface" },
                ],
                Flows = 12,
                FlowsAtMost = 1024,
                Drops = ImmutableSortedDictionary<DropReason, long>.Empty.Add(DropReason.NoNeighbour, 1).Add(DropReason.Denied, 5),
                StateFolder = "/sys/fs/bpf/bascule",
            },
            VirtualServers =
            [
                StatusTextTests.Web with
                {
                    Protocol = VirtualServerProtocol.Tcp, Scheduler = "mh", Forwarding = "dr", OpenConnections = 3, Traffic = new(9, 100, 64_000, 0, 0), Rate = new(1, 20, 1280, 0, 0),
                    Outcomes = ImmutableSortedDictionary<ForwardOutcome, long>.Empty,
                    RealServers = [StatusTextTests.RealServer("10.0.0.11:80") with { Forwarding = "tun ipip", ActiveConnections = 3, Trouble = "no route to 10.0.0.11" }],
                },
            ],
        });

        Assert.Equal("""
            Bascule 1.2.3, process 4711, up 2h 3m, 2 workers, /etc/bascule/bascule.yaml (snapshot 7)
            Datapath on eth0: generic XDP (the driver e1000 has no XDP)
            Datapath on eth1: not attached (there is no such interface)
            Flows recorded: 12 (at most 1024 of each address family)
            Dropped 1 packet: the MAC address of the next hop is not known
            Dropped 5 packets: from clients that `deny` holds or `allow` does not

            Prot LocalAddress:Port Scheduler
              -> RemoteAddress:Port Forward  Weight ActiveConn InActConn State    Why
            TCP  192.0.2.10:80 mh  web: 3 active, 9 connections, 100 packets, 64 kB so far; now 20 packets, 1 new and 1.3 kB a second
              -> 10.0.0.11:80       tun ipip 1      3          0         up       no route to 10.0.0.11; not checked

            """, to.ToString());
    }

    private static string Written(Explanation answer)
    {
        using StringWriter to = new() { NewLine = "\n" };
        ExplanationText.Write(to, answer);
        return to.ToString();
    }
}
