using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>What becomes of flows whose real server dies, of flows without a record, and of those that find no room.</summary>
public sealed class FlowTests
{
    private const ushort Port = 4242;

    [KernelFact]
    public void Packets_of_a_dead_real_server_s_flow_are_dropped_until_it_comes_back()
    {
        using Farm farm = Of(Method.Dr);
        farm.Connect(Port);

        farm.Change(1, Down);
        Sent while_ = farm.Tcp(Port, TcpFlag.Ack);
        farm.Change(1, server => server with { Flags = Farm.Up });

        Assert.Equal(Verdict.Drop, while_.Verdict);
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.RealServerGone));
        Assert.Equal(1, Farm.Chosen(farm.Tcp(Port, TcpFlag.Ack)));
    }

    [KernelFact]
    public void Or_they_go_elsewhere_at_once_where_flows_without_a_destination_expire()
    {
        using Farm farm = Of(Method.Dr, VirtualServerFlag.ExpireNoDestination);
        farm.Connect(Port);

        farm.Change(1, Down);

        Assert.Equal(2, Farm.Chosen(farm.Tcp(Port, TcpFlag.Ack)));
        Assert.Null(farm.Flow(Port));
        Assert.Equal(default, farm.Load(1));
    }

    [KernelFact]
    public void A_new_connection_does_not_wait_for_the_dead_real_server_of_an_old_one()
    {
        using Farm farm = Of(Method.Dr);
        farm.Connect(Port);

        farm.Change(1, Down);

        Assert.Equal(2, farm.Connect(Port));
    }

    [KernelTheory]
    [InlineData(VirtualServerFlag.None, 1u)]
    [InlineData(VirtualServerFlag.ExpireNoDestination, 0u)]
    public void The_sweep_tells_what_still_refers_to_a_real_server_that_is_gone(VirtualServerFlag flag, uint expected)
    {
        using Farm farm = Of(Method.Dr, flag);
        farm.Connect(Port);

        farm.Change(1, server => server with { Flags = server.Flags | RealServerFlag.Gone });
        farm.Sweep();

        Assert.Equal(new References { Active = expected }, farm.Find<uint, References>("references", 1));
    }

    [KernelFact]
    public void In_the_middle_of_a_connection_that_is_not_recorded_the_hash_decides()
    {
        using Farm farm = Of(Method.Dr);

        int[] chosen = [.. Enumerable.Range(0, 3).Select(_ => Farm.Chosen(farm.Tcp(Port, TcpFlag.Ack)))];

        Assert.Equal([2, 2, 2], chosen);
        Assert.Null(farm.Flow(Port));
        Assert.Null(farm.HalfOpen(Port));
    }

    [KernelFact]
    public void With_nat_it_is_recorded_as_established_by_its_second_packet()
    {
        using Farm farm = Of(Method.Nat);

        farm.Tcp(Port, TcpFlag.Ack);
        Flow? afterFirst = farm.Flow(Port);
        farm.Tcp(Port, TcpFlag.Ack);

        Assert.Null(afterFirst);
        Assert.Equal((FlowState.Established, (ushort)2), (farm.Flow(Port)!.Value.State, farm.Flow(Port)!.Value.RealServer));
    }

    [KernelFact]
    public void A_udp_flow_is_recorded_by_its_second_packet_and_counts_as_inactive()
    {
        using Farm farm = Of(Method.Dr, protocol: ProtocolType.Udp);

        farm.Udp(Port);
        Flow? afterFirst = farm.Flow(Port);
        farm.Udp(Port);

        Assert.Null(afterFirst);
        Assert.Equal(FlowState.Udp, farm.Flow(Port)!.Value.State);
        Assert.Equal(new Load { Inactive = 1 }, farm.Load(1));
        Assert.Equal(1u, farm.Datapath.TrafficOfVirtualServer(Farm.Id).Connections);
    }

    [KernelFact]
    public void One_packet_is_scheduled_by_itself_and_leaves_no_record()
    {
        using Farm farm = Of(Method.Dr, VirtualServerFlag.OnePacket, ProtocolType.Udp);

        int[] chosen = [.. Enumerable.Range(0, 4).Select(_ => Farm.Chosen(farm.Udp(Port)))];

        Assert.Equal([1, 2, 1, 2], chosen);
        Assert.Null(farm.Flow(Port));
        Assert.Null(farm.HalfOpen(Port));
    }

    [KernelFact]
    public void One_packet_by_nat_is_answered()
    {
        using Farm farm = Of(Method.Nat, VirtualServerFlag.OnePacket, ProtocolType.Udp);
        farm.Udp(Port);
        farm.Udp(Port);

        foreach (int realServer in new[] { 1, 2 })
        {
            Sent sent = farm.Datapath.Send(farm.Ip(PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac), farm.Real(realServer), Farm.Client)
                .Udp(Farm.RealPort, Port).Payload("answer"));
            Assert.Equal(farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac), Farm.Address, Farm.Client, 63)
                .Udp(Farm.Port, Port).Payload("answer").Frame(), sent.Frame);
        }
    }

    [KernelFact]
    public void A_closed_virtual_server_takes_no_new_flow_and_keeps_the_old_ones()
    {
        using Farm farm = Of(Method.Dr);
        farm.Connect(Port);

        farm.Apply(farm.Settings with { Flags = farm.Settings.Flags | VirtualServerFlag.Closed });

        Assert.Equal(1, Farm.Chosen(farm.Tcp(Port, TcpFlag.Ack)));
        Assert.Equal(Verdict.Drop, farm.Tcp(5000, TcpFlag.Syn).Verdict);
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.Closed));
    }

    [KernelFact]
    public void When_the_table_is_full_direct_routing_goes_on_unrecorded()
    {
        using Farm farm = Of(Method.Dr, flows: 2);
        for (ushort port = 5000; port < 5002; port++)
            farm.Connect(port);

        int opened = farm.Connect(Port);

        Assert.Equal(opened, Farm.Chosen(farm.Tcp(Port, TcpFlag.Ack)));
        Assert.Null(farm.Flow(Port));
        Assert.Equal(0u, farm.Datapath.Drops(DropReason.FlowTableFull));
    }

    [KernelFact]
    public void When_the_table_is_full_nat_refuses_and_counts()
    {
        using Farm farm = Of(Method.Nat, flows: 2);
        for (ushort port = 5000; port < 5002; port++)
            farm.Connect(port);
        farm.Tcp(Port, TcpFlag.Syn);

        Sent sent = farm.Tcp(Port, TcpFlag.Ack);

        Assert.Equal(Verdict.Drop, sent.Verdict);
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.FlowTableFull));
    }

    [KernelFact]
    public void An_icmp_error_follows_the_nat_flow_it_is_about_and_changes_nothing()
    {
        using Farm farm = Of(Method.Nat, protocol: ProtocolType.Udp);
        farm.Udp(Port);
        Flow? before = farm.HalfOpen(Port);

        Sent sent = farm.Datapath.Send(farm.FromClient().Icmp(3, 3).Then(PacketBuilder.Ip.Ipv4(Farm.Address, Farm.Client).Udp(Farm.Port, Port).Payload("answer")));

        PacketBuilder quoted = PacketBuilder.Ip.Ipv4(farm.Real(1), Farm.Client).Udp(Farm.RealPort, Port).Payload("answer");
        Assert.Equal(farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, "02:00:00:00:01:01"), Farm.Client, farm.Real(1), 63).Icmp(3, 3).Then(quoted).Frame(), sent.Frame);
        Assert.Equal(before, farm.HalfOpen(Port));
    }

    [KernelFact]
    public void An_icmp_error_of_the_real_server_reaches_the_client_in_its_own_words()
    {
        using Farm farm = Of(Method.Nat, protocol: ProtocolType.Udp);
        farm.Udp(Port);

        Sent sent = farm.Datapath.Send(farm.Ip(PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac), farm.Real(1), Farm.Client)
            .Icmp(3, 3).Then(PacketBuilder.Ip.Ipv4(Farm.Client, farm.Real(1), 63).Udp(Port, Farm.RealPort).Payload("question")));

        PacketBuilder quoted = PacketBuilder.Ip.Ipv4(Farm.Client, Farm.Address, 63).Udp(Port, Farm.Port).Payload("question");
        Assert.Equal(farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac), Farm.Address, Farm.Client, 63).Icmp(3, 3).Then(quoted).Frame(), sent.Frame);
    }

    // By hash: real server 2.
    private static Farm Of(Method method, VirtualServerFlag flags = VirtualServerFlag.None, ProtocolType protocol = ProtocolType.Tcp, int flows = 1024)
    {
        Farm farm = new(Farm.With(Scheduler.Rr, flags), method, protocol: protocol, flows: flows);
        farm.Datapath.SetTable(Farm.Id, new Slot { Current = 2, Previous = 2 });
        farm.Apply(farm.Settings with { Slots = 1 });
        return farm;
    }

    private static RealServer Down(RealServer server) => server with { Flags = server.Flags & ~RealServerFlag.Up };
}
