using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Packets.Xdp;
using RealServer = Bascule.Packets.Xdp.RealServer;
using VirtualServer = Bascule.Packets.Xdp.VirtualServer;

namespace Bascule.Packets.Plan;

/// <summary>Writes what is configured in the datapath's own terms.</summary>
internal static class EntryForms
{
    public const byte Icmp = 1, Tcp = 6, Udp = 17, IcmpV6 = 58; // IANA

    /// <summary>Where clients connect: the first of its keys, by which directors name it to each other.</summary>
    public static ServiceKey ServiceOf(Core.Model.VirtualServer configured) =>
        new(configured.Address.Address, configured.Address.Port, ProtocolOf(configured));

    /// <summary>Every key under which the kernel finds it: a range is one for each of its ports. In the order of the file.</summary>
    public static IEnumerable<ServiceKey> ServicesOf(Core.Model.VirtualServer configured)
    {
        byte protocol = ProtocolOf(configured);
        return configured.Addresses.SelectMany(a => a.EndPoints).Select(e => new ServiceKey(e.Address, e.Port, protocol));
    }

    /// <summary>Under this key the datapath finds that an address is ours, and answers echo requests to it.</summary>
    public static ServiceKey EchoOf(ServiceKey service) => new(service.Address, 0, service.IsIpv4 ? Icmp : IcmpV6);

    /// <summary>Who a real server is, whatever else is said about it.</summary>
    public static RealServerKey KeyOf(ServiceKey service, RealServer entry) =>
        new(service, AddressOf(entry), PortOf(entry), entry.Method);

    /// <summary>Its own address.</summary>
    public static IPAddress AddressOf(RealServer entry) => entry.Address.ToAddress(entry.Family == 4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);

    /// <summary>NAT: where it listens, 0: where the client asked. The others do not rewrite it: 0.</summary>
    public static int PortOf(RealServer entry) => entry.Method == Method.Nat ? entry.Port.Value : 0;

    /// <summary>How packets reach it.</summary>
    public static Method MethodOf(Forwarding forwarding) => forwarding switch
    {
        NatForwarding => Method.Nat,
        DirectRouting => Method.Dr,
        TunnelForwarding { Kind: TunnelKind.Ipip } => Method.Ipip,
        TunnelForwarding { Kind: TunnelKind.Gue } => Method.Gue,
        TunnelForwarding { Kind: TunnelKind.Gre } => Method.Gre,
        _ => throw new ArgumentException($"{forwarding} is not on the datapath", nameof(forwarding)),
    };

    /// <summary>One real server's entry, with the way to it.</summary>
    public static RealServer RealServer(ushort virtualServer, IPEndPoint address, Forwarding forwarding, ConnectionThresholds? thresholds, Surroundings surroundings)
    {
        bool isLocal = surroundings.Own.Contains(address.Address);
        RealServer entry = new()
        {
            Method = isLocal ? Method.Local : MethodOf(forwarding),
            Family = FamilyOf(address.Address),
            Flags = RealServerFlag.Valid,
            VirtualServer = virtualServer,
            Address = Address.Of(address.Address),
            Upper = (uint)(thresholds?.Upper ?? 0),
            Lower = (uint)(thresholds?.Lower ?? 0),
        };
        NextHop? way = surroundings.NextHops.GetValueOrDefault(address.Address);
        if (way is not null && !isLocal)
            SetWay(ref entry, way);
        switch (forwarding)
        {
            case NatForwarding nat:
                entry.Port = (ushort)address.Port;
                if (nat.Full is { } full)
                    SetFullNat(ref entry, full);
                break;
            case TunnelForwarding tunnel:
                entry.Port = (ushort)tunnel.Port;
                SetOuterSource(ref entry, tunnel.Sources, way?.Source);
                break;
        }

        return entry;
    }

    /// <summary>What is said about a virtual server beside its real servers.</summary>
    public static VirtualServer VirtualServer(Core.Model.VirtualServer configured, in Shape shape) => new()
    {
        Flags = KindOf(configured) | RulesOf(configured),
        Scheduler = SchedulerOf(configured.Scheduler),
        Hash = shape.Hash,
        Slots = (uint)shape.Slots,
        Persistence = Seconds(Source(configured)?.Timeout ?? TimeSpan.Zero),
        Mask4 = (byte)(Source(configured)?.Mask4 ?? 32),
        Mask6 = (byte)(Source(configured)?.Mask6 ?? 128),
        TcpTimeout = Seconds(configured.Packets.FlowTimeouts.Established),
        TcpFinTimeout = Seconds(configured.Packets.FlowTimeouts.Fin),
        UdpTimeout = Seconds(configured.Packets.FlowTimeouts.Udp),
        NewFlowsPerSecond = (uint)configured.Packets.NewFlowsPerSecond,
        PacketsPerSecondSource = (uint)configured.Packets.PacketsPerSecondPerSource,
    };

