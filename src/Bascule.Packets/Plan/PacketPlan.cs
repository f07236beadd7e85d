using System.Collections.Immutable;
using System.Net;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Plan;

/// <summary>What one virtual server shall look like in the kernel.</summary>
/// <param name="Entry">Its entry in <c>virtual_servers</c>.</param>
/// <param name="Slots">Its hash table.</param>
/// <param name="Members">Its real servers, in the order of the file (all of them where it schedules by them and not by its table); the first <see cref="VirtualServer.Members"/> of <c>members</c>.</param>
/// <param name="Prefixes">Who may send to it; empty: everyone.</param>
public sealed record VirtualServerPlan(
    VirtualServer Entry, ImmutableArray<Slot> Slots, ImmutableArray<ushort> Members, ImmutableDictionary<IPNetwork, PrefixRule> Prefixes);

/// <summary>What the maps of the datapath shall hold. Immutable: the engine writes the difference between two plans.</summary>
public sealed record PacketPlan
{
    /// <summary>Nothing is served.</summary>
    public static PacketPlan Empty { get; } = new();

    /// <summary>Which virtual server has which address.</summary>
    public ImmutableDictionary<ServiceKey, ushort> Services { get; init; } = ImmutableDictionary<ServiceKey, ushort>.Empty;

    /// <summary>By id.</summary>
    public ImmutableDictionary<ushort, VirtualServerPlan> VirtualServers { get; init; } = ImmutableDictionary<ushort, VirtualServerPlan>.Empty;

    /// <summary>By id; those that are gone and whose flows are not over yet are among them.</summary>
    public ImmutableDictionary<ushort, RealServer> RealServers { get; init; } = ImmutableDictionary<ushort, RealServer>.Empty;

    /// <summary>By real server id, the virtual address that its checks go to; see bpf/probe.h.</summary>
    public ImmutableDictionary<ushort, IPAddress> ProbeTargets { get; init; } = ImmutableDictionary<ushort, IPAddress>.Empty;
}

/// <summary>One thing to write to the maps.</summary>
public abstract record MapChange;

/// <summary>Writes a real server's entry; all zero when it is no longer used.</summary>
public sealed record PutRealServer(ushort Id, RealServer Entry) : MapChange;

/// <summary>Swaps a virtual server's list of real servers.</summary>
public sealed record PutMembers(ushort VirtualServer, ImmutableArray<ushort> Members) : MapChange;

/// <summary>Swaps a virtual server's hash table.</summary>
public sealed record PutTable(ushort VirtualServer, ImmutableArray<Slot> Slots) : MapChange;

/// <summary>Writes a virtual server's entry.</summary>
public sealed record PutVirtualServer(ushort Id, VirtualServer Entry) : MapChange;

/// <summary>Says whether clients of a prefix may send.</summary>
public sealed record PutPrefix(ushort VirtualServer, IPNetwork Prefix, PrefixRule Rule) : MapChange;

/// <summary>Says nothing about a prefix any more.</summary>
public sealed record RemovePrefix(ushort VirtualServer, IPNetwork Prefix) : MapChange;

/// <summary>Sends the checks of a real server to a virtual address, on the way that clients' packets take.</summary>
public sealed record PutProbeTarget(ushort RealServer, IPAddress VirtualAddress) : MapChange;

/// <summary>Sends its checks to its own address again.</summary>
public sealed record RemoveProbeTarget(ushort RealServer) : MapChange;

/// <summary>From now on packets to this address are that virtual server's: the one step clients notice.</summary>
public sealed record PutService(ServiceKey Key, ushort VirtualServer) : MapChange;

/// <summary>From now on packets to this address are the network stack's.</summary>
public sealed record RemoveService(ServiceKey Key) : MapChange;

/// <summary>Lets go of a virtual server that no service names any more.</summary>
public sealed record RemoveVirtualServer(ushort Id) : MapChange;
