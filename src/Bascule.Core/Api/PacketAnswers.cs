using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Frames;

namespace Bascule.Core.Api;

/// <summary>What the engine of the packet datapath answers the API with. Each may be called from any thread.</summary>
public sealed record PacketAnswers
{
    /// <summary>Everything it counts, now.</summary>
    public required Func<PacketReport> Report { get; init; }

    /// <summary>
    /// Recorded flows that fit the question, in no order, at most <see cref="ConnectionQuestion.Most"/>. Read from the flow tables as it is
    /// enumerated; a flow that begins or ends meanwhile may be in it or not.
    /// </summary>
    public required Func<ConnectionQuestion, IEnumerable<ConnectionEntry>> Connections { get; init; }

    /// <summary>How many clients are remembered for each real server of virtual servers with persistence on the datapath.</summary>
    public required Func<ImmutableArray<SessionCount>> Sessions { get; init; }

    /// <summary>What the datapath would do with this packet; changes nothing. The frame is the whole packet, Ethernet included.</summary>
    public required Func<PacketText, Explanation> Explain { get; init; }

    /// <summary>
    /// Packets of one virtual server as they come, until the cancellation. At most one capture runs at a time.
    /// </summary>
    /// <returns>Null when another capture is running.</returns>
    public required Func<CaptureQuestion, CancellationToken, IAsyncEnumerable<CapturedFrame>?> Capture { get; init; }

    /// <summary>Takes the datapath off every interface and removes what is pinned; the daemon goes on without it until it is started again.</summary>
    public required Func<DetachResult> Detach { get; init; }
}

/// <summary>Everything the packet engine counts, at one moment.</summary>
/// <param name="Status">Of the datapath as a whole.</param>
/// <param name="VirtualServers">By name; only those on the datapath.</param>
public sealed record PacketReport(PacketStatus Status, ImmutableDictionary<string, PacketTraffic> VirtualServers);

/// <summary>What one virtual server on the datapath has done.</summary>
/// <param name="Count">All its traffic.</param>
/// <param name="RealServers">By address, the sorry server included.</param>
public sealed record PacketTraffic(TrafficCount Count, ImmutableDictionary<IPEndPoint, RealServerTraffic> RealServers);

/// <summary>What one real server on the datapath has done and is doing.</summary>
/// <param name="Count">Its traffic.</param>
/// <param name="Active">Recorded flows that are established.</param>
/// <param name="Inactive">Recorded flows in any other state.</param>
/// <param name="IsFull">It has reached its upper threshold, and has not come below the lower one since.</param>
/// <param name="Trouble">What keeps packets from reaching it though its check passes, such as <c>no route to 10.0.0.11</c>; null: nothing.</param>
public sealed record RealServerTraffic(TrafficCount Count, long Active, long Inactive, bool IsFull, string? Trouble);

/// <summary>Which recorded flows are asked for.</summary>
/// <param name="VirtualServer">Only of this one; null: of all.</param>
/// <param name="RealServer">Only to this address; null: to all.</param>
/// <param name="Most">No more than so many; at least 1.</param>
public sealed record ConnectionQuestion(string? VirtualServer, IPEndPoint? RealServer, int Most);

/// <summary>One recorded flow: a line of <c>GET /v1/connections</c>.</summary>
public sealed record ConnectionEntry
{
    /// <summary><c>tcp</c> or <c>udp</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary>IPVS's name of it: <c>ESTABLISHED</c>, <c>FIN_WAIT</c>, <c>UDP</c>.</summary>
    public required string State { get; init; }

    /// <summary>Seconds until it is forgotten if it stays silent.</summary>
    public required int ExpiresIn { get; init; }

    /// <summary>The client: address and port.</summary>
    public required string Client { get; init; }

    /// <summary>What the client asked for: address and port.</summary>
    public required string VirtualAddress { get; init; }

    /// <summary>Name of the virtual server.</summary>
    public required string VirtualServer { get; init; }

    /// <summary>Address and port of the real server; null when it has been taken off the list.</summary>
    public required string? RealServer { get; init; }
}

/// <summary>Clients remembered for one real server.</summary>
/// <param name="VirtualServer">Name of its virtual server.</param>
/// <param name="RealServer">Its address and port.</param>
/// <param name="Clients">How many; clients whose time is over may still be counted for a moment.</param>
public sealed record SessionCount(string VirtualServer, string RealServer, long Clients);

/// <summary>What the datapath would do with a packet: the answer to <c>GET /v1/explain</c>.</summary>
public sealed record Explanation
{
    /// <summary>The packet that was asked about, as a text.</summary>
    public required string Packet { get; init; }

