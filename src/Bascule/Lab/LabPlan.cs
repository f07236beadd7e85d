namespace Bascule.Lab;

/// <summary>
/// The lab on paper: which machines there are, and the commands that make them. Pure text, the same every time.
/// <code>
///            client 198.51.100.2
///               │
///            router                          192.0.2.0/24 is reached by way of the director
///          ┌────┴──────────────┐
///   lan    │ 10.0.0.0/24       │ far 10.0.1.0/24
///   ═╤═════╧═════╤══╤══╤═    ══╧═══╤══╤══╤══
///    │ .2        │  │  │           │  │  │       alpha .11, beta .12, gamma .13 in each of the three networks,
///   director    alpha beta gamma  (the same three)  and the virtual addresses on their loopback, silently
///    │ .1        │  │  │
///   ═╧═══════════╧══╧══╧═
///   inside 10.0.2.0/24
/// </code>
/// Each way of forwarding has a network that suits it. <c>lan</c>: director and real servers are neighbours (direct routing, full NAT).
/// <c>far</c>: a router lies between (tunnels). <c>inside</c>: the director is the way out (NAT).
/// </summary>
/// <param name="lab">The lab's name, which every namespace begins with.</param>
internal sealed class LabPlan(string lab) : NetworkPlan(lab, ["router", "client", "director", .. RealServers])
{
    /// <summary>The virtual addresses.</summary>
    public const string VirtualAddress = "192.0.2.10", VirtualAddress6 = "2001:db8::10";

    /// <summary>The client's.</summary>
    public const string Client = "198.51.100.2", Client6 = "2001:db8:c::2";

    /// <summary>The director's in the lan.</summary>
    public const string Director = "10.0.0.2", Director6 = "fd00::2";

    /// <summary>A second one there, that full NAT takes as source: its ports are not in use by anybody else.</summary>
    public const string NatSource = "10.0.0.3", NatSource6 = "fd00::3";

    /// <summary>The names of the real servers; the first has the host number 11 in each network.</summary>
    public static readonly string[] RealServers = ["alpha", "beta", "gamma"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> DirectorsCables { get; } = ["lan-director", "inside-director"];

    /// <summary>The host number of a real server: the last part of its addresses.</summary>
    public static int HostOf(string realServer) => 11 + Array.IndexOf(RealServers, realServer);

    /// <summary>A real server's address in a network.</summary>
    public static string AddressOf(string realServer, LabSegment segment) => $"10.0.{(int)segment}.{HostOf(realServer)}";

    /// <summary>A real server's IPv6 address in a network.</summary>
    public static string Address6Of(string realServer, LabSegment segment) =>
        segment == LabSegment.Lan ? $"fd00::{HostOf(realServer)}" : $"fd00:{(int)segment}::{HostOf(realServer)}";

    /// <inheritdoc/>
    public override string Script(LabMachine machine) => machine.Role switch
    {
        "router" => Router(),
        "client" => ClientScript,
        "director" => DirectorScript,
        _ => RealServer(machine.Role),
    };

    /// <inheritdoc/>
    protected override IEnumerable<string> AllCables() =>
    [
        Cable("client", "eth0", "client"),
        Cable("director", "eth0", "lan-director"),
        Cable("director", "eth1", "inside-director"),
        .. RealServers.SelectMany(name => (string[])
        [
            Cable(name, "eth0", $"lan-{name}"),
            Cable(name, "eth1", $"far-{name}"),
            Cable(name, "eth2", $"inside-{name}"),
        ]),
    ];

    private static string Router() => Common("1")
        + Port("client", "198.51.100.1/24", "2001:db8:c::1/64")
        + Bridge("lan", ["director", .. RealServers], "10.0.0.1/24", "fd00::1/64")
        + Bridge("far", RealServers, "10.0.1.1/24", "fd00:1::1/64")
        + Bridge("inside", ["director", .. RealServers])
        + $"""
        ip route add 192.0.2.0/24 via {Director}
        ip -6 route add 2001:db8::/64 via {Director6}

        """;

    private static string ClientScript => Common("0")
        + Port("eth0", [.. Enumerable.Range(2, 8).SelectMany(host => (string[])[$"198.51.100.{host}/24", $"2001:db8:c::{host}/64"])])
        + """
        ip route add default via 198.51.100.1 src 198.51.100.2
        ip -6 route add default via 2001:db8:c::1 src 2001:db8:c::2

        """;

    // It forwards: the real servers behind it have no other way out, and the routing table answers the datapath only where the
    // interface may forward.
    private static string DirectorScript => Common("1")
        + Port("eth0", $"{Director}/24", $"{Director6}/64", $"{NatSource}/24", $"{NatSource6}/64")
        + Port("eth1", "10.0.2.1/24", "fd00:2::1/64")
        + $"""
        ip address add {VirtualAddress}/32 dev lo
        ip address add {VirtualAddress6}/128 dev lo nodad
        ip route add default via 10.0.0.1
        ip -6 route add default via fd00::1

        """;

    // What it sends as its own address inside goes out by the director, and as anyone else (the virtual address) by the router.
    // arp_ignore 1: answer for an address only on the interface that has it; arp_announce 2: never ask in the name of the virtual one.
    private static string RealServer(string name) => Common("0")
        + Port("eth0", $"{AddressOf(name, LabSegment.Lan)}/24", $"{Address6Of(name, LabSegment.Lan)}/64")
        + Port("eth1", $"{AddressOf(name, LabSegment.Far)}/24", $"{Address6Of(name, LabSegment.Far)}/64")
        + Port("eth2", $"{AddressOf(name, LabSegment.Inside)}/24", $"{Address6Of(name, LabSegment.Inside)}/64")
        + $"""
        for conf in ipv4/conf/*; do echo 1 > $conf/arp_ignore; echo 2 > $conf/arp_announce; done
        ip address add {VirtualAddress}/32 dev lo
        ip address add {VirtualAddress6}/128 dev lo nodad
        ip route add default via 10.0.0.1
        ip -6 route add default via fd00::1
        ip rule add from {AddressOf(name, LabSegment.Inside)} table 2
        ip -6 rule add from {Address6Of(name, LabSegment.Inside)} table 2
        ip route add 10.0.2.0/24 dev eth2 table 2
        ip route add default via 10.0.2.1 table 2
        ip -6 route add fd00:2::/64 dev eth2 table 2
        ip -6 route add default via fd00:2::1 table 2

        """;
}
