using System.Net;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>bpf/icmp_nat.h: ICMP errors about flows that go by NAT, in both directions, with everything they quote. RFC 5508 section 4.</summary>
public sealed class NatErrorTests
{
    private const ushort ClientPort = 4242;
    private const string Outer = "10.0.0.1", Outer6 = "2001:db8:1::1", Router = "203.0.113.1", Router6 = "2001:db8:99::1";
    private const string RealServerMac = "02:00:00:00:01:01";

    // Type and code in each family: host unreachable, too big, time exceeded, port unreachable.
    public static TheoryData<bool, bool, byte, byte, uint> Errors
    {
        get
        {
            TheoryData<bool, bool, byte, byte, uint> errors = [];
            foreach (bool full in new[] { false, true })
            {
                foreach ((byte type, byte code, uint rest) in new (byte, byte, uint)[] { (3, 1, 0), (3, 4, 1280), (11, 0, 0), (3, 3, 0) })
                    errors.Add(false, full, type, code, rest);
                foreach ((byte type, byte code, uint rest) in new (byte, byte, uint)[] { (1, 0, 0), (2, 0, 1280), (3, 0, 0), (1, 4, 0) })
                    errors.Add(true, full, type, code, rest);
            }

            return errors;
        }
    }

    [KernelTheory]
    [MemberData(nameof(Errors))]
    public void An_error_about_an_answer_reaches_the_real_server_as_one_about_what_it_sent(bool isIpv6, bool full, byte type, byte code, uint rest)
    {
        using Farm farm = Nat(isIpv6, full);
        (string peer, ushort port) = Connect(farm);
        PacketBuilder quoted = farm.Ip(PacketBuilder.Ip, Virtual(farm), Client(farm), ttl: 9).Tcp(Farm.Port, ClientPort).PayloadOf(30);

        Sent sent = farm.Datapath.Send(Error(farm, farm.Ip(PacketBuilder.Ethernet(), RouterOf(farm), Virtual(farm)), type, code, rest).Then(quoted));

        PacketBuilder understood = farm.Ip(PacketBuilder.Ip, farm.Real(1), peer, ttl: 9).Tcp(Farm.RealPort, port).PayloadOf(30);
        PacketBuilder expected = Error(farm, farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, RealServerMac), RouterOf(farm), farm.Real(1), ttl: 63), type, code, rest);
        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(expected.Then(understood).Frame(), sent.Frame);
    }

    [KernelTheory]
    [MemberData(nameof(Errors))]
    public void An_error_about_a_request_reaches_the_client_as_one_about_what_it_sent(bool isIpv6, bool full, byte type, byte code, uint rest)
    {
        using Farm farm = Nat(isIpv6, full);
        (string peer, ushort port) = Connect(farm);
        PacketBuilder quoted = farm.Ip(PacketBuilder.Ip, peer, farm.Real(1), ttl: 9).Tcp(port, Farm.RealPort).PayloadOf(30);

        Sent sent = farm.Datapath.Send(Error(farm, farm.Ip(PacketBuilder.Ethernet(RealServerMac), RouterOf(farm), peer), type, code, rest).Then(quoted));

        PacketBuilder understood = farm.Ip(PacketBuilder.Ip, Client(farm), Virtual(farm), ttl: 9).Tcp(ClientPort, Farm.Port).PayloadOf(30);
        PacketBuilder expected = Error(farm, farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac), RouterOf(farm), Client(farm), ttl: 63), type, code, rest).Then(understood);
        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(expected.Packet(), sent.Frame[14..]);
    }

    [KernelTheory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void An_error_of_the_real_server_itself_comes_from_the_virtual_address(bool isIpv6, bool full)
    {
        using Farm farm = Nat(isIpv6, full);
        (string peer, ushort port) = Connect(farm);
        (byte type, byte code) = isIpv6 ? ((byte)1, (byte)4) : ((byte)3, (byte)3);
        PacketBuilder quoted = farm.Ip(PacketBuilder.Ip, peer, farm.Real(1)).Tcp(port, Farm.RealPort);

        Sent sent = farm.Datapath.Send(Error(farm, farm.Ip(PacketBuilder.Ethernet(RealServerMac), farm.Real(1), peer), type, code, 0).Then(quoted));

        PacketBuilder understood = farm.Ip(PacketBuilder.Ip, Client(farm), Virtual(farm)).Tcp(ClientPort, Farm.Port);
        PacketBuilder expected = Error(farm, farm.Ip(PacketBuilder.Ethernet(), Virtual(farm), Client(farm), ttl: 63), type, code, 0).Then(understood);
        Assert.Equal(expected.Packet(), sent.Frame[14..]);
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_a_quotation_that_ends_after_eight_bytes_what_is_there_is_translated(bool isIpv6)
    {
        using Farm farm = Nat(isIpv6, false);
        Connect(farm);
        byte[] quoted = farm.Ip(PacketBuilder.Ip, Virtual(farm), Client(farm)).Tcp(Farm.Port, ClientPort, sequence: 77).PayloadOf(30).Packet();
        byte[] understood = farm.Ip(PacketBuilder.Ip, farm.Real(1), Client(farm)).Tcp(Farm.RealPort, ClientPort, sequence: 77).PayloadOf(30).Packet();
        int kept = (isIpv6 ? 40 : 20) + 8;
        byte type = isIpv6 ? (byte)1 : (byte)3;

        Sent sent = farm.Datapath.Send(Error(farm, farm.Ip(PacketBuilder.Ethernet(), RouterOf(farm), Virtual(farm)), type, 0, 0).Payload(quoted.AsSpan(0, kept)));

        PacketBuilder expected = Error(farm, farm.Ip(PacketBuilder.Ethernet(), RouterOf(farm), farm.Real(1), ttl: 63), type, 0, 0).Payload(understood.AsSpan(0, kept));
        Assert.Equal(expected.Packet(), sent.Frame[14..]);
    }

    [KernelFact]
    public void An_error_changes_no_flow()
    {
        using Farm farm = Nat(false, false);
        Connect(farm);
        Flow? before = farm.Flow(ClientPort);
        PacketBuilder quoted = PacketBuilder.Ip.Ipv4(Farm.Address, Farm.Client).Tcp(Farm.Port, ClientPort, TcpFlag.Rst);

        farm.Datapath.Send(PacketBuilder.Ethernet().Ipv4(Router, Farm.Address).Icmp(3, 1).Then(quoted));

        Assert.NotNull(before);
        Assert.Equal(before, farm.Flow(ClientPort));
    }

    private static Farm Nat(bool isIpv6, bool full)
    {
        Farm farm = new(Farm.With(Scheduler.Rr), Method.Nat, realServers: 1, isIpv6: isIpv6);
        if (full)
        {
            farm.Change(1, realServer => realServer with
            {
                Flags = realServer.Flags | RealServerFlag.FullNat,
                OuterSource = Packets.Xdp.Address.Of(IPAddress.Parse(isIpv6 ? Outer6 : Outer)),
                PoolFirst = 40000,
                PoolLast = 40100,
            });
        }

        return farm;
    }

    // The real server's view of the client: from which address and port it comes.
    private static (string Address, ushort Port) Connect(Farm farm)
    {
        farm.Tcp(ClientPort, TcpFlag.Syn);
        byte[] packet = farm.Tcp(ClientPort, TcpFlag.Ack).Frame[14..];
        return farm.IsIpv6
            ? (new IPAddress(packet.AsSpan(8, 16)).ToString(), (ushort)((packet[40] << 8) | packet[41]))
            : (new IPAddress(packet.AsSpan(12, 4)).ToString(), (ushort)((packet[20] << 8) | packet[21]));
    }

    private static PacketBuilder Error(Farm farm, PacketBuilder on, byte type, byte code, uint rest) => farm.IsIpv6 ? on.Icmpv6(type, code, rest) : on.Icmp(type, code, rest);

    private static string Virtual(Farm farm) => farm.IsIpv6 ? Farm.Address6 : Farm.Address;

    private static string Client(Farm farm) => farm.IsIpv6 ? Farm.Client6 : Farm.Client;

    private static string RouterOf(Farm farm) => farm.IsIpv6 ? Router6 : Router;
}
