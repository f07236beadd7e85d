using System.Collections.Immutable;
using Bascule.Core.Roles;

namespace Bascule.Core.Api;

/// <summary>What a director knows about who has the virtual addresses: <c>GET /v1/ha</c>, <c>bascule ha</c>.</summary>
public sealed record HaStatus
{
    /// <summary>This director's name.</summary>
    public required string Node { get; init; }

    /// <summary>When this was written, UTC.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>In the order of the file.</summary>
    public required ImmutableArray<InstanceStatus> Instances { get; init; }

    /// <summary>In the order of the file.</summary>
    public required ImmutableArray<PeerStatus> Peers { get; init; }

    /// <inheritdoc cref="LatenessStatus"/>
    public required LatenessStatus Lateness { get; init; }

    /// <summary>Sentences an operator should read: a lease longer than the takeover, a foreign holder of an address, one link only …</summary>
    public required ImmutableArray<string> Warnings { get; init; }
}

/// <summary>One instance.</summary>
public sealed record InstanceStatus
{
    /// <summary>The key under <c>ha.instances</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The interface.</summary>
    public required string Interface { get; init; }

    /// <summary>1 to 255.</summary>
    public required byte VirtualRouterId { get; init; }

    /// <summary>2 or 3.</summary>
    public required byte Version { get; init; }

    /// <summary>With their prefix lengths.</summary>
    public required ImmutableArray<string> Addresses { get; init; }

    /// <summary>Now.</summary>
    public required Role Role { get; init; }

    /// <summary>Since when, UTC.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Why, as a word for programs.</summary>
    public required TransitionReason Reason { get; init; }

    /// <summary>Why, as a sentence.</summary>
    public required string Why { get; init; }

    /// <summary>As configured.</summary>
    public required byte ConfiguredPriority { get; init; }

    /// <summary>With what is tracked taken into account.</summary>
    public required byte Priority { get; init; }

    /// <summary>Who was heard as Active last; null: nobody yet.</summary>
    public required HeardStatus? Heard { get; init; }

    /// <summary>What is tracked, in the order of the file.</summary>
    public required ImmutableArray<TrackedStatus> Tracked { get; init; }

    /// <inheritdoc cref="VrrpCounters"/>
    public required VrrpCounters Counters { get; init; }

    /// <summary>The last ten, the latest first.</summary>
    public required ImmutableArray<TransitionStatus> Transitions { get; init; }
}

/// <summary>The last advertisement of somebody else. How things were then, not how they are.</summary>
/// <param name="Address">Whence it came.</param>
/// <param name="Priority">What it said.</param>
/// <param name="At">When, UTC.</param>
public sealed record HeardStatus(string Address, byte Priority, DateTimeOffset At);

/// <summary>One thing that is tracked.</summary>
/// <param name="What">As the file names it: <c>interface eth1</c>.</param>
/// <param name="IsWell">Whether it is.</param>
/// <param name="Why">A short sentence.</param>
/// <param name="Weight">As configured.</param>
public sealed record TrackedStatus(string What, bool IsWell, string Why, int Weight);

/// <summary>One change of role.</summary>
/// <param name="At">UTC.</param>
/// <param name="From">Before.</param>
/// <param name="To">After.</param>
/// <param name="Reason">As a word.</param>
/// <param name="Why">As a sentence.</param>
public sealed record TransitionStatus(DateTimeOffset At, Role From, Role To, TransitionReason Reason, string Why);

/// <summary>What came and went, since the daemon started.</summary>
public sealed record VrrpCounters
{
    /// <summary>Advertisements sent.</summary>
    public long Sent { get; init; }

    /// <summary>Advertisements that the kernel refused to send.</summary>
    public long NotSent { get; init; }

    /// <summary>Advertisements taken.</summary>
    public long Received { get; init; }

    /// <summary>Of those, IPv4 version 3 whose checksum covered the message alone (RFC 9568 §5.2.8).</summary>
    public long ReceivedMessageOnly { get; init; }

    /// <summary>Of those, version 3 with another interval than ours, which a Backup adopts (RFC 9568 §6.4.2).</summary>
    public long ReceivedOtherInterval { get; init; }

    /// <summary>Of those, with other addresses than ours: somebody else uses the virtual router's id, or the files differ.</summary>
    public long ReceivedOtherAddresses { get; init; }

