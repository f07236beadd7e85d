using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>One virtual server under several ports, packet by packet.</summary>
public sealed class ListenerTests
{
    private const ushort Secure = 443, FirstOfRange = 8000, LastOfRange = 8009;
    private const string Neighbour = "198.51.100.99";

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_meets_the_same_real_server_on_every_port(bool isIpv6)
    {
        using Farm farm = OnSeveralPorts(Method.Dr, VirtualServerFlag.Persistent, isIpv6);
        string other = isIpv6 ? "2001:db8:a::7" : Neighbour;

        int[] chosen = [Connect(farm, 5000, Farm.Port), Connect(farm, 5001, Secure), Connect(farm, 5000, Secure, other), Connect(farm, 5001, Farm.Port, other), Connect(farm, 5002, LastOfRange)];

        Assert.Equal([1, 1, 2, 2, 1], chosen);
        Assert.Equal(5u, farm.Datapath.TrafficOfVirtualServer(Farm.Id).Connections);
    }

    [KernelFact]
    public void Without_persistence_the_ports_take_turns_together()
    {
        using Farm farm = OnSeveralPorts(Method.Dr);

        int[] chosen = [Connect(farm, 5000, Farm.Port), Connect(farm, 5000, Secure), Connect(farm, 5000, FirstOfRange)];

        Assert.Equal([1, 2, 1], chosen);
    }

    [KernelFact]
    public void A_range_ends_where_it_ends()
    {
        using Farm farm = OnSeveralPorts(Method.Dr);

        for (ushort port = FirstOfRange; port <= LastOfRange; port++)
            Assert.NotEqual(0, Connect(farm, 5000, port));

        Assert.Equal(Verdict.Pass, Syn(farm, 5000, FirstOfRange - 1).Verdict);
        Assert.Equal(Verdict.Pass, Syn(farm, 5000, LastOfRange + 1).Verdict);
    }

    [KernelTheory]
    [InlineData(Farm.Port, DatapathObject.Xdp)]
    [InlineData(Secure, DatapathObject.Xdp)]
    [InlineData(LastOfRange, DatapathObject.Tcx)]
    public void By_nat_a_real_server_without_a_port_keeps_the_client_s_and_answers_come_from_it(ushort asked, string file)
    {
        using Farm farm = OnSeveralPorts(Method.Nat, file: file);
        farm.Change(1, server => server with { Port = (ushort)0 });

        byte[] there = Syn(farm, 5000, asked).Frame;
        byte[] back = Answer(farm, asked, 5000).Frame;

        Assert.Equal(farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, "02:00:00:00:01:01"), Farm.Client, farm.Real(1), ttl: 63).Tcp(5000, asked, TcpFlag.Syn).Frame(), there);
        Assert.Equal(FromVirtual(farm).Tcp(asked, 5000, TcpFlag.Syn | TcpFlag.Ack).Frame(), back);
    }

    [KernelFact]
    public void By_nat_to_one_port_answers_come_from_the_port_that_the_client_asked()
    {
        using Farm farm = OnSeveralPorts(Method.Nat, realServers: 1);
        Connect(farm, 5000, Farm.Port);
        Connect(farm, 5001, Secure);

        Assert.Equal(FromVirtual(farm).Tcp(Farm.Port, 5000, TcpFlag.Syn | TcpFlag.Ack).Frame(), Answer(farm, Farm.RealPort, 5000).Frame);
        Assert.Equal(FromVirtual(farm).Tcp(Secure, 5001, TcpFlag.Syn | TcpFlag.Ack).Frame(), Answer(farm, Farm.RealPort, 5001).Frame);
    }

    [KernelFact]
    public void By_nat_to_one_port_a_second_connection_from_the_same_client_s_port_cannot_be_told_from_the_first()
    {
        using Farm farm = OnSeveralPorts(Method.Nat, realServers: 1);
        Connect(farm, 5000, Farm.Port);

        Sent second = Syn(farm, 5000, Secure);

        Assert.Equal(Verdict.Drop, second.Verdict);
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.NoPortLeft));
        Assert.Equal(FromVirtual(farm).Tcp(Farm.Port, 5000, TcpFlag.Syn | TcpFlag.Ack).Frame(), Answer(farm, Farm.RealPort, 5000).Frame);
    }

    private static Farm OnSeveralPorts(Method method, VirtualServerFlag flags = VirtualServerFlag.None, bool isIpv6 = false, int realServers = 2, string file = DatapathObject.Xdp)
    {
        Farm farm = new(Farm.With(Scheduler.Rr, flags) with { Persistence = 300, Mask4 = 32, Mask6 = 128 }, method, realServers, isIpv6: isIpv6, file: file);
        foreach (int port in Enumerable.Range(FirstOfRange, LastOfRange - FirstOfRange + 1).Append(Secure))
            farm.Datapath.Set(Farm.Id, farm.Settings, isIpv6 ? Farm.Address6 : Farm.Address, (ushort)port, ProtocolType.Tcp);
        return farm;
    }

    private static int Connect(Farm farm, ushort from, ushort to, string? client = null)
    {
        int chosen = Farm.Chosen(Syn(farm, from, to, client));
        Assert.Equal(chosen, Farm.Chosen(farm.Datapath.Send(farm.FromClient(client).Tcp(from, to, TcpFlag.Ack))));
        return chosen;
    }

    private static Sent Syn(Farm farm, ushort from, int to, string? client = null) => farm.Datapath.Send(farm.FromClient(client).Tcp(from, (ushort)to, TcpFlag.Syn));

    private static Sent Answer(Farm farm, ushort from, ushort to) =>
        farm.Datapath.Send(farm.Ip(PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac), farm.Real(1), Farm.Client).Tcp(from, to, TcpFlag.Syn | TcpFlag.Ack));

    private static PacketBuilder FromVirtual(Farm farm) =>
        farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac), Farm.Address, Farm.Client, ttl: 63);
}
