// The twins of bpf/types.h, second part: what the datapath writes: same names, same order, same sizes; what each field means is said there, once. LayoutTests compares
// the two through the types that clang wrote into the object.
#pragma warning disable CS1591, CA1051 // no second description of a field; fields, because their order is the point
#pragma warning disable CS0649 // fields that only the kernel's side writes

using ChoiceReason = Bascule.Core.Api.ChoiceReason;
using DropReason = Bascule.Core.Api.DropReason;

namespace Bascule.Packets.Xdp;

/// <summary>Twin of <c>struct load</c>.</summary>
public record struct Load
{
    public uint Active;
    public uint Inactive;
    public uint Overloaded;
    public int HalfOpen;
}

/// <summary>Twin of <c>struct tuple4</c>.</summary>
public record struct Tuple4
{
    public Wire32 Source;
    public Wire32 Destination;
    public Wire16 SourcePort;
    public Wire16 DestinationPort;
    public byte Protocol;
    internal ThreeBytes Unused;
}

/// <summary>Twin of <c>struct tuple6</c>.</summary>
public record struct Tuple6
{
    public Address Source;
    public Address Destination;
    public Wire16 SourcePort;
    public Wire16 DestinationPort;
    public byte Protocol;
    internal ThreeBytes Unused;
}

/// <summary>Twin of <c>struct flow</c>.</summary>
public record struct Flow
{
    public Ticks Seen;
    public ushort RealServer;
    public ushort VirtualServer;
    public FlowState State;
    public FlowFlag Flags;
    public Wire16 NatPort;
    public Mac ClientMac;
    public Mac DirectorMac;
    public uint ClientInterface;
    public Ticks Told;
}

/// <summary>Twin of <c>struct reply</c>.</summary>
public record struct Reply
{
    public Ticks Seen;
    public ushort RealServer;
    public ushort VirtualServer;
    public Mac ClientMac;
    public Mac DirectorMac;
    public uint ClientInterface;
}

/// <summary>Twin of <c>struct reply4</c>.</summary>
public record struct Reply4
{
    public Reply Way;
    public Tuple4 Client;
}

/// <summary>Twin of <c>struct reply6</c>.</summary>
public record struct Reply6
{
    public Reply Way;
    public Tuple6 Client;
}

/// <summary>Twin of <c>struct client</c>.</summary>
public record struct Client
{
    public Address Source;
    public ushort VirtualServer;
    public byte Family;
    internal byte Unused;
}

/// <summary>Twin of <c>struct session</c>.</summary>
public record struct Session
{
    public Ticks Seen;
    public ushort RealServer;
    public SessionFlag Flags;
    public Ticks Told;
}

/// <summary>Twin of <c>struct fragment</c>.</summary>
public record struct Fragment
{
    public Address Source;
    public Address Destination;
    public uint Id;
    public byte Protocol;
    public byte Family;
    internal ushort Unused;
}

/// <summary>Twin of <c>struct fragment_ports</c>.</summary>
public record struct FragmentPorts
{
    public Wire16 Source;
    public Wire16 Destination;
    public Ticks Seen;
}

/// <summary>Twin of <c>struct locality_key</c>.</summary>
public record struct LocalityKey
{
    public Address Destination;
    public uint VirtualServer;
}

/// <summary>Twin of <c>struct locality</c>.</summary>
public record struct Locality
{
    public Ticks Seen;
    public Ticks Changed;
    public LocalityServers RealServers;
}

/// <summary>Twin of <c>struct sweep</c>.</summary>
public record struct Sweep
{
    public ulong Nanoseconds;
    public uint Flows4;
    public uint Flows6;
    public uint HalfOpen4;
    public uint HalfOpen6;
    public uint Sessions;
    public uint Ended;
}

/// <summary>Twin of <c>struct references</c>.</summary>
public record struct References
{
    public uint Active;
    public uint Inactive;
    public uint HalfOpen;
    public uint Sessions;
}

/// <summary>Twin of <c>struct flow_change</c>.</summary>
public record struct FlowChange
{
    public Tuple6 Client;
    public Flow Flow;
    public uint Family;
}

/// <summary>Twin of <c>struct session_change</c>.</summary>
public record struct SessionChange
{
    public Client Client;
    public Session Session;
}

/// <summary>Twin of <c>struct traffic</c>.</summary>
public record struct Traffic
{
    public ulong Packets;
    public ulong Bytes;
    public ulong ReplyPackets;
    public ulong ReplyBytes;
    public ulong Connections;
    public ulong LookupsAvoided;
}

/// <summary>Twin of <c>struct rate</c>.</summary>
public record struct Rate
{
    public uint Second;
    public uint Count;
    public uint Before;
}

/// <summary>Twin of <c>struct sketch_cell</c>.</summary>
public record struct SketchCell
{
    public uint Second;
    public uint Count;
}

/// <summary>Twin of <c>struct marks</c>.</summary>
public record struct Marks
{
    public TwoWords Word;
}

/// <summary>Twin of <c>struct probe_answer</c>.</summary>
public record struct ProbeAnswer
{
    public Address Source;
    public Address Destination;
    public Wire16 SourcePort;
    public Wire16 DestinationPort;
    public byte Protocol;
    public byte Family;
    internal ushort Unused;
}

/// <summary>Twin of <c>struct captured</c>.</summary>
public record struct Captured
{
    public ulong Time;
    public uint Interface;
    public uint Length;
    public ushort Bytes;
    public ushort VirtualServer;
    public ushort RealServer;
    public byte Outgoing;
    public byte Verdict;
    public uint Number;
    internal uint Unused;
}

/// <summary>Twin of <c>struct explanation</c>.</summary>
public record struct Explanation
{
    public ushort VirtualServer;
    public ushort RealServer;
    public ChoiceReason Reason;
    public DropReason Drop;
    internal ushort Unused;
    public uint Hash;
    public uint Slot;
}

/// <summary>Twin of <c>struct decap_address</c>.</summary>
public record struct DecapAddress
{
    public Address Address;
    public uint Family;
}