    /// <summary>Name of the virtual server it is for; null when it is for none.</summary>
    public required string? VirtualServer { get; init; }

    /// <summary>Address and port of the real server it goes to; null when it goes to none.</summary>
    public required string? RealServer { get; init; }

    /// <summary>How it goes there, as the file says it: <c>dr</c>, <c>tun ipip</c>; null when it goes to none.</summary>
    public required string? Forwarding { get; init; }

    /// <summary>The scheduler's short name; null when it is for no virtual server.</summary>
    public required string? Scheduler { get; init; }

    /// <inheritdoc cref="ChoiceReason"/>
    public required ChoiceReason Reason { get; init; }

    /// <summary>Hash of the flow, where one was taken.</summary>
    public required long? Hash { get; init; }

    /// <summary>Slot of the hash table, where one was looked at.</summary>
    public required int? Slot { get; init; }

    /// <inheritdoc cref="PacketVerdict"/>
    public required PacketVerdict Verdict { get; init; }

    /// <summary>Why it is dropped; <see cref="DropReason.None"/> when it is not.</summary>
    public required DropReason Drop { get; init; }

    /// <summary>The interface it leaves by; null when it does not leave.</summary>
    public required string? Interface { get; init; }

    /// <summary>The whole frame that would leave (Base64 in JSON); null when none would.</summary>
    public required byte[]? Frame { get; init; }
}

/// <summary>What becomes of a packet.</summary>
public enum PacketVerdict
{
    /// <summary>Up to the director's own network stack, unchanged: it is for no virtual server here, or for the director itself.</summary>
    ToStack,

    /// <summary>Out to a real server, or back to a client.</summary>
    Sent,

    /// <summary>Answered by the datapath itself, as an ICMP echo or with an ICMP error.</summary>
    Answered,

    /// <summary>Not forwarded.</summary>
    Dropped,
}

/// <summary>Why this real server. Twin of <c>enum reason</c> in bpf/types.h.</summary>
public enum ChoiceReason : byte
{
    /// <summary>None was chosen.</summary>
    None,

    /// <summary>By its slot of the hash table.</summary>
    Table,

    /// <summary>By its slot, which is in transition: a flow not recorded belongs to the real server the slot had before.</summary>
    TablePrevious,

    /// <summary>By its slot, which is in transition: a new flow belongs to the real server the slot has now.</summary>
    TableCurrent,

    /// <summary>The flow is recorded.</summary>
    Flow,

    /// <summary>Its SYN was scheduled a moment ago.</summary>
    HalfOpen,

    /// <summary>The client is remembered (persistence).</summary>
    Session,

    /// <summary>The scheduler chose.</summary>
    Scheduler,

    /// <summary>By hash without state: in a flood, with a full flow table, or in the middle of a connection that is not recorded.</summary>
    Fallback,

    /// <summary>The sorry server, as no real server can take it.</summary>
    Sorry,

    /// <summary>An ICMP error goes where the packet inside it went.</summary>
    IcmpInner,

    /// <summary>NAT: a real server's answer on its way back.</summary>
    Reply,
}

/// <summary>Which packets are captured.</summary>
/// <param name="VirtualServer">Name of the virtual server.</param>
/// <param name="OneIn">One of so many packets, chosen by chance; at least 1: all.</param>
/// <param name="Bytes">Of each frame at most so many first bytes.</param>
public sealed record CaptureQuestion(string VirtualServer, int OneIn, int Bytes);

/// <summary>A frame as it came in, or as it left.</summary>
/// <param name="Time">When, UTC.</param>
/// <param name="Interface">Name of the interface it came in on.</param>
/// <param name="IsOutgoing">Whether it is as it leaves; otherwise as it came.</param>
/// <param name="Number">The same for a packet's way in and way out.</param>
/// <param name="Length">Bytes of the whole frame.</param>
/// <param name="Verdict">What became of it: 1 drop, 2 pass, 3 transmit, 4 redirect (<c>enum xdp_action</c>); of a frame as it came, 0.</param>
/// <param name="RealServer">Where it goes; null as it came, and when it goes to none.</param>
/// <param name="Frame">Its first bytes; none of one that was dropped on its way out.</param>
public sealed record CapturedFrame(DateTimeOffset Time, string Interface, bool IsOutgoing, uint Number, int Length, int Verdict, string? RealServer, ReadOnlyMemory<byte> Frame);

/// <summary>What <c>POST /v1/detach</c> did.</summary>
/// <param name="Interfaces">Those the datapath was taken off.</param>
/// <param name="Problems">What could not be removed; each a line for the operator.</param>
public sealed record DetachResult(ImmutableArray<string> Interfaces, ImmutableArray<string> Problems);
