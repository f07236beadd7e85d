using System.Buffers.Binary;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Forwarding;

/// <summary>bpf/parse.h: what is read, and what is left alone.</summary>
public sealed class ParseTests
{
    private static readonly (string What, byte[] Frame)[] Readable =
    [
        ("options", Framed(PacketBuilder.Ip.Ipv4(Web.Client4, Web.Virtual4, options: [1, 1, 1]).Tcp(Web.ClientPort, 80))),
        ("as many options as fit", Framed(PacketBuilder.Ip.Ipv4(Web.Client4, Web.Virtual4, options: new byte[40]).Udp(Web.ClientPort, 53))),
        ("hop by hop", Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Extension(0).Tcp(Web.ClientPort, 80))),
        ("a long one", Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Extension(60, 264).Tcp(Web.ClientPort, 80))),
        ("a routing header that is done", Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Extension(43).Udp(Web.ClientPort, 53))),
        ("five in a row", Framed(Extended(5).Tcp(Web.ClientPort, 80))),
    ];

    [KernelFact]
    public void Options_and_extension_headers_are_skipped_and_kept()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr));

        foreach ((string what, byte[] frame) in Readable)
        {
            Sent sent = datapath.Send(frame);

            Assert.True(sent.Verdict == Verdict.Transmit, $"{what}: {sent}");
            Assert.Equal(frame[12..], sent.Frame[12..]);
        }
    }

    private static readonly (string What, byte[] Frame)[] NotOurs =
    [
        ("not IP", PacketBuilder.Ethernet(type: 0x0806).PayloadOf(46).Frame()),
        ("three VLAN tags", PacketBuilder.Ethernet().Vlan(1).Vlan(2).Vlan(3).Then(Web.Request()).Frame()),
        ("IPv4 header cut short", Cut(Web.Request(), 33)),
        ("IPv6 header cut short", Cut(Web.Request(isIpv6: true), 53)),
        ("longer than the frame", Cut(Web.Request(), 60)),
        ("IPv6 longer than the frame", Cut(Web.Request(isIpv6: true), 80)),
        ("TCP cut short", Shortened(Web.FromClient(false).Tcp(Web.ClientPort, 80), 38)),
        ("UDP cut short", Shortened(Web.FromClient(false).Udp(Web.ClientPort, 53), 26)),
        ("header length 4", With(Framed(Web.Request()), 14, 0x44)),
        ("header longer than the packet", With(Shortened(Web.FromClient(false).Tcp(Web.ClientPort, 80), 38), 14, 0x4F)),
        ("version 5", With(Framed(Web.Request()), 14, 0x55)),
        ("another protocol", Framed(PacketBuilder.Ip.Ipv4(Web.Client4, Web.Virtual4, protocol: 132).PayloadOf(20))),
        ("too many extension headers", Framed(Extended(7).Tcp(Web.ClientPort, 80))),
        ("TCP so far behind extension headers that its checksum cannot be reached", Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Extension(60, 960).Tcp(Web.ClientPort, 80))),
        ("routing header with segments left", With(Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Extension(43).Tcp(Web.ClientPort, 80)), 14 + 40 + 3, 1)),
        ("extension header that ends nowhere", With(Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Extension(60).Tcp(Web.ClientPort, 80)), 14 + 40 + 1, 255)),
        ("ICMP error about ICMP", Framed(PacketBuilder.Ip.Ipv4("203.0.113.1", Web.Virtual4).Icmp(3).Then(PacketBuilder.Ip.Ipv4(Web.Virtual4, Web.Client4).Icmp(8)))),
        ("ICMP error about a later fragment", Framed(PacketBuilder.Ip.Ipv4("203.0.113.1", Web.Virtual4).Icmp(11, 1).Then(PacketBuilder.Ip.Ipv4(Web.Virtual4, Web.Client4, offset: 1480, protocol: 6).PayloadOf(8)))),
        ("ICMP timestamp", Framed(PacketBuilder.Ip.Ipv4(Web.Client4, Web.Virtual4).Icmp(13).PayloadOf(12))),
        ("neighbour solicitation", Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Icmpv6(135).PayloadOf(16))),
    ];

    [KernelTheory]
    [InlineData(DatapathObject.Xdp)]
    [InlineData(DatapathObject.Tcx)]
    public void What_cannot_be_read_goes_to_the_stack_unchanged(string file)
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr), file: file);

        // The kernel itself lets no IP header that is cut short come as far as tcx.
        foreach ((string what, byte[] frame) in NotOurs.Where(unread => file == DatapathObject.Xdp || !unread.What.EndsWith("header cut short", StringComparison.Ordinal)))
        {
            Sent sent = datapath.Send(frame);

            Assert.True(sent.Verdict == Verdict.Pass, $"{what}: {sent}");
            Assert.Equal(frame, sent.Frame);
        }

        Assert.Equal(0u, datapath.TrafficOfVirtualServer(Web.Id).Packets);
    }

    private static readonly (string What, byte[] Frame)[] IcmpErrors =
    [
        ("unreachable", Framed(PacketBuilder.Ip.Ipv4("203.0.113.1", Web.Virtual4).Icmp(3, 4, 1280).Then(PacketBuilder.Ip.Ipv4(Web.Virtual4, Web.Client4).Tcp(80, Web.ClientPort)))),
        ("with inner options", Framed(PacketBuilder.Ip.Ipv4("203.0.113.1", Web.Virtual4).Icmp(11).Then(PacketBuilder.Ip.Ipv4(Web.Virtual4, Web.Client4, options: [1, 1, 1]).Udp(53, Web.ClientPort)))),
        ("too big", Framed(PacketBuilder.Ip.Ipv6("2001:db8:f::1", Web.Virtual6).Icmpv6(2, 0, 1280).Then(PacketBuilder.Ip.Ipv6(Web.Virtual6, Web.Client6).Tcp(80, Web.ClientPort)))),
        ("inner extension header", Framed(PacketBuilder.Ip.Ipv6("2001:db8:f::1", Web.Virtual6).Icmpv6(3).Then(PacketBuilder.Ip.Ipv6(Web.Virtual6, Web.Client6).Extension(60).Udp(53, Web.ClientPort)))),
    ];

    [KernelFact]
    public void An_icmp_error_goes_to_the_real_server_of_the_flow_it_is_about()
    {
        const ushort Other = 6;
        const int Slots = 251;
        using Datapath datapath = Web.With(Web.By(Method.Dr));
        datapath.Set(Other, Web.By(Method.Dr) with { MacDestination = Mac.Parse("02:00:00:00:00:66") });
        datapath.Map<uint, VirtualServer>("virtual_servers").Set(Web.Id, new() { Hash = HashKind.KeyedSourcePort, Slots = Slots });
        // The client's flow alone leads to the real server; whatever hashes otherwise meets the other one.
        Slot[] slots = [.. Enumerable.Repeat(new Slot { Current = Other, Previous = Other }, Slots)];
        foreach (uint hash in new uint[] { 0x9d82a6bd, 0x62c5e024 })
            slots[(int)((ulong)hash * Slots >> 32)] = new() { Current = Web.Real, Previous = Web.Real };
        datapath.SetTable(Web.Id, slots);

        foreach ((string what, byte[] frame) in IcmpErrors)
        {
            Sent sent = datapath.Send(frame);

            Assert.True(sent.Verdict == Verdict.Transmit, $"{what}: {sent}");
            Assert.Equal(frame[12..], sent.Frame[12..]);
        }

        Assert.Equal((ulong)IcmpErrors.Length, datapath.TrafficOfRealServer(Web.Real).Packets);
        Assert.Equal(0u, datapath.TrafficOfRealServer(Other).Packets);
    }

    private static PacketBuilder Extended(int times) => Enumerable.Range(0, times).Aggregate(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6), (packet, _) => packet.Extension(60));

    private static byte[] Framed(PacketBuilder packet) => PacketBuilder.Ethernet().Then(packet).Frame();

    private static byte[] Cut(PacketBuilder packet, int length) => Framed(packet)[..length];

    // Cut, and the IP header says so.
    private static byte[] Shortened(PacketBuilder packet, int length)
    {
        byte[] frame = Cut(packet, 14 + length);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), (ushort)length);
        return frame;
    }

    private static byte[] With(byte[] frame, int offset, byte value)
    {
        frame[offset] = value;
        return frame;
    }
}
