using System.Net;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Forwarding;

/// <summary>bpf/encap.h: the outer headers.</summary>
public sealed class EncapTests
{
    // 172.16.0.0/16 and 2001:db8:8::/64 with the flow's bits; GUE's source port is 49152 and the flow's highest 14.
    private const string Source4From4 = "172.16.159.145", Source6From4 = "2001:db8:8::6b5c:919f", Source4From6 = "172.16.229.150", Source6From6 = "2001:db8:8::fcb1:96e5";

    [KernelTheory]
    [InlineData(DatapathObject.Xdp)]
    [InlineData(DatapathObject.Tcx)]
    public void The_packet_travels_unchanged_behind_an_outer_header(string file)
    {
        using Datapath datapath = Web.With(Web.By(Method.Ipip), file: file);

        foreach (Method method in new[] { Method.Ipip, Method.Gue, Method.Gre })
        {
            foreach ((bool isIpv6, bool overIpv6) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                datapath.Set(Web.Real, Web.By(method, overIpv6));

                Sent sent = datapath.Arrives(Web.Request(isIpv6));

                Assert.Equal(Web.Out(file), sent.Verdict);
                Assert.True(PacketText.HasRightChecksums(sent.Frame), sent.ToString());
                Assert.Equal(Web.Leaving(Tunnel(method, isIpv6, overIpv6).Then(Web.Request(isIpv6))), sent.Frame);
            }
        }
    }

    [KernelTheory]
    [InlineData(Method.Ipip)]
    [InlineData(Method.Gue)]
    [InlineData(Method.Gre)]
    public void Vlan_tags_and_padding_are_not_part_of_the_packet(Method method)
    {
        using Datapath datapath = Web.With(Web.By(method, overIpv6: true));
        PacketBuilder packet = Web.FromClient(false).Tcp(Web.ClientPort, 80);

        byte[] frame = datapath.Send(PacketBuilder.Ethernet().Vlan(9, 0x88A8).Vlan(7).Then(packet).PaddedTo(64)).Frame;

        PacketBuilder expected = PacketBuilder.Ethernet(PacketBuilder.DirectorMac, Web.RealMac).Vlan(9, 0x88A8).Vlan(7).Then(Tunnel(method, false, true).Then(packet));
        Assert.Equal(expected.Frame(), frame[..expected.Frame().Length]);
    }

    [KernelFact]
    public void Class_and_permission_to_fragment_are_the_packet_s_own()
    {
        using Datapath datapath = Web.With(Web.By(Method.Ipip));
        PacketBuilder packet = PacketBuilder.Ip.Ipv4(Web.Client4, Web.Virtual4, tos: 0xB9, id: 0x1234, dontFragment: false).Tcp(Web.ClientPort, 80);

        Sent sent = datapath.Arrives(packet);

        PacketBuilder outer = PacketBuilder.Ip.Ipv4(Source4From4, Web.Real4, tos: 0xB9, id: 0x1234, dontFragment: false);
        Assert.Equal(Web.Leaving(outer.Then(packet)), sent.Frame);
    }

    [KernelFact]
    public void Ipv6_s_traffic_class_becomes_the_outer_s()
    {
        using Datapath datapath = Web.With(Web.By(Method.Ipip));
        PacketBuilder packet = PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6, trafficClass: 0xB9, flowLabel: 0x12345).Tcp(Web.ClientPort, 80);

        Sent sent = datapath.Arrives(packet);

