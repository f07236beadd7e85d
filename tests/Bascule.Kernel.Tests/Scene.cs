using System.Net;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>A virtual server of either family with one real server: addresses, next hop and interface that tests need not repeat.</summary>
internal static class Scene
{
    public const string Client4 = "198.51.100.7", Virtual4 = "192.0.2.10", RealServer4 = "10.0.0.11", Director4 = "10.0.0.1";
    public const string Client6 = "2001:db8:c::7", Virtual6 = "2001:db8:1::10", RealServer6 = "fd00::11", Director6 = "fd00::1";
    public const string RealServerMac = "02:00:00:00:00:11";
    public const ushort Id4 = 1, Id6 = 2, Real = 1;

    /// <summary>192.0.2.10:80 and [2001:db8:1::10]:80, TCP, with one real server.</summary>
    public static Datapath WithOne(RealServer realServer, VirtualServer? virtualServer = null, Action<Linux.Bpf.BpfObject>? prepare = null, string file = DatapathObject.Xdp)
    {
        Datapath datapath = Datapath.Load(prepare, file);
        VirtualServer meant = virtualServer ?? new() { Scheduler = Scheduler.Table };
        datapath.Set(Id4, meant with { Slots = 1, Members = 1 }, Virtual4, 80);
        datapath.Set(Id6, meant with { Slots = 1, Members = 1 }, Virtual6, 80);
        datapath.Set(Real, realServer);
        datapath.SetTable(Id4, new Slot { Current = Real, Previous = Real });
        datapath.SetTable(Id6, new Slot { Current = Real, Previous = Real });
        return datapath;
    }

    /// <summary>A real server that is up and whose next hop is known.</summary>
    public static RealServer By(Method method, string address = RealServer4, ushort mtu = 1500) => new()
    {
        Method = method,
        Family = Family(address),
        Flags = RealServerFlag.Up | RealServerFlag.Valid | RealServerFlag.Neighbour,
        Interface = (uint)Datapath.LoopbackIndex,
        Mtu = mtu,
        MacDestination = Mac.Parse(RealServerMac),
        MacSource = Mac.Parse(PacketBuilder.DirectorMac),
        VirtualServer = Id4,
        Weight = 1,
        Address = Address.Of(IPAddress.Parse(address)),
        OuterSource = Address.Of(IPAddress.Parse(Family(address) == 4 ? Director4 : Director6)),
        OuterPrefix = Family(address) == 4 ? (byte)32 : (byte)128,
    };

    /// <summary>From the client's router to the director.</summary>
    public static PacketBuilder Arriving(PacketBuilder packet) => PacketBuilder.Ethernet().Then(packet);

    /// <summary>From the director back to the client's router.</summary>
    public static PacketBuilder Leaving(PacketBuilder packet) => PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac).Then(packet);

    /// <summary>From the director to the real server.</summary>
    public static PacketBuilder ToRealServer(PacketBuilder packet) => PacketBuilder.Ethernet(PacketBuilder.DirectorMac, RealServerMac).Then(packet);

    /// <summary>The frame without its Ethernet header.</summary>
    public static byte[] Packet(this PacketBuilder packet) => Arriving(packet).Frame()[14..];

    private static byte Family(string address) => address.Contains(':', StringComparison.Ordinal) ? (byte)6 : (byte)4;
}
