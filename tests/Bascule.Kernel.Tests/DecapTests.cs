using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>bpf/decap.bpf.c: what a director wraps, a real server unwraps, and nothing else.</summary>
public sealed class DecapTests
{
    public static TheoryData<string, Method, bool, bool> Tunnels
    {
        get
        {
            TheoryData<string, Method, bool, bool> tunnels = [];
            foreach (string file in new[] { DatapathObject.DecapXdp, DatapathObject.DecapTcx })
                foreach (Method method in new[] { Method.Ipip, Method.Gue, Method.Gre })
                    foreach (bool outerIs4 in new[] { true, false })
                        foreach (bool innerIs4 in new[] { true, false })
                            tunnels.Add(file, method, outerIs4, innerIs4);
            return tunnels;
        }
    }

    public static TheoryData<string> Files => [DatapathObject.DecapXdp, DatapathObject.DecapTcx];

    [KernelTheory]
    [MemberData(nameof(Tunnels))]
    public void What_the_director_sends_through_a_tunnel_comes_up_as_the_client_sent_it(string file, Method method, bool outerIs4, bool innerIs4)
    {
        using Datapath director = Scene.WithOne(Scene.By(method, outerIs4 ? Scene.RealServer4 : Scene.RealServer6));
        using Datapath realServer = Decap(file);
        foreach (int payload in new[] { 0, 1, 999, 1380 })
        {
            PacketBuilder packet = innerIs4
                ? PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, ttl: 9, tos: 0x28, id: 5).Tcp(4242, 80).PayloadOf(payload)
                : PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6, hopLimit: 9, trafficClass: 0x28, flowLabel: 5).Tcp(4242, 80).PayloadOf(payload);
            Sent through = director.Send(Scene.Arriving(packet));
            Assert.Equal(Verdict.Transmit, through.Verdict);

            Sent up = realServer.Send(through.Frame);

