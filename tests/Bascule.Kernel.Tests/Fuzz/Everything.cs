using System.Net.Sockets;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Fuzz;

/// <summary>A datapath with every method and scheduler at once, each on a port of its own, over both families; and a packet of good will for every row.</summary>
internal static class Everything
{
    private const ushort Dr = 80, Ipip = 81, Gue = 82, Gre = 83, Nat = 84, FullNat = 85, Local = 86, Least = 87, Persistent = 88, Guarded = 89, Moving = 90, Cross = 91, OnePacket = 53;

    private static readonly VirtualServer Table = new() { Scheduler = Scheduler.Table, Hash = HashKind.KeyedSourcePort, TcpTimeout = 900, TcpFinTimeout = 120, UdpTimeout = 300, Mask4 = 32, Mask6 = 128 };

    private static readonly (ushort Port, VirtualServer Kind, Method Method, RealServerFlag Flags)[] Rows =
    [
        (Dr, Table, Method.Dr, default),
        (Ipip, Table, Method.Ipip, default),
        (Gue, Table, Method.Gue, default),
        (Gre, Table, Method.Gre, default),
        (Nat, Table with { Flags = VirtualServerFlag.Stateful }, Method.Nat, default),
        (FullNat, Table with { Flags = VirtualServerFlag.Stateful, Scheduler = Scheduler.Rr }, Method.Nat, RealServerFlag.FullNat),
        (Local, Table, Method.Local, default),
        (Least, Table with { Flags = VirtualServerFlag.Stateful, Scheduler = Scheduler.Wlc }, Method.Dr, default),
        (Persistent, Table with { Flags = VirtualServerFlag.Stateful | VirtualServerFlag.Persistent, Scheduler = Scheduler.Lblcr, Persistence = 300 }, Method.Gue, default),
        (Guarded, Table with { Flags = VirtualServerFlag.Guarded | VirtualServerFlag.Captured, PacketsPerSecondSource = 100_000, NewFlowsPerSecond = 100_000 }, Method.Dr, default),
        (Moving, Table, Method.Ipip, default),
        (Cross, Table, Method.Gre, default),
        (OnePacket, Table with { Flags = VirtualServerFlag.OnePacket | VirtualServerFlag.Stateful, Scheduler = Scheduler.Wrr }, Method.Gue, default),
    ];

    /// <summary>Loads and fills it.</summary>
    public static Datapath Load(string file)
    {
        Datapath datapath = Datapath.Load(Prepare, file);
        ushort id = 1;
        foreach ((ushort port, VirtualServer kind, Method method, RealServerFlag flags) in Rows)
        {
            foreach (bool isIpv4 in new[] { true, false })
            {
                AddServers(datapath, id, method, flags, isIpv4 ^ (port == Cross));
                foreach (ProtocolType protocol in new[] { ProtocolType.Tcp, ProtocolType.Udp })
                    datapath.Set(id, kind with { Slots = 2, Members = 2 }, isIpv4 ? Scene.Virtual4 : Scene.Virtual6, port, protocol);
                ushort first = (ushort)((2 * id) - 1), second = (ushort)(2 * id);
                bool moves = port == Moving;
                datapath.SetTable(id, new Slot { Current = first, Previous = moves ? second : first }, new Slot { Current = second, Previous = moves ? (ushort)0 : second });
                datapath.SetMembers(id, first, second);
                id++;
            }
        }

        datapath.Map<uint, Runtime>("runtime").Set(0, new() { CaptureVirtualServer = 19, CaptureOneIn = 100, CaptureBytes = 96, FloodNewFlowsPerSecond = 1_000_000 });
        return datapath;
    }

    /// <summary>One frame for every row, and for every kind of packet.</summary>
    public static byte[][] Corpus()
    {
        List<byte[]> frames = [];
        foreach ((ushort port, _, _, _) in Rows)
        {
            foreach (PacketBuilder packet in Kinds(port))
            {
                frames.Add(PacketBuilder.Ethernet().Then(packet).Frame());
                frames.Add(PacketBuilder.Ethernet().Vlan(7).Then(packet).Frame());
            }

            frames.AddRange(PacketBuilder.Ethernet().Ipv4(Scene.Client4, Scene.Virtual4, dontFragment: false).Udp(4242, port).PayloadOf(200).Fragments(104));
            frames.AddRange(PacketBuilder.Ethernet().Ipv6(Scene.Client6, Scene.Virtual6).Udp(4242, port).PayloadOf(200).Fragments(104));
        }

        return [.. frames];
    }

