using System.Net;
using System.Net.Sockets;
using Bascule.Core.Scheduling;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Forwarding;

/// <summary>
/// A virtual server that hashes consistently (TCP 80, UDP 53, both families) with one real server, a known hash key, and packets of one client
/// to it. That client's flow hashes to <see cref="Flow4" /> or <see cref="Flow6" />, from which tunnels take their outer source.
/// </summary>
internal static class Web
{
    public const string Client4 = "198.51.100.7", Virtual4 = "192.0.2.10", Real4 = "10.0.0.5", Outer4 = "172.16.0.0";
    public const string Client6 = "2001:db8::7", Virtual6 = "2001:db8:1::10", Real6 = "2001:db8:9::5", Outer6 = "2001:db8:8::";
    public const string RealMac = "02:00:00:00:00:11";
    public const ushort ClientPort = 4242, Id = 1, Real = 5;

    /// <summary>What bpf/encap.h makes of port 4242 to TCP 80 and the hash in bpf/hash.h's table, over IPv4 and IPv6.</summary>
    public const uint Flow4 = 0x9F915C6B, Flow6 = 0xE596B1FC;

    /// <summary>The key 00 01 02 … 0f.</summary>
    public static FlowHashKey Key { get; } = FlowHashKey.From([.. Enumerable.Range(0, 16).Select(i => (byte)i)]);

    public static Datapath With(RealServer realServer, VirtualServer? virtualServer = null, string file = DatapathObject.Xdp, bool explaining = false)
    {
        Datapath datapath = Datapath.Load(opened =>
        {
            opened.SetConstant("hash_key", Key);
            opened.SetConstant("explaining", explaining);
        }, file);
        VirtualServer meant = (virtualServer ?? new() { Hash = HashKind.KeyedSourcePort }) with { Slots = 1, Members = 1 };
        foreach (string address in new[] { Virtual4, Virtual6 })
        {
            datapath.Set(Id, meant, address, 80);
            datapath.Set(Id, meant, address, 53, ProtocolType.Udp);
        }

        datapath.Set(Real, realServer);
        datapath.SetTable(Id, new Slot { Current = Real, Previous = Real });
        return datapath;
    }

    /// <summary>A real server that is up and whose next hop is on the interface packets come from.</summary>
    public static RealServer By(Method method, bool overIpv6 = false) => new()
    {
        Method = method,
        Family = overIpv6 ? (byte)6 : (byte)4,
        Flags = RealServerFlag.Up | RealServerFlag.Valid | RealServerFlag.Neighbour,
        Interface = (uint)Datapath.LoopbackIndex,
        Mtu = 1500,
        MacDestination = Mac.Parse(RealMac),
        MacSource = Mac.Parse(PacketBuilder.DirectorMac),
        VirtualServer = Id,
        Weight = 1,
        Address = Address.Of(IPAddress.Parse(overIpv6 ? Real6 : Real4)),
        OuterSource = Address.Of(IPAddress.Parse(overIpv6 ? Outer6 : Outer4)),
        OuterPrefix = overIpv6 ? (byte)64 : (byte)16,
    };

    /// <summary>The client's packet to TCP 80, without a link header.</summary>
    public static PacketBuilder Request(bool isIpv6 = false, TcpFlag flags = TcpFlag.Ack) => FromClient(isIpv6).Tcp(ClientPort, 80, flags).Payload("GET / HTTP/1.1");

    /// <summary>The same to UDP 53.</summary>
    public static PacketBuilder Query(bool isIpv6 = false, bool checksum = true) => FromClient(isIpv6).Udp(ClientPort, 53, checksum).Payload("name?");

    public static PacketBuilder FromClient(bool isIpv6) => isIpv6 ? PacketBuilder.Ip.Ipv6(Client6, Virtual6) : PacketBuilder.Ip.Ipv4(Client4, Virtual4, id: 0x1234);

    public static Sent Arrives(this Datapath datapath, PacketBuilder packet) => datapath.Send(PacketBuilder.Ethernet().Then(packet));

    /// <summary>A frame to the real server.</summary>
    public static byte[] Leaving(PacketBuilder packet) => PacketBuilder.Ethernet(PacketBuilder.DirectorMac, RealMac).Then(packet).Frame();

    /// <summary>Out of the interface it came from: XDP has an action of its own for that.</summary>
    public static Verdict Out(string file) => file == DatapathObject.Xdp ? Verdict.Transmit : Verdict.Redirect;
}