        Assert.Equal(Web.Leaving(PacketBuilder.Ip.Ipv4(Source4From6, Web.Real4, tos: 0xB9).Then(packet)), sent.Frame);
    }

    [KernelFact]
    public void A_source_without_free_bits_is_used_as_it_is()
    {
        using Datapath datapath = Web.With(Web.By(Method.Ipip) with { OuterSource = Address.Of(IPAddress.Parse("10.0.0.1")), OuterPrefix = 32 });

        Sent sent = datapath.Arrives(Web.Request());

        Assert.Equal(Web.Leaving(PacketBuilder.Ip.Ipv4("10.0.0.1", Web.Real4).Then(Web.Request())), sent.Frame);
    }

    [KernelFact]
    public void Gue_goes_to_the_port_of_the_real_server()
    {
        using Datapath datapath = Web.With(Web.By(Method.Gue) with { Port = 9886 });

        Sent sent = datapath.Arrives(Web.Request());

        PacketBuilder outer = PacketBuilder.Ip.Ipv4(Source4From4, Web.Real4).Udp(SourcePort(Web.Flow4), 9886, checksum: false);
        Assert.Equal(Web.Leaving(outer.Then(Web.Request())), sent.Frame);
    }

    private static readonly (string What, byte[] Frame)[] PacketsHardToSum =
    [
        ("UDP without checksum", Framed(Web.Query(checksum: false))),
        ("UDP", Framed(Web.Query())),
        ("odd length", Framed(Web.FromClient(false).Tcp(Web.ClientPort, 80).PayloadOf(501))),
        ("long and not arithmetic", Framed(PacketBuilder.Ip.Ipv4(Web.Client4, Web.Virtual4).Udp(Web.ClientPort, 53, checksum: false).PayloadOf(1375))),
        ("IPv4 options", Framed(PacketBuilder.Ip.Ipv4(Web.Client4, Web.Virtual4, options: [1, 1, 1]).Tcp(Web.ClientPort, 80))),
        ("extension header", Framed(PacketBuilder.Ip.Ipv6(Web.Client6, Web.Virtual6).Extension(60).Tcp(Web.ClientPort, 80).PayloadOf(33))),
        ("IPv6 UDP", Framed(Web.Query(isIpv6: true))),
        ("ICMP error", Framed(PacketBuilder.Ip.Ipv4("203.0.113.1", Web.Virtual4).Icmp(3, 4, 1280).Then(PacketBuilder.Ip.Ipv4(Web.Virtual4, Web.Client4).Tcp(80, Web.ClientPort)))),
    ];

    [KernelTheory]
    [InlineData(DatapathObject.Xdp)]
    [InlineData(DatapathObject.Tcx)]
    public void Gue_over_ipv6_has_a_right_checksum_whatever_is_inside(string file)
    {
        using Datapath datapath = Web.With(Web.By(Method.Gue, overIpv6: true), file: file);

        foreach ((string what, byte[] frame) in PacketsHardToSum)
        {
            Sent sent = datapath.Send(frame);

            Assert.True(sent.Verdict == Web.Out(file), what);
            Assert.Contains("udp", sent.ToString(), StringComparison.Ordinal);
            Assert.True(PacketText.HasRightChecksums(sent.Frame), $"{what}: {sent}");
            Assert.Equal(frame[14..], sent.Frame[(14 + 40 + 8)..]);
        }
    }

    [KernelTheory]
    [InlineData(Method.Ipip, false, 20)]
    [InlineData(Method.Ipip, true, 40)]
    [InlineData(Method.Gue, false, 28)]
    [InlineData(Method.Gue, true, 48)]
    [InlineData(Method.Gre, false, 24)]
    [InlineData(Method.Gre, true, 44)]
    public void What_does_not_fit_with_its_outer_header_is_not_sent(Method method, bool overIpv6, int overhead)
    {
        int length = Web.Request().Packet().Length;
        using Datapath datapath = Web.With(Web.By(method, overIpv6) with { Mtu = (ushort)(length + overhead) });
        datapath.Arrives(Web.Request());
        Assert.Equal(0u, datapath.Drops(DropReason.TooBig));

        datapath.Set(Web.Real, Web.By(method, overIpv6) with { Mtu = (ushort)(length + overhead - 1) });
        datapath.Arrives(Web.Request());

        Assert.Equal(1u, datapath.Drops(DropReason.TooBig));
    }

    private static byte[] Framed(PacketBuilder packet) => PacketBuilder.Ethernet().Then(packet).Frame();

    private static PacketBuilder Tunnel(Method method, bool isIpv6, bool overIpv6)
    {
        uint flow = isIpv6 ? Web.Flow6 : Web.Flow4;
        string source = overIpv6 ? (isIpv6 ? Source6From6 : Source6From4) : (isIpv6 ? Source4From6 : Source4From4);
        PacketBuilder outer = overIpv6 ? PacketBuilder.Ip.Ipv6(source, Web.Real6, flowLabel: flow >> 12)
            : PacketBuilder.Ip.Ipv4(source, Web.Real4, id: 0, dontFragment: true);
        return method switch
        {
            Method.Gue => outer.Udp(SourcePort(flow), 6080, checksum: overIpv6),
            Method.Gre => outer.Gre(),
            _ => outer,
        };
    }

    private static ushort SourcePort(uint flow) => (ushort)(49152 | (flow >> 18));
}
