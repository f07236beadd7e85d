using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>NAT both ways, packet by packet.</summary>
public sealed class NatTests
{
    private const ushort ClientPort = 4242;

    [KernelTheory]
    [InlineData(false, DatapathObject.Xdp)]
    [InlineData(true, DatapathObject.Xdp)]
    [InlineData(false, DatapathObject.Tcx)]
    [InlineData(true, DatapathObject.Tcx)]
    public void A_tcp_packet_gets_the_real_server_s_address_and_port_and_loses_a_hop(bool isIpv6, string file)
    {
        using Farm farm = Nat(isIpv6, file: file);

        Sent sent = farm.Datapath.Send(farm.FromClient().Tcp(ClientPort, Farm.Port, TcpFlag.Syn, options: [2, 4, 5, 0xb4]).Payload("early"));

        Assert.Equal(file == DatapathObject.Tcx ? Verdict.Redirect : Verdict.Transmit, sent.Verdict);
        PacketBuilder expected = farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, "02:00:00:00:01:01"), ClientOf(farm), farm.Real(1), ttl: 63)
            .Tcp(ClientPort, Farm.RealPort, TcpFlag.Syn, options: [2, 4, 5, 0xb4]).Payload("early");
        Assert.Equal(expected.Frame(), sent.Frame);
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_answer_to_a_syn_comes_from_the_virtual_server(bool isIpv6)
    {
        using Farm farm = Nat(isIpv6);
        farm.Tcp(ClientPort, TcpFlag.Syn);

        Sent sent = farm.Datapath.Send(Answer(farm).Tcp(Farm.RealPort, ClientPort, TcpFlag.Syn | TcpFlag.Ack));

        Assert.Equal(Expected(farm).Tcp(Farm.Port, ClientPort, TcpFlag.Syn | TcpFlag.Ack).Frame(), sent.Frame);
        Assert.Equal(Verdict.Transmit, sent.Verdict);
    }

    [KernelTheory]
    [InlineData(false, DatapathObject.Xdp)]
    [InlineData(true, DatapathObject.Xdp)]
    [InlineData(false, DatapathObject.Tcx)]
    [InlineData(true, DatapathObject.Tcx)]
    public void Answers_go_on_once_the_flow_is_confirmed(bool isIpv6, string file)
    {
        using Farm farm = Nat(isIpv6, file: file);
        farm.Connect(ClientPort);

        Sent sent = farm.Datapath.Send(Answer(farm).Tcp(Farm.RealPort, ClientPort, TcpFlag.Ack | TcpFlag.Push).Payload("HTTP/1.1 200 OK"));

        Assert.Equal(Expected(farm).Tcp(Farm.Port, ClientPort, TcpFlag.Ack | TcpFlag.Push).Payload("HTTP/1.1 200 OK").Frame(), sent.Frame);
        Assert.Equal(1u, farm.Datapath.TrafficOfRealServer(1).ReplyPackets);
        Assert.Equal(1u, farm.Datapath.TrafficOfVirtualServer(Farm.Id).ReplyPackets);
    }

    [KernelTheory]
    [InlineData(false, true, DatapathObject.Xdp)]
    [InlineData(true, true, DatapathObject.Xdp)]
    [InlineData(false, false, DatapathObject.Xdp)]
    [InlineData(false, true, DatapathObject.Tcx)]
    [InlineData(true, true, DatapathObject.Tcx)]
    [InlineData(false, false, DatapathObject.Tcx)]
    public void Udp_goes_both_ways_and_a_checksum_that_is_not_there_stays_so(bool isIpv6, bool checksum, string file)
    {
        using Farm farm = Nat(isIpv6, ProtocolType.Udp, file);

        Sent there = farm.Datapath.Send(farm.FromClient().Udp(ClientPort, Farm.Port, checksum).Payload("question"));
        Sent back = farm.Datapath.Send(Answer(farm).Udp(Farm.RealPort, ClientPort, checksum).Payload("answer"));

        PacketBuilder expected = farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, "02:00:00:00:01:01"), ClientOf(farm), farm.Real(1), ttl: 63)
            .Udp(ClientPort, Farm.RealPort, checksum).Payload("question");
        Assert.Equal(expected.Frame(), there.Frame);
        Assert.Equal(Expected(farm).Udp(Farm.Port, ClientPort, checksum).Payload("answer").Frame(), back.Frame);
    }

    [KernelFact]
    public void A_packet_at_the_end_of_its_time_to_live_is_dropped()
    {
        using Farm farm = Nat(false);

        Sent sent = farm.Datapath.Send(farm.FromClient(ttl: 1).Tcp(ClientPort, Farm.Port, TcpFlag.Syn));

        Assert.Equal(Verdict.Drop, sent.Verdict);
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.Ttl));
    }

    [KernelFact]
    public void A_packet_of_a_real_server_that_answers_nobody_passes_unchanged()
    {
        using Farm farm = Nat(false);
        byte[] frame = Answer(farm).Tcp(Farm.RealPort, ClientPort).Frame();

        Sent sent = farm.Datapath.Send(frame);

        Assert.Equal(Verdict.Pass, sent.Verdict);
        Assert.Equal(frame, sent.Frame);
    }

    private static Farm Nat(bool isIpv6, ProtocolType protocol = ProtocolType.Tcp, string file = DatapathObject.Xdp) =>
        new(Farm.With(Scheduler.Rr), Method.Nat, protocol: protocol, isIpv6: isIpv6, file: file);

    private static string ClientOf(Farm farm) => farm.IsIpv6 ? Farm.Client6 : Farm.Client;

    // From real server 1, which has the director as its gateway.
    private static PacketBuilder Answer(Farm farm) =>
        farm.Ip(PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac), farm.Real(1), ClientOf(farm));

    // To the client, the way its packets came.
    private static PacketBuilder Expected(Farm farm) =>
        farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac), farm.IsIpv6 ? Farm.Address6 : Farm.Address, ClientOf(farm), ttl: 63);
}
