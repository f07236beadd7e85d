using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Forwarding;

/// <summary>bpf/forward.h: to the next hop.</summary>
public sealed class ForwardTests
{
    [KernelTheory]
    [InlineData(false, DatapathObject.Xdp)]
    [InlineData(true, DatapathObject.Xdp)]
    [InlineData(false, DatapathObject.Tcx)]
    [InlineData(true, DatapathObject.Tcx)]
    public void Direct_routing_changes_the_link_addresses_and_nothing_else(bool isIpv6, string file)
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr), file: file);

        Sent request = datapath.Arrives(Web.Request(isIpv6));
        Sent query = datapath.Arrives(Web.Query(isIpv6));

        Assert.Equal(Web.Out(file), request.Verdict);
        Assert.Equal(Web.Leaving(Web.Request(isIpv6)), request.Frame);
        Assert.Equal(Web.Leaving(Web.Query(isIpv6)), query.Frame);
    }

    [KernelFact]
    public void Vlan_tags_stay()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr));

        Sent one = datapath.Send(PacketBuilder.Ethernet().Vlan(7).Then(Web.Request()));
        Sent two = datapath.Send(PacketBuilder.Ethernet().Vlan(9, 0x88A8).Vlan(7).Then(Web.Request(isIpv6: true)));

        PacketBuilder link = PacketBuilder.Ethernet(PacketBuilder.DirectorMac, Web.RealMac);
        Assert.Equal(link.Vlan(7).Then(Web.Request()).Frame(), one.Frame);
        Assert.Equal(link.Vlan(9, 0x88A8).Vlan(7).Then(Web.Request(isIpv6: true)).Frame(), two.Frame);
    }

    [KernelFact]
    public void A_next_hop_on_another_interface_is_reached_by_redirect()
    {
        const uint Other = 77;
        using Datapath datapath = Web.With(Web.By(Method.Dr) with { Interface = Other });
        datapath.Map<uint, uint>("interfaces").Set(Other, (uint)Datapath.LoopbackIndex); // any device that is there

        Sent sent = datapath.Arrives(Web.Request());

        Assert.Equal(Verdict.Redirect, sent.Verdict);
        Assert.Equal(Web.Leaving(Web.Request()), sent.Frame);
    }

    [KernelFact]
    public void An_interface_that_user_space_did_not_offer_gets_nothing()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr) with { Interface = 77 });

        Assert.Equal(Verdict.Drop, datapath.Arrives(Web.Request()).Verdict);
    }

    [KernelTheory]
    [InlineData(Method.Dr)]
    [InlineData(Method.Ipip)]
    public void Without_a_neighbour_the_packet_is_dropped_and_counted_so(Method method)
    {
        using Datapath datapath = Web.With(Web.By(method) with { Flags = RealServerFlag.Up | RealServerFlag.Valid });

        Assert.Equal(Verdict.Drop, datapath.Arrives(Web.Request()).Verdict);
        Assert.Equal(1u, datapath.Drops(DropReason.NoNeighbour));
        Assert.Equal(0u, datapath.TrafficOfRealServer(Web.Real).Packets);
    }

    [KernelTheory]
    [InlineData(DatapathObject.Xdp)]
    [InlineData(DatapathObject.Tcx)]
    public void The_director_itself_gets_its_packets_unchanged_and_counted(string file)
    {
        using Datapath datapath = Web.With(Web.By(Method.Local), file: file);

        Sent sent = datapath.Arrives(Web.Request());

        Assert.Equal(Verdict.Pass, sent.Verdict);
        Assert.Equal(PacketBuilder.Ethernet().Then(Web.Request()).Frame(), sent.Frame);
        Assert.Equal(1u, datapath.TrafficOfRealServer(Web.Real).Packets);
    }

    [KernelFact]
    public void A_packet_larger_than_the_way_is_not_sent_on_it()
    {
        int length = Web.Request().Packet().Length;
        using Datapath datapath = Web.With(Web.By(Method.Dr) with { Mtu = (ushort)length });
        datapath.Arrives(Web.Request());
        Assert.Equal(0u, datapath.Drops(DropReason.TooBig));

        datapath.Set(Web.Real, Web.By(Method.Dr) with { Mtu = (ushort)(length - 1) });
        Sent sent = datapath.Arrives(Web.Request());

        Assert.NotEqual(Web.Leaving(Web.Request()), sent.Frame);
        Assert.Equal(1u, datapath.Drops(DropReason.TooBig));
    }

    [KernelFact]
    public void Packets_put_together_by_the_kernel_count_by_what_they_are_cut_into_again()
    {
        const int Segment = 1448; // 1500 with an IPv4 header and a TCP header with timestamps
        using Datapath datapath = Web.With(Web.By(Method.Dr), file: DatapathObject.Tcx);
        PacketBuilder packet = Web.FromClient(false).Tcp(Web.ClientPort, 80, options: new byte[12]).PayloadOf(2 * Segment);
        byte[] frame = PacketBuilder.Ethernet().Then(packet).Frame();

        Sent fits = datapath.SendSegmented(frame, Segment);
        Assert.Equal(0u, datapath.Drops(DropReason.TooBig));
        datapath.SendSegmented(frame, Segment + 1);

        Assert.Equal(Web.Leaving(packet), fits.Frame);
        Assert.Equal(1u, datapath.Drops(DropReason.TooBig));
    }

    [KernelFact]
    public void Packets_and_bytes_are_counted_by_ip_length_and_connections_by_syn()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr));

        datapath.Arrives(Web.Request(flags: TcpFlag.Syn));
        datapath.Send(PacketBuilder.Ethernet().Vlan(7).Then(Web.Request()).PaddedTo(100));
        datapath.Arrives(Web.Query());

        ulong bytes = (ulong)((2 * Web.Request().Packet().Length) + Web.Query().Packet().Length);
        foreach (Traffic traffic in new[] { datapath.TrafficOfVirtualServer(Web.Id), datapath.TrafficOfRealServer(Web.Real) })
        {
            Assert.Equal(3u, traffic.Packets);
            Assert.Equal(bytes, traffic.Bytes);
            Assert.Equal(1u, traffic.Connections);
            Assert.Equal(3u, traffic.LookupsAvoided);
        }
    }
}
