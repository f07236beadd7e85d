using Bascule.Core.Model;

namespace Bascule.Vrrp;

/// <summary>What one virtual router is told: RFC 9568 §6.1.</summary>
public sealed record VirtualRouter
{
    /// <summary>1 to 255, the same on all its routers.</summary>
    public required byte Id { get; init; }

    /// <inheritdoc cref="VrrpVersion"/>
    public VrrpVersion Version { get; init; } = VrrpVersion.V3;

    /// <summary>How often the Active router speaks. 10 ms to 40.95 s; version 2: whole seconds up to 255.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1); // RFC 9568 §6.1 default

    /// <summary>Whether a router of higher priority takes over from one of lower that serves. The owner (255) always does.</summary>
    public bool Preempts { get; init; } = true; // RFC 9568 §6.1 default

    /// <summary>How long it watches a router of lower priority serve before it takes over. Time to warm up after a start.</summary>
    public TimeSpan PreemptDelay { get; init; }

    /// <summary>
    /// Advertisements that may be missing before the Backup takes over: 3 in RFC 9568 §6.1. The same on all routers.
    /// </summary>
    public int MissedAdvertisements { get; init; } = 3;

    /// <summary>
    /// How long the kernel keeps the addresses without a word from us; zero: forever. An Active router whose thread slept that long, or
    /// as long as the others wait, gives up before it speaks again.
    /// </summary>
    public TimeSpan Lease { get; init; }
}

/// <summary>What the shell has to do, in the order of the members.</summary>
[Flags]
public enum VrrpActions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Take the virtual addresses off the interface, before anything is said.</summary>
    DropAddresses = 1 << 0,

    /// <summary>Send an advertisement of priority 0.</summary>
    SayGoodbye = 1 << 1,

    /// <summary>Put the virtual addresses on the interface.</summary>
    TakeAddresses = 1 << 2,

    /// <summary>Send an advertisement.</summary>
    Advertise = 1 << 3,

    /// <summary>Gratuitous ARP and unsolicited Neighbor Advertisements for every virtual address.</summary>
    Announce = 1 << 4,
}
