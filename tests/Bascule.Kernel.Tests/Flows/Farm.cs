using System.Net;
using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>One virtual server that records flows, with its real servers 10.0.0.11, .12 … (2001:db8:1::11 …), ids 1, 2 …; packets of a client to it.</summary>
internal sealed class Farm : IDisposable
{
    public const string Client = "198.51.100.7";
    public const string Client6 = "2001:db8:9::7";
    public const string Address = "192.0.2.10";
    public const string Address6 = "2001:db8::10";
    public const ushort Port = 80;
    public const ushort RealPort = 8080;
    public const RealServerFlag Up = RealServerFlag.Valid | RealServerFlag.Up | RealServerFlag.Neighbour;
    public const ushort Id = 1;

    private readonly Datapath _datapath;

    public Farm(VirtualServer virtualServer, Method method, int realServers = 2, ProtocolType protocol = ProtocolType.Tcp, bool isIpv6 = false,
        string file = DatapathObject.Xdp, int flows = 1024, bool isExplaining = false)
    {
        IsIpv6 = isIpv6;
        Protocol = protocol;
        _datapath = Datapath.Load(opened =>
        {
            foreach (string table in new[] { "flows4", "flows6", "replies4", "replies6" })
                opened.SetEntries(table, (uint)flows);
            opened.SetConstant("explaining", isExplaining);
        }, file);
        for (ushort id = 1; id <= realServers; id++)
            _datapath.Set(id, RealServer(id, method, isIpv6));
        _datapath.SetMembers(Id, [.. Enumerable.Range(1, realServers).Select(id => (uint)id)]);
        Settings = virtualServer with
        {
            Flags = virtualServer.Flags | VirtualServerFlag.Stateful,
            Members = (uint)realServers,
            TcpTimeout = 900,
            TcpFinTimeout = 120,
            UdpTimeout = 300,
        };
        Apply(Settings);
    }

    public Datapath Datapath => _datapath;

    public bool IsIpv6 { get; }

    public ProtocolType Protocol { get; }

    public VirtualServer Settings { get; private set; }

    public static VirtualServer With(Scheduler scheduler, VirtualServerFlag flags = VirtualServerFlag.None) => new() { Scheduler = scheduler, Flags = flags };

    public void Apply(VirtualServer settings)
    {
        Settings = settings;
        _datapath.Set(Id, settings, IsIpv6 ? Address6 : Address, Port, Protocol);
    }

    /// <summary>The address of a real server.</summary>
    public string Real(int id) => IsIpv6 ? $"2001:db8:1::1{id}" : $"10.0.0.1{id}";

    /// <summary>Changes a real server's entry.</summary>
    public void Change(ushort id, Func<RealServer, RealServer> change) =>
        _datapath.Set(id, change(Find<uint, RealServer>("real_servers", id)!.Value));

    /// <summary>A frame of the client's network, up to the IP header.</summary>
    public PacketBuilder FromClient(string? client = null, byte ttl = 64) => Ip(PacketBuilder.Ethernet(), client ?? (IsIpv6 ? Client6 : Client), IsIpv6 ? Address6 : Address, ttl);

    /// <summary>An IP header of the farm's family.</summary>
    public PacketBuilder Ip(PacketBuilder on, string source, string destination, byte ttl = 64) =>
        IsIpv6 ? on.Ipv6(source, destination, ttl) : on.Ipv4(source, destination, ttl);

    /// <summary>A TCP packet of the client.</summary>
    public Sent Tcp(ushort port, TcpFlag flags, string? client = null) => _datapath.Send(FromClient(client).Tcp(port, Port, flags));

    /// <summary>A UDP packet of the client.</summary>
    public Sent Udp(ushort port, string? client = null) => _datapath.Send(FromClient(client).Udp(port, Port).Payload("question"));

    /// <summary>SYN and ACK: the flow is established.</summary>
    /// <returns>The real server's id by the packet that left.</returns>
    public int Connect(ushort port, string? client = null)
    {
        int first = Chosen(Tcp(port, TcpFlag.Syn, client));
        Assert.Equal(first, Chosen(Tcp(port, TcpFlag.Ack, client)));
        return first;
    }

