using System.Net;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>Full NAT: the real server sees the director's address and a port of the pool, and needs no route back.</summary>
public sealed class FullNatTests
{
    [KernelTheory]
    [InlineData(false, Farm.Client)]
    [InlineData(true, Farm.Client6)]
    [InlineData(false, "10.0.0.50")] // in the real servers' own network: hairpin
    public void Both_ends_see_only_the_director(bool isIpv6, string client)
    {
        using Farm farm = Of(isIpv6, 40000, 40000);
        string outer = Outer(isIpv6);

        Sent there = farm.Tcp(5000, TcpFlag.Syn, client);
        Sent back = farm.Datapath.Send(farm.Ip(FromReal(), farm.Real(1), outer).Tcp(Farm.RealPort, 40000, TcpFlag.Syn | TcpFlag.Ack));
        Sent confirmed = farm.Tcp(5000, TcpFlag.Ack, client);
        Sent data = farm.Datapath.Send(farm.Ip(FromReal(), farm.Real(1), outer).Tcp(Farm.RealPort, 40000, TcpFlag.Ack).Payload("data"));

        string address = isIpv6 ? Farm.Address6 : Farm.Address;
        Assert.Equal(farm.Ip(ToReal(), outer, farm.Real(1), 63).Tcp(40000, Farm.RealPort, TcpFlag.Syn).Frame(), there.Frame);
        Assert.Equal(farm.Ip(ToClient(), address, client, 63).Tcp(Farm.Port, 5000, TcpFlag.Syn | TcpFlag.Ack).Frame(), back.Frame);
        Assert.Equal(farm.Ip(ToReal(), outer, farm.Real(1), 63).Tcp(40000, Farm.RealPort).Frame(), confirmed.Frame);
        Assert.Equal(farm.Ip(ToClient(), address, client, 63).Tcp(Farm.Port, 5000).Payload("data").Frame(), data.Frame);
    }

    [KernelFact]
    public void Each_flow_has_a_port_of_its_own_until_none_is_left()
    {
        using Farm farm = Of(false, 40000, 40007);

        ushort[] ports = [.. Enumerable.Range(0, 8).Select(i => SourcePort(farm.Tcp((ushort)(5000 + i), TcpFlag.Syn)))];
        Sent refused = farm.Tcp(6000, TcpFlag.Syn);

        Assert.Equal(Enumerable.Range(40000, 8).Select(port => (ushort)port), ports.Order());
        Assert.Equal(Verdict.Drop, refused.Verdict);
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.NoPortLeft));
    }

    [KernelFact]
    public void A_port_is_free_again_when_its_flow_is_over()
    {
        using Farm farm = Of(false, 40000, 40000);
        farm.Connect(5000);
        farm.Tcp(5000, TcpFlag.Rst);
        farm.Age(5000, 20);
        foreach ((Tuple4 key, Reply4 reply) in farm.Datapath.Map<Tuple4, Reply4>("replies4").Entries())
            farm.Datapath.Map<Tuple4, Reply4>("replies4").Set(key, reply with { Way = reply.Way with { Seen = Farm.Older(reply.Way.Seen, 20) } });

        farm.Sweep();

        Assert.Equal(40000, SourcePort(farm.Tcp(5001, TcpFlag.Syn)));
    }

    [KernelFact]
    public void A_port_taken_for_a_syn_that_nobody_followed_up_is_free_again_after_a_minute()
    {
        using Farm farm = Of(false, 40000, 40000);
        farm.Tcp(5000, TcpFlag.Syn);
        var replies = farm.Datapath.Map<Tuple4, Reply4>("half_open_replies4");
        foreach ((Tuple4 key, Reply4 reply) in replies.Entries())
            replies.Set(key, reply with { Way = reply.Way with { Seen = Farm.Older(reply.Way.Seen, 61) } });

        farm.Sweep();

        Assert.Equal(40000, SourcePort(farm.Tcp(5001, TcpFlag.Syn)));
    }

    private static ushort SourcePort(Sent sent) => (ushort)((sent.Frame[34] << 8) | sent.Frame[35]);

    private static string Outer(bool isIpv6) => isIpv6 ? "2001:db8:1::1" : "10.0.0.1";

    private static PacketBuilder ToReal() => PacketBuilder.Ethernet(PacketBuilder.DirectorMac, "02:00:00:00:01:01");

    private static PacketBuilder FromReal() => PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac);

    private static PacketBuilder ToClient() => PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac);

    private static Farm Of(bool isIpv6, ushort first, ushort last)
    {
        Farm farm = new(Farm.With(Scheduler.Fo), Method.Nat, realServers: 1, isIpv6: isIpv6);
        farm.Change(1, server => server with
        {
            Flags = server.Flags | RealServerFlag.FullNat,
            OuterSource = Address.Of(IPAddress.Parse(Outer(isIpv6))),
            PoolFirst = first,
            PoolLast = last,
        });
        return farm;
    }
}