    /// <summary>Of those, without the HMAC that is agreed on, while that is being rolled out. When it no longer grows, it can be demanded.</summary>
    public long ReceivedWithoutHmac { get; init; }

    /// <summary>Of those, with a wrong HMAC, while we only look (<c>receiveOnly</c>). When it no longer grows, all agree on the keys.</summary>
    public long ReceivedWrongHmac { get; init; }

    /// <summary>Times it became Active.</summary>
    public long BecameActive { get; init; }

    /// <summary>Gratuitous ARPs and unsolicited Neighbor Advertisements sent.</summary>
    public long Announced { get; init; }

    /// <summary>Not taken, by reason, as words: <c>wrongChecksum</c>, <c>wrongTimeToLive</c>, <c>replayed</c> … Those that never happened are left out.</summary>
    public ImmutableSortedDictionary<string, long> Rejected { get; init; } = ImmutableSortedDictionary<string, long>.Empty;
}

/// <summary>Another director.</summary>
public sealed record PeerStatus
{
    /// <summary>Its <c>node</c>.</summary>
    public required string Name { get; init; }

    /// <summary>When its last heartbeat came, over any link; null: never. UTC.</summary>
    public required DateTimeOffset? LastHeard { get; init; }

    /// <summary>Whether that is recent enough to believe.</summary>
    public required bool IsHeard { get; init; }

    /// <summary>One per address.</summary>
    public required ImmutableArray<LinkStatus> Links { get; init; }

    /// <summary>What it last said it is, by instance. As old as <see cref="LastHeard"/>.</summary>
    public required ImmutableArray<PeerRole> Roles { get; init; }

    /// <summary>The state channel; null where none is configured.</summary>
    public ChannelStatus? Channel { get; init; }
}

/// <summary>A peer's role as it last said.</summary>
public sealed record PeerRole(string Instance, Role Role, byte Priority);

/// <summary>One way between two directors.</summary>
/// <param name="Address">The peer's.</param>
/// <param name="LastHeard">UTC; null: never.</param>
/// <param name="IsHeard">We hear it.</param>
/// <param name="HearsUs">It says that it hears us here; null while we do not know.</param>
/// <param name="Sent">Heartbeats.</param>
/// <param name="Received">Heartbeats.</param>
/// <param name="Lost">Gaps in the numbers of those received.</param>
/// <param name="Rejected">Not authentic, replayed, or not to be understood.</param>
public sealed record LinkStatus(string Address, DateTimeOffset? LastHeard, bool IsHeard, bool? HearsUs, long Sent, long Received, long Lost, long Rejected);

/// <summary>The channel over which state follows.</summary>
public sealed record ChannelStatus
{
    /// <summary>Whether it is connected and authentic.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>Why not, as a sentence; null when it is.</summary>
    public string? WhyNot { get; init; }

    /// <summary>By kind of state.</summary>
    public required ImmutableArray<StreamStatus> Streams { get; init; }

    /// <summary>Turned away, by reason, as words: <c>wrongKey</c>, <c>unfinished</c>, <c>badRecord</c> … Those that never happened are left out.</summary>
    public ImmutableSortedDictionary<string, long> Rejected { get; init; } = ImmutableSortedDictionary<string, long>.Empty;
}

/// <summary>One kind of state on the channel.</summary>
/// <param name="Name">Such as <c>sessions</c>.</param>
/// <param name="IsInStep">The peer has had everything once, and every change since.</param>
/// <param name="Sent">Entries.</param>
/// <param name="Received">Entries.</param>
/// <param name="Rejected">Entries received and not understood.</param>
/// <param name="Bulks">Times everything was sent.</param>
public sealed record StreamStatus(string Name, bool IsInStep, long Sent, long Received, long Rejected, long Bulks);

/// <summary>How late the failover thread was when it was due: what tells of a machine too busy, or paused.</summary>
/// <param name="Last">Milliseconds.</param>
/// <param name="Worst">Milliseconds, since the daemon started.</param>
/// <param name="WorstAt">UTC; null: never late.</param>
/// <param name="Late">Times it was later than half of the shortest advertisement interval.</param>
/// <param name="IsRealtime">Whether it has a real-time priority.</param>
/// <param name="IsLocked">Whether its memory is locked.</param>
public sealed record LatenessStatus(double Last, double Worst, DateTimeOffset? WorstAt, long Late, bool IsRealtime, bool IsLocked);
