using System.Net;
using System.Net.NetworkInformation;

namespace Bascule.Linux.Netlink;

/// <summary>An interface, as the kernel knows it.</summary>
/// <param name="Index">Its number in this network namespace.</param>
/// <param name="Name">Such as eth0.</param>
/// <param name="Mac">Empty where it has none.</param>
/// <param name="Mtu">Largest IP packet, bytes.</param>
/// <param name="IsUp">Switched on by the administrator.</param>
/// <param name="HasCarrier">The cable is in, the other side is there.</param>
/// <param name="IsLoopback">lo.</param>
/// <param name="Master">Index of the bridge or bond it belongs to; 0: none.</param>
public sealed record NetworkLink(int Index, string Name, PhysicalAddress Mac, int Mtu, bool IsUp, bool HasCarrier, bool IsLoopback, int Master);

/// <summary>An address of this machine.</summary>
public sealed record NetworkAddress(int InterfaceIndex, IPAddress Address, int PrefixLength);

/// <summary>What the kernel does with packets to a destination. linux/rtnetlink.h, RTN_….</summary>
public enum RouteKind
{
    /// <summary>Anything not listed here.</summary>
    Other = 0,

    /// <summary>Sends them on.</summary>
    Unicast = 1,

    /// <summary>They are for this machine.</summary>
    Local = 2,

    /// <summary>Sends them to everybody on the link.</summary>
    Broadcast = 3,

    /// <summary>Drops them.</summary>
    Blackhole = 6,

    /// <summary>Answers that there is no way.</summary>
    Unreachable = 7,

    /// <summary>Answers that it is forbidden.</summary>
    Prohibit = 8,
}

/// <summary>The way to a destination.</summary>
/// <param name="Kind">What happens with packets.</param>
/// <param name="InterfaceIndex">They leave here.</param>
/// <param name="Gateway">The next hop; null when the destination is on the link itself.</param>
/// <param name="Source">The address of ours that a socket would send from; null when the kernel does not say.</param>
/// <param name="Mtu">Of this route alone, bytes; 0: that of the interface.</param>
public sealed record NetworkRoute(RouteKind Kind, int InterfaceIndex, IPAddress? Gateway, IPAddress? Source, int Mtu);

/// <summary>What is known of a neighbour. linux/neighbour.h, NUD_….</summary>
[Flags]
public enum NeighbourState
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Being asked for.</summary>
    Incomplete = 1,

    /// <summary>Confirmed a moment ago.</summary>
    Reachable = 2,

    /// <summary>Was confirmed; in use without doubt until somebody asks.</summary>
    Stale = 4,

    /// <summary>About to be asked for again.</summary>
    Delay = 8,

    /// <summary>Being asked for again.</summary>
    Probe = 0x10,

    /// <summary>Did not answer.</summary>
    Failed = 0x20,

    /// <summary>Needs no resolving.</summary>
    NoArp = 0x40,

    /// <summary>Set by the administrator.</summary>
    Permanent = 0x80,
}

/// <summary>A neighbour on a link: ARP or IPv6 neighbour discovery.</summary>
/// <param name="InterfaceIndex">The link.</param>
/// <param name="Address">Its IP address.</param>
/// <param name="Mac">Null while it is not known.</param>
/// <param name="State">What is known.</param>
public sealed record Neighbour(int InterfaceIndex, IPAddress Address, PhysicalAddress? Mac, NeighbourState State)
{
    /// <summary>Whether packets can be sent to its MAC now.</summary>
    public bool IsUsable => Mac is not null && (State & (NeighbourState.Incomplete | NeighbourState.Failed)) == 0 && State != NeighbourState.None;
}

/// <summary>What changed. One of the properties is set, unless <see cref="IsOverrun"/>.</summary>
public sealed record NetworkEvent
{
    /// <summary>An interface came, went or changed.</summary>
    public NetworkLink? Link { get; init; }

    /// <summary>An address came or went.</summary>
    public NetworkAddress? Address { get; init; }

    /// <summary>A neighbour was found, lost or changed.</summary>
    public Neighbour? Neighbour { get; init; }

    /// <summary>A route came, went or changed: ask again for those in use.</summary>
    public bool IsRoute { get; init; }

    /// <summary>What is named is gone.</summary>
    public bool IsGone { get; init; }

    /// <summary>More changed than there was room to tell: read everything anew.</summary>
    public bool IsOverrun { get; init; }
}
