using System.Collections.Immutable;
using System.Net;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Plan;

/// <summary>The way to a real server.</summary>
/// <param name="Interface">Index of the interface its next hop is on.</param>
/// <param name="Mtu">Largest IP packet that fits there, in bytes.</param>
/// <param name="OwnMac">Of the interface; null where it has none.</param>
/// <param name="NeighbourMac">Of the next hop; null while the kernel does not know it.</param>
/// <param name="Source">The director's address on that way; null when it has none of the family.</param>
public sealed record NextHop(int Interface, int Mtu, Mac? OwnMac, Mac? NeighbourMac, IPAddress? Source)
{
    /// <summary>Whether a frame can be addressed to it.</summary>
    public bool IsResolved => OwnMac is not null && NeighbourMac is not null;
}

/// <summary>What the kernel's routing and neighbour tables say about the addresses that matter here. Immutable.</summary>
public sealed record Surroundings
{
    /// <summary>Nothing known.</summary>
    public static Surroundings Unknown { get; } = new();

    /// <summary>By the real server's address; absent: no route.</summary>
    public ImmutableDictionary<IPAddress, NextHop> NextHops { get; init; } = ImmutableDictionary<IPAddress, NextHop>.Empty;

    /// <summary>Addresses of this machine.</summary>
    public ImmutableHashSet<IPAddress> Own { get; init; } = [];
}
