// The twins of the enumerations in bpf/types.h: what each member means is said there, once. LayoutTests compares the two.
#pragma warning disable CS1591 // no second description of a member

namespace Bascule.Packets.Xdp;

/// <summary>Twin of <c>enum scheduler</c>.</summary>
public enum Scheduler : byte
{
    Table,
    Rr,
    Wrr,
    Lc,
    Wlc,
    Sed,
    Nq,
    Fo,
    Ovf,
    Lblc,
    Lblcr,
    Twos,
    Random,
}

/// <summary>Twin of <c>enum hash_kind</c>.</summary>
public enum HashKind : byte
{
    KeyedSource,
    KeyedSourcePort,
    Source,
    SourcePort,
    Destination,
}

/// <summary>Twin of <c>enum virtual_server_flag</c>.</summary>
[Flags]
public enum VirtualServerFlag : uint
{
    None = 0,
    OnePacket = 1 << 0,
    Persistent = 1 << 1,
    ExpireQuiescent = 1 << 2,
    ExpireNoDestination = 1 << 3,
    Stateful = 1 << 4,
    Guarded = 1 << 5,
    Closed = 1 << 6,
    Captured = 1 << 7,
}

/// <summary>Twin of <c>enum method</c>.</summary>
public enum Method : byte
{
    None,
    Nat,
    Dr,
    Ipip,
    Gue,
    Gre,
    Local,
}

/// <summary>Twin of <c>enum real_server_flag</c>.</summary>
[Flags]
public enum RealServerFlag : uint
{
    None = 0,
    Up = 1 << 0,
    Gone = 1 << 1,
    FullNat = 1 << 2,
    Neighbour = 1 << 3,
    Valid = 1 << 4,
    Maintenance = 1 << 5,
}

/// <summary>Twin of <c>enum flow_state</c>.</summary>
public enum FlowState : byte
{
    None,
    Established,
    SynSent,
    SynReceived,
    FinWait,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Udp,
}

/// <summary>Twin of <c>enum flow_flag</c>.</summary>
[Flags]
public enum FlowFlag : byte
{
    None = 0,
    Active = 1 << 0,
    Inactive = 1 << 1,
    Replies = 1 << 2,
    Exception = 1 << 3,
    Ended = 1 << 4,
    Followed = 1 << 5,
}

/// <summary>Twin of <c>enum session_flag</c>.</summary>
[Flags]
public enum SessionFlag : ushort
{
    None = 0,
    Followed = 1 << 0,
}

/// <summary>Twin of <c>enum prefix_rule</c>.</summary>
public enum PrefixRule : uint
{
    Allowed = 1,
    Denied = 2,
}

/// <summary>Twin of <c>enum decap_count</c>.</summary>
public enum DecapCount : uint
{
    TakenOff,
    NotServed,
    Malformed,
    Congested,
}