            Assert.Equal(Verdict.Pass, up.Verdict);
            Assert.Equal(Scene.ToRealServer(packet).Frame(), up.Frame);
        }

        Assert.Equal(4u, Count(realServer, DecapCount.TakenOff));
    }

    [KernelTheory]
    [MemberData(nameof(Files))]
    public void Fragments_and_errors_of_a_flow_come_up_too(string file)
    {
        using Datapath realServer = Decap(file);
        PacketBuilder[] packets =
        [
            PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, offset: 1480, id: 9).PayloadOf(500),
            PacketBuilder.Ip.Ipv4("203.0.113.1", Scene.Virtual4).Icmp(3, 4, 1280).Then(PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4).Tcp(80, 4242)),
        ];

        foreach (PacketBuilder packet in packets)
            Assert.Equal(Scene.ToRealServer(packet).Frame(), realServer.Send(Scene.ToRealServer(PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4)).Then(packet)).Frame);
    }

    [KernelFact]
    public void VLAN_tags_stay_in_front_of_the_packet()
    {
        using Datapath realServer = Decap(DatapathObject.DecapXdp);
        PacketBuilder packet = PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Udp(4242, 53).PayloadOf(30);
        PacketBuilder tagged = PacketBuilder.Ethernet().Vlan(100, 0x88A8).Vlan(200);

        Sent up = realServer.Send(tagged.Ipv4(Scene.Director4, Scene.RealServer4).Then(packet));

        Assert.Equal(Verdict.Pass, up.Verdict);
        Assert.Equal(tagged.Then(packet).Frame(), up.Frame);
    }

    public static TheoryData<string, string, PacketBuilder> Foreign
    {
        get
        {
            PacketBuilder inner = PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80);
            PacketBuilder toUs = PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4);
            TheoryData<string, string, PacketBuilder> foreign = [];
            foreach (string file in new[] { DatapathObject.DecapXdp, DatapathObject.DecapTcx })
            {
                foreign.Add(file, "TCP", toUs.Tcp(22, 50000));
                foreign.Add(file, "to the virtual address itself, without a tunnel", inner);
                foreign.Add(file, "a tunnel to another address of this host", PacketBuilder.Ip.Ipv4(Scene.Director4, "10.0.0.99").Then(inner));
                foreign.Add(file, "a tunnel over IPv6 to another address", PacketBuilder.Ip.Ipv6(Scene.Director6, "fd00::99").Then(inner));
                foreign.Add(file, "UDP to another port", toUs.Udp(50000, 53).Then(inner));
                foreign.Add(file, "GRE with a key", PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4, protocol: 47).Payload([0x20, 0, 8, 0, 0, 0, 0, 1, .. inner.Packet()]));
                foreign.Add(file, "GRE that carries Ethernet", PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4, protocol: 47).Payload([0, 0, 0x65, 0x58, .. inner.Packet()]));
                foreign.Add(file, "a tunnel in fragments", PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4, more: true, dontFragment: false).Then(inner));
                foreign.Add(file, "a tunnel with IP options", PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4, options: [1, 1, 1, 0]).Then(inner));
                foreign.Add(file, "ARP", PacketBuilder.Ip.Payload(new byte[28]));
            }

            return foreign;
        }
    }

    [KernelTheory]
    [MemberData(nameof(Foreign))]
    public void Other_traffic_is_not_touched(string file, string which, PacketBuilder packet)
    {
        using Datapath realServer = Decap(file);
        byte[] frame = Scene.ToRealServer(packet).Frame();

        Sent up = realServer.Send(frame);

        Assert.True(up.Verdict == Verdict.Pass, $"{which}: {up}");
        Assert.Equal(frame, up.Frame);
        Assert.Equal(0u, Enum.GetValues<DecapCount>().Aggregate(0UL, (sum, count) => sum + Count(realServer, count)));
    }

    [KernelTheory]
    [MemberData(nameof(Files))]
    public void A_packet_inside_for_an_address_that_is_not_served_is_dropped_and_counted(string file)
    {
        using Datapath realServer = Decap(file);
        PacketBuilder outer = PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4);

        Assert.Equal(Verdict.Drop, realServer.Send(Scene.ToRealServer(outer.Then(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.RealServer4).Tcp(4242, 22)))).Verdict);
        Assert.Equal(Verdict.Drop, realServer.Send(Scene.ToRealServer(outer.Then(PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.RealServer6).Tcp(4242, 22)))).Verdict);
        Assert.Equal(2u, Count(realServer, DecapCount.NotServed));
    }

    [KernelTheory]
    [MemberData(nameof(Files))]
    public void Lengths_that_lie_are_dropped_and_counted(string file)
    {
        using Datapath realServer = Decap(file);
        byte[] frame = Scene.ToRealServer(PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4).Then(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(40))).Frame();
        const int OuterLength = 14 + 2, InnerFirst = 14 + 20, InnerLength = InnerFirst + 2;

        Assert.Equal(Verdict.Drop, realServer.Send(With(frame, InnerLength, 101)).Verdict); // one more than there is
        Assert.Equal(Verdict.Drop, realServer.Send(With(frame, InnerLength, 19)).Verdict);
        Assert.Equal(Verdict.Drop, realServer.Send(With(frame, OuterLength, 121)).Verdict);
        Assert.Equal(Verdict.Drop, realServer.Send(With(frame, OuterLength, 119)).Verdict);
        Assert.Equal(Verdict.Drop, realServer.Send(With(frame, InnerFirst, 0x5500)).Verdict); // version 5
        Assert.Equal(Verdict.Drop, realServer.Send(frame.AsSpan(0, 14 + 20 + 10)).Verdict);
        Assert.Equal(6u, Count(realServer, DecapCount.Malformed));
    }

    [KernelTheory]
    [InlineData(DatapathObject.DecapXdp, 1, 3, 3)]
    [InlineData(DatapathObject.DecapXdp, 2, 3, 3)]
    [InlineData(DatapathObject.DecapXdp, 3, 3, 3)]
    [InlineData(DatapathObject.DecapXdp, 2, 2, 2)]
    [InlineData(DatapathObject.DecapTcx, 2, 3, 3)]
    public void A_mark_of_congestion_on_the_way_reaches_the_packet_inside(string file, byte inner, byte outer, byte expected)
    {
        using Datapath realServer = Decap(file);
        PacketBuilder Inner4(byte mark) => PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, tos: (byte)(0x88 | mark)).Tcp(4242, 80);
        PacketBuilder Inner6(byte mark) => PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6, trafficClass: (byte)(0x88 | mark), flowLabel: 0xABCDE).Tcp(4242, 80);
        PacketBuilder over4 = Scene.ToRealServer(PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4, tos: outer));
        PacketBuilder over6 = Scene.ToRealServer(PacketBuilder.Ip.Ipv6(Scene.Director6, Scene.RealServer6, trafficClass: outer));

        Assert.Equal(Scene.ToRealServer(Inner4(expected)).Frame(), realServer.Send(over4.Then(Inner4(inner))).Frame);
        Assert.Equal(Scene.ToRealServer(Inner6(expected)).Frame(), realServer.Send(over6.Then(Inner6(inner))).Frame);
    }

    [KernelFact]
    public void A_packet_that_cannot_carry_the_mark_is_dropped_and_counted()
    {
        using Datapath realServer = Decap(DatapathObject.DecapXdp);
        PacketBuilder over4 = Scene.ToRealServer(PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4, tos: 3));

        Assert.Equal(Verdict.Drop, realServer.Send(over4.Then(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80))).Verdict);
        Assert.Equal(1u, Count(realServer, DecapCount.Congested));
    }

    [KernelFact]
    public void The_port_of_GUE_is_the_one_that_was_set()
    {
        using Datapath realServer = Decap(DatapathObject.DecapXdp, 9886);
        PacketBuilder packet = PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80);
        PacketBuilder outer = PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4);

        Assert.Equal(Scene.ToRealServer(packet).Frame(), realServer.Send(Scene.ToRealServer(outer.Udp(50000, 9886, checksum: false).Then(packet))).Frame);
        Assert.Equal(Scene.ToRealServer(outer.Udp(50000, 6080).Then(packet)).Frame(), realServer.Send(Scene.ToRealServer(outer.Udp(50000, 6080).Then(packet))).Frame);
    }

    // A real server with both of its addresses as ends and both virtual addresses served.
    internal static Datapath Decap(string file, ushort guePort = 6080)
    {
        Datapath decap = Datapath.Load(opened => opened.SetConstant<Wire16>("gue_port", guePort), file);
        foreach (string end in new[] { Scene.RealServer4, Scene.RealServer6 })
            decap.Map<DecapAddress, uint>("decap_ends").Set(Key(end), 1);
        foreach (string served in new[] { Scene.Virtual4, Scene.Virtual6 })
            decap.Map<DecapAddress, uint>("decap_served").Set(Key(served), 1);
        return decap;
    }

    private static DecapAddress Key(string text)
    {
        IPAddress address = IPAddress.Parse(text);
        return new() { Address = Address.Of(address), Family = address.AddressFamily == AddressFamily.InterNetwork ? 4u : 6u };
    }

    private static ulong Count(Datapath decap, DecapCount count) => decap.Counters<uint, ulong>("decap_counts").Get((uint)count).Aggregate((a, b) => a + b);

    private static byte[] With(byte[] frame, int at, ushort value)
    {
        byte[] changed = [.. frame];
        BinaryPrimitives.WriteUInt16BigEndian(changed.AsSpan(at), value);
        return changed;
    }
}
