// The twins of bpf/types.h: same names, same order, same sizes; what each field means is said there, once. LayoutTests compares
// the two through the types that clang wrote into the object.
#pragma warning disable CS1591, CA1051 // no second description of a field; fields, because their order is the point
#pragma warning disable CS0649 // fields that only the kernel's side writes

using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bascule.Linux.Bpf;

namespace Bascule.Packets.Xdp;

/// <summary>Twin of <c>struct service4</c>.</summary>
public record struct Service4
{
    public Wire32 Address;
    public Wire16 Port;
    public byte Protocol;
    internal byte Unused;
}

/// <summary>Twin of <c>struct service6</c>.</summary>
public record struct Service6
{
    public Address Address;
    public Wire16 Port;
    public byte Protocol;
    internal byte Unused;
}

/// <summary>Twin of <c>struct virtual_server</c>.</summary>
public record struct VirtualServer
{
    public VirtualServerFlag Flags;
    public Scheduler Scheduler;
    public HashKind Hash;
    public ushort Sorry;
    public uint Slots;
    public uint Members;
    public uint Persistence;
    public byte Mask4;
    public byte Mask6;
    internal ushort Unused;
    public uint TcpTimeout;
    public uint TcpFinTimeout;
    public uint UdpTimeout;
    public uint NewFlowsPerSecond;
    public uint PacketsPerSecondSource;
}

/// <summary>Twin of <c>struct real_server</c>.</summary>
public record struct RealServer
{
    public Method Method;
    public byte Family;
    public Wire16 Port;
    public RealServerFlag Flags;
    public uint Interface;
    public ushort Mtu;
    public Mac MacDestination;
    public Mac MacSource;
    public ushort VirtualServer;
    public uint Weight;
    public Address Address;
    public Address OuterSource;
    public byte OuterPrefix;
    internal byte Unused;
    internal Wire16 Unused2;
    public ushort PoolFirst;
    public ushort PoolLast;
    public uint Upper;
    public uint Lower;
}

/// <summary>Twin of <c>struct slot</c>.</summary>
public record struct Slot
{
    public ushort Current;
    public ushort Previous;
}

/// <summary>Twin of <c>struct slot_pair</c>: how slots lie in a table's map.</summary>
public record struct SlotPair
{
    public Slot Even;
    public Slot Odd;

    /// <summary>A table's map, whole: to be put into <c>tables</c>.</summary>
    public static BpfMap<uint, SlotPair> Table(ReadOnlySpan<Slot> slots)
    {
        SlotPair[] pairs = new SlotPair[(slots.Length + 1) / 2];
        slots.CopyTo(MemoryMarshal.Cast<SlotPair, Slot>(pairs.AsSpan()));
        BpfMap<uint, SlotPair> table = BpfMap.Create<uint, SlotPair>("table", MapType.Array, (uint)pairs.Length, MapFlags.Inner);
        table.SetAll(pairs);
        return table;
    }

    /// <summary>The slots of a table's map, of which an odd one out at the end is not one.</summary>
    public static ImmutableArray<Slot> Slots(BpfMap<uint, SlotPair> table, uint slots) =>
        [.. table.Entries().OrderBy(entry => entry.Key).SelectMany(entry => new[] { entry.Value.Even, entry.Value.Odd }).Take((int)slots)];
}

/// <summary>Twin of <c>struct prefix4</c>.</summary>
public record struct Prefix4
{
    public uint Bits;
    public uint VirtualServer;
    public Wire32 Address;
}

/// <summary>Twin of <c>struct prefix6</c>.</summary>
public record struct Prefix6
{
    public uint Bits;
    public uint VirtualServer;
    public Address Address;
}

/// <summary>Twin of <c>struct runtime</c>.</summary>
public record struct Runtime
{
    public uint CaptureVirtualServer;
    public uint CaptureOneIn;
    public uint CaptureBytes;
    public uint FloodNewFlowsPerSecond;
}

/// <summary>Coarse time in units of 2^20 ns (1.05 ms) since the machine started; wraps after 52 days.</summary>
/// <param name="Value">The number.</param>
public readonly record struct Ticks(uint Value)
{
    /// <summary>How long ago this was at a later point in time.</summary>
    public TimeSpan AgeAt(Ticks now) => TimeSpan.FromTicks((long)unchecked(now.Value - Value) * (1 << 20) / 100);

    /// <summary>How many milliseconds before another point in time this was; 0 when it was not.</summary>
    public uint MillisecondsBefore(Ticks now) => IsAfter(now) ? 0 : (uint)AgeAt(now).TotalMilliseconds;

    /// <summary>So many milliseconds earlier; those that cannot be told from later ones count as 26 days.</summary>
    public Ticks Before(uint milliseconds) =>
        new(unchecked(Value - (uint)ulong.Min((ulong)milliseconds * 1_000_000 >> 20, int.MaxValue)));

    /// <summary>Whether this was later.</summary>
    public bool IsAfter(Ticks other) => unchecked((int)(Value - other.Value)) > 0;
}

/// <summary>Two words that take turns.</summary>
[InlineArray(2)]
public struct TwoWords
{
    private ulong _first;
}

/// <summary>Room that makes a key's size a multiple of four.</summary>
[InlineArray(3)]
public struct ThreeBytes
{
    private byte _first;
}

/// <summary>Real server ids of one address, for <c>lblcr</c>; 0 is free.</summary>
[InlineArray(8)]
public struct LocalityServers
{
    private ushort _first;
}