    // The others are for requests, which the datapath does not see.
    private static SourcePersistence? Source(Core.Model.VirtualServer configured) => configured.Persistence as SourcePersistence;

    // Every flow is recorded where the hash alone cannot tell whose it is.
    private static VirtualServerFlag KindOf(Core.Model.VirtualServer configured)
    {
        bool rewrites = configured.Forwarding is NatForwarding || configured.RealServers.Any(r => r.Forwarding is NatForwarding);
        bool isStateful = SchedulerOf(configured.Scheduler) != Scheduler.Table || configured.Persistence is not null || rewrites;
        return (configured.Packets.OnePacket ? VirtualServerFlag.OnePacket : 0)
            | (configured.Persistence is not null ? VirtualServerFlag.Persistent : 0)
            | (isStateful ? VirtualServerFlag.Stateful : 0);
    }

    private static VirtualServerFlag RulesOf(Core.Model.VirtualServer configured)
    {
        PacketRules rules = configured.Packets;
        bool guarded = rules.Allow.Count > 0 || rules.Deny.Count > 0 || rules.NewFlowsPerSecond > 0 || rules.PacketsPerSecondPerSource > 0;
        return (configured.Persistence is { ExpireQuiescent: true } ? VirtualServerFlag.ExpireQuiescent : 0)
            | (rules.ExpireNoDestination ? VirtualServerFlag.ExpireNoDestination : 0)
            | (guarded ? VirtualServerFlag.Guarded : 0);
    }

    private static byte ProtocolOf(Core.Model.VirtualServer configured) => configured.Protocol switch
    {
        VirtualServerProtocol.Tcp or VirtualServerProtocol.Http => Tcp,
        VirtualServerProtocol.Udp => Udp,
    };

    private static Scheduler SchedulerOf(SchedulerKind kind) => kind switch
    {
        SchedulerKind.MaglevHash or SchedulerKind.SourceHash or SchedulerKind.DestinationHash => Scheduler.Table,
        SchedulerKind.RoundRobin => Scheduler.Rr,
        SchedulerKind.WeightedRoundRobin => Scheduler.Wrr,
        SchedulerKind.LeastConnection => Scheduler.Lc,
        SchedulerKind.WeightedLeastConnection => Scheduler.Wlc,
        SchedulerKind.ShortestExpectedDelay => Scheduler.Sed,
        SchedulerKind.NeverQueue => Scheduler.Nq,
        SchedulerKind.FailOver => Scheduler.Fo,
        SchedulerKind.Overflow => Scheduler.Ovf,
        SchedulerKind.LocalityLeastConnection => Scheduler.Lblc,
        SchedulerKind.LocalityLeastConnectionReplicated => Scheduler.Lblcr,
        SchedulerKind.PowerOfTwoChoices => Scheduler.Twos,
        SchedulerKind.Random => Scheduler.Random,
        SchedulerKind.LeastTime or SchedulerKind.RequestHash => throw new InvalidOperationException("Answers and requests are seen by the proxy alone; its schedulers are not the datapath's."),
    };

    private static void SetWay(ref RealServer entry, NextHop way)
    {
        entry.Interface = (uint)way.Interface;
        entry.Mtu = (ushort)int.Min(way.Mtu, ushort.MaxValue);
        if (!way.IsResolved)
            return;
        entry.MacDestination = way.NeighbourMac!.Value;
        entry.MacSource = way.OwnMac!.Value;
        entry.Flags |= RealServerFlag.Neighbour;
    }

    private static void SetFullNat(ref RealServer entry, FullNat full)
    {
        entry.Flags |= RealServerFlag.FullNat;
        entry.OuterSource = Address.Of(full.Source);
        entry.OuterPrefix = WholeAddress(full.Source);
        entry.PoolFirst = (ushort)full.FirstPort;
        entry.PoolLast = (ushort)full.LastPort;
    }

    private static void SetOuterSource(ref RealServer entry, IPNetwork? sources, IPAddress? own)
    {
        IPAddress? source = sources?.BaseAddress ?? own;
        if (source is null)
            return;
        entry.OuterSource = Address.Of(source);
        entry.OuterPrefix = (byte)(sources?.PrefixLength ?? WholeAddress(source));
    }

    private static byte FamilyOf(IPAddress address) => (byte)(address.AddressFamily == AddressFamily.InterNetwork ? 4 : 6);

    private static byte WholeAddress(IPAddress address) => (byte)(address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);

    private static uint Seconds(TimeSpan time) => (uint)time.TotalSeconds;
}