    /// <summary>As <see cref="Connect"/>, but the SYN may be refused: 0.</summary>
    public int ConnectOrNot(ushort port)
    {
        int first = Chosen(Tcp(port, TcpFlag.Syn));
        if (first != 0)
            Tcp(port, TcpFlag.Ack);
        return first;
    }

    /// <summary>Which real server a packet left for: by the last byte of its MAC address. 0: it did not leave.</summary>
    public static int Chosen(Sent sent) => sent.Verdict is Verdict.Transmit or Verdict.Redirect ? sent.Frame[5] : 0;

    /// <summary>The load of a real server.</summary>
    public Load Load(uint id) => Find<uint, Load>("loads", id)!.Value;

    /// <summary>The client's tuple, key of the flow.</summary>
    public static Tuple4 Key(ushort port, string client = Client, ProtocolType protocol = ProtocolType.Tcp) => new()
    {
        Source = Wire32.Of(IPAddress.Parse(client)),
        Destination = Wire32.Of(IPAddress.Parse(Address)),
        SourcePort = port,
        DestinationPort = Port,
        Protocol = (byte)protocol,
    };

    /// <summary>The recorded flow of a client's port; null: none.</summary>
    public Flow? Flow(ushort port) => Find<Tuple4, Flow>("flows4", Key(port, protocol: Protocol));

    /// <summary>The half-open flow of a client's port; null: none.</summary>
    public Flow? HalfOpen(ushort port) => Find<Tuple4, Flow>("half_open4", Key(port, protocol: Protocol));

    /// <summary>The same, so many seconds older. Its way back, if it has one, stays as it is.</summary>
    public void Age(ushort port, double seconds, string table = "flows4", string client = Client)
    {
        Tuple4 key = Key(port, client, Protocol);
        Flow flow = Find<Tuple4, Flow>(table, key)!.Value;
        _datapath.Map<Tuple4, Flow>(table).Set(key, flow with { Seen = Older(flow.Seen, seconds) });
    }

    /// <summary>A point in time so many seconds earlier. One tick is 2^20 ns.</summary>
    public static Ticks Older(Ticks ticks, double seconds) => new(unchecked(ticks.Value - (uint)(seconds * 1e9 / (1 << 20))));

    /// <summary>Runs the sweep once.</summary>
    public Sweep Sweep()
    {
        ulong none = 0;
        _datapath.Program("sweep").Call(ref none);
        return Find<uint, Sweep>("swept", 0)!.Value;
    }

    /// <summary>A TCP packet of a real server to the client.</summary>
    public Sent Answer(ushort port, TcpFlag flags, int realServer = 1) =>
        _datapath.Send(Ip(PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac), Real(realServer), IsIpv6 ? Client6 : Client).Tcp(RealPort, port, flags));

    /// <summary>An entry of a map; null: there is none.</summary>
    public TValue? Find<TKey, TValue>(string map, TKey key)
        where TKey : unmanaged
        where TValue : unmanaged => _datapath.Map<TKey, TValue>(map).TryGet(key, out TValue value) ? value : null;

    public void Dispose() => _datapath.Dispose();

    private static RealServer RealServer(ushort id, Method method, bool isIpv6) => new()
    {
        Method = method,
        Family = (byte)(isIpv6 ? 6 : 4),
        Port = method == Method.Nat ? RealPort : (ushort)0,
        Flags = Up,
        Interface = (uint)Datapath.LoopbackIndex,
        Mtu = 1500,
        MacDestination = Mac.Parse($"02:00:00:00:01:{id:x2}"),
        MacSource = Mac.Parse(PacketBuilder.DirectorMac),
        VirtualServer = Id,
        Weight = 1,
        Address = Packets.Xdp.Address.Of(IPAddress.Parse(isIpv6 ? $"2001:db8:1::1{id}" : $"10.0.0.1{id}")),
    };
}
