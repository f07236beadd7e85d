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
public sealed record NetworkLink(int Index, string Name, PhysicalAddress Mac, int Mtu, bool IsUp, bool HasCarrier, bool IsLoopback, int Master)
{
    /// <summary>What an administrator, or a program, noted about it; empty: nothing. IFLA_IFALIAS.</summary>
    public string Alias { get; init; } = "";

    /// <summary>Index of the interface that a macvlan or VLAN sits on; 0: none.</summary>
    public int Parent { get; init; }
}

/// <summary>An address of this machine.</summary>
public sealed record NetworkAddress(int InterfaceIndex, IPAddress Address, int PrefixLength);

/// <summary>An address of this machine, and what the kernel keeps with it.</summary>
/// <param name="Address">The address.</param>
/// <param name="Protocol">Who added it, IFA_PROTO; 0: not said (Linux before 5.18 does not keep it).</param>
/// <param name="Valid">How long the kernel keeps it yet, whole seconds; null: for ever.</param>
/// <param name="Label">IPv4: the interface's name, or another; IPv6 has none.</param>
/// <param name="HasNetworkRoute">Whether the kernel made the route to the address's network itself.</param>
public sealed record AssignedAddress(NetworkAddress Address, byte Protocol, TimeSpan? Valid, string? Label, bool HasNetworkRoute);

/// <summary>A route to be added or removed.</summary>
/// <param name="Destination">0.0.0.0/0 and ::/0 are the default routes.</param>
/// <param name="Gateway">The next hop; null: on the link itself.</param>
/// <param name="InterfaceIndex">Packets leave here.</param>
/// <param name="Source">What a socket sends from; null: the kernel's choice.</param>
/// <param name="Table">254 is the main one.</param>
/// <param name="Metric">0 is the best (IPv6: 1024 where 0 is said).</param>
public sealed record RouteEntry(IPNetwork Destination, IPAddress? Gateway, int InterfaceIndex, IPAddress? Source, int Table, int Metric)
{
    /// <summary>Packets to there are for this machine, as if it had the addresses; the interface is then the loopback's.</summary>
    public bool IsLocal { get; init; }
}

/// <summary>A routing rule to be added or removed.</summary>
/// <param name="From">0.0.0.0/0 and ::/0: any.</param>
/// <param name="To">The same family as <paramref name="From"/>.</param>
/// <param name="Table">Where packets that fit are looked up.</param>
/// <param name="Priority">Rules are asked in its order.</param>
public sealed record RuleEntry(IPNetwork From, IPNetwork To, int Table, int Priority)
{
    /// <summary>Of TCP from these ports alone, both included; null: all packets.</summary>
    public (ushort First, ushort Last)? FromPorts { get; init; }
}

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
