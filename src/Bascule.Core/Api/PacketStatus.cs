using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Api;

/// <summary>What the packet datapath as a whole is doing: part of <c>GET /v1/status</c>.</summary>
public sealed record PacketStatus
{
    /// <summary>In the order of the file.</summary>
    public required ImmutableArray<InterfaceStatus> Interfaces { get; init; }

    /// <summary>Recorded flows now, IPv4 and IPv6 together.</summary>
    public required long Flows { get; init; }

    /// <summary>Flows that fit, of each address family.</summary>
    public required long FlowsAtMost { get; init; }

    /// <summary>Packets that were not forwarded; a reason that never happened is absent.</summary>
    public required ImmutableSortedDictionary<DropReason, long> Drops { get; init; }

    /// <summary>The folder on the bpffs in which programs, maps and links are pinned.</summary>
    public required string StateFolder { get; init; }
}

/// <summary>The datapath on one interface.</summary>
public sealed record InterfaceStatus
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where on it the datapath is attached: never <see cref="AttachMode.Auto"/>; null when it is not attached.</summary>
    public required AttachMode? Attached { get; init; }

    /// <summary>Why there, or why not, as a sentence without a full stop: <c>the driver veth takes XDP</c>.</summary>
    public required string Why { get; init; }
}

/// <summary>Why a packet was not forwarded. Twin of <c>enum drop_reason</c> in bpf/types.h.</summary>
public enum DropReason : byte
{
    /// <summary>It was not dropped.</summary>
    None,

    /// <summary>Lengths that disagree, or a header cut short.</summary>
    Malformed,

    /// <summary>No real server can take it, and there is no sorry server.</summary>
    NoRealServer,

    /// <summary>The virtual server takes no new flows.</summary>
    Closed,

    /// <summary>Of a recorded flow whose real server is down or gone.</summary>
    RealServerGone,

    /// <summary>No room to record a flow that cannot do without.</summary>
    FlowTableFull,

    /// <summary>Full NAT: all source ports towards that real server are taken.</summary>
    NoPortLeft,

    /// <summary>The MAC address of the next hop is not known (yet).</summary>
    NoNeighbour,

    /// <summary>Does not fit the way to the real server; the client was told what does, where it can be told.</summary>
    TooBig,

    /// <summary>From a client that <c>deny</c> holds or <c>allow</c> does not.</summary>
    Denied,

    /// <summary>Above <c>rates.packetsPerSecondPerSource</c>.</summary>
    SourceRate,

    /// <summary>Above <c>rates.newFlowsPerSecond</c>.</summary>
    VirtualServerRate,

    /// <summary>Flood: the first SYN of a source never seen before; its retransmission passes.</summary>
    Flood,

    /// <summary>A later fragment of a packet whose first was not seen.</summary>
    FragmentUnknown,

    /// <summary>Its time to live ran out here.</summary>
    Ttl,

    /// <summary>The frame cannot grow to hold the tunnel's header.</summary>
    NoRoom,

    /// <summary>Something the datapath does not do, such as NAT between IPv4 and IPv6.</summary>
    Unsupported,
}

/// <summary>What went through, since it was first counted.</summary>
/// <param name="Connections">TCP: connections scheduled. UDP: flows begun, or packets with <c>onePacket</c>.</param>
/// <param name="Packets">From clients; null where connections are proxied, of which nobody sees the packets.</param>
/// <param name="Bytes">From clients.</param>
/// <param name="ReplyPackets">From real servers, where they come back through the director; null where connections are proxied.</param>
/// <param name="ReplyBytes">From real servers, where they come back through the director.</param>
public sealed record TrafficCount(long Connections, long? Packets, long Bytes, long? ReplyPackets, long ReplyBytes)
{
    /// <summary>Nothing yet, on the datapath.</summary>
    public static TrafficCount None { get; } = new(0, 0, 0, 0, 0);

    /// <summary>Both together. A number that one of them does not know is not known.</summary>
    public static TrafficCount operator +(TrafficCount one, TrafficCount other) =>
        new(one.Connections + other.Connections, one.Packets + other.Packets, one.Bytes + other.Bytes, one.ReplyPackets + other.ReplyPackets, one.ReplyBytes + other.ReplyBytes);
}

/// <summary>What goes through in a second, smoothed as IPVS does it (<see cref="TrafficEstimator"/>).</summary>
/// <param name="Connections">Connections a second.</param>
/// <param name="Packets">From clients, a second; null on the proxy.</param>
/// <param name="Bytes">From clients, a second.</param>
/// <param name="ReplyPackets">From real servers, a second; null on the proxy.</param>
/// <param name="ReplyBytes">From real servers, a second.</param>
public sealed record TrafficRate(double Connections, double? Packets, double Bytes, double? ReplyPackets, double ReplyBytes);