    private static IEnumerable<PacketBuilder> Kinds(ushort port)
    {
        PacketBuilder to4 = PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, tos: 2), to6 = PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6, trafficClass: 2);
        foreach (PacketBuilder ip in new[] { to4, to6, PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, options: [1, 1, 1, 1, 7, 3, 4]), to6.Extension(0).Extension(60, 16), to6.Extension(43) })
        {
            yield return ip.Tcp(4242, port, TcpFlag.Syn, options: [2, 4, 5, 180]);
            yield return ip.Tcp(4242, port);
            yield return ip.Tcp(4242, port, TcpFlag.Ack | TcpFlag.Push).PayloadOf(60);
            yield return ip.Tcp(4242, port, TcpFlag.Fin | TcpFlag.Ack);
            yield return ip.Tcp(4242, port, TcpFlag.Rst);
            yield return ip.Udp(4242, port).PayloadOf(31);
            yield return ip.Udp(4243, port, checksum: false).PayloadOf(8);
        }

        yield return to4.Tcp(4242, port).PayloadOf(1460);
        yield return to6.Tcp(4242, port).PayloadOf(1440);
        yield return to4.Icmp(8, 0, 1).PayloadOf(40);
        yield return to6.Icmpv6(128, 0, 1).PayloadOf(40);
        yield return PacketBuilder.Ip.Ipv4("203.0.113.1", Scene.Virtual4).Icmp(3, 4, 1280).Then(PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4).Tcp(port, 4242).PayloadOf(20));
        yield return PacketBuilder.Ip.Ipv4("203.0.113.1", Scene.Virtual4).Icmp(11).Then(PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4).Udp(port, 4242));
        yield return PacketBuilder.Ip.Ipv6("2001:db8:99::1", Scene.Virtual6).Icmpv6(2, 0, 1280).Then(PacketBuilder.Ip.Ipv6(Scene.Virtual6, Scene.Client6).Tcp(port, 4242).PayloadOf(20));
        foreach (PacketBuilder inner in new[] { to4.Tcp(4242, port), to6.Udp(4242, port) })
        {
            yield return PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Then(inner);
            yield return PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Then(inner);
            yield return PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Udp(4242, 6080).Then(inner);
            yield return PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Gre().Then(inner);
        }

        // Answers of real servers, which are for us when these are behind NAT, and what is nobody's business.
        int id = 1 + (2 * Array.FindIndex(Rows, row => row.Port == port));
        foreach (int server in new[] { (2 * id) - 1, 2 * id })
        {
            yield return PacketBuilder.Ip.Ipv4(Server4(server), Scene.Client4).Tcp(port, 4242, TcpFlag.Syn | TcpFlag.Ack);
            yield return PacketBuilder.Ip.Ipv6(Server6(server + 2), Scene.Client6).Udp(port, 4242).PayloadOf(9);
            yield return PacketBuilder.Ip.Ipv4("203.0.113.1", Scene.Client4).Icmp(3, 1).Then(PacketBuilder.Ip.Ipv4(Scene.Client4, Server4(server)).Tcp(4242, port));
        }

        yield return PacketBuilder.Ip.Ipv4(Scene.Client4, "192.0.2.200").Tcp(4242, port);
        yield return PacketBuilder.Ip.Ipv6(Scene.Client6, "2001:db8:1::200").Tcp(4242, port);
    }

    private static void AddServers(Datapath datapath, ushort id, Method method, RealServerFlag flags, bool isIpv4)
    {
        for (ushort which = 1; which <= 2; which++)
        {
            ushort server = (ushort)((2 * id) - 2 + which);
            RealServer meant = Scene.By(method, isIpv4 ? Server4(server) : Server6(server), mtu: 1400);
            datapath.Set(server, meant with
            {
                Flags = meant.Flags | flags,
                VirtualServer = id,
                PoolFirst = 32768,
                PoolLast = 60999,
                MacDestination = Mac.Parse($"02:00:00:00:02:{server:x2}"),
                OuterPrefix = (byte)(method == Method.Nat ? (isIpv4 ? 32 : 128) : isIpv4 ? 24 : 96),
                OuterSource = method == Method.Nat || !isIpv4 ? meant.OuterSource : Address.Of(System.Net.IPAddress.Parse("172.16.1.0")),
            });
        }
    }

    private static string Server4(int server) => $"10.0.0.{server + 100}";

    private static string Server6(int server) => $"fd00::{server + 100:x}";

    private static void Prepare(BpfObject opened)
    {
        foreach (string flows in new[] { "flows4", "flows6", "replies4", "replies6", "half_open4", "half_open6" })
            opened.SetEntries(flows, 65536);
        opened.SetConstant("has_any_address", false);
    }
}
