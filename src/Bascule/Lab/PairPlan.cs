namespace Bascule.Lab;

/// <summary>
/// A pair of directors on paper. A switch joins everybody; its ports are where cables are cut.
/// <code>
///   client 192.0.2.100     stranger 192.0.2.66
///      │                      │
///   ═══╧═══╤══════════════╤═══╧═══  lan 192.0.2.0/24, 2001:db8:1::/64: the virtual addresses are here
///          │ .1           │ .2
///      director-1 ══════ director-2    heart 10.1.0.0/24: a second link between the two
///          │ .2           │ .3
///   ═══════╧══╤═══╤═══╤═══╧═══════  inside 10.0.2.0/24
///          alpha beta gamma           .11 to .13; their gateway is 10.0.2.1, a virtual address too
/// </code>
/// A director's port is eth0 in the lan, eth1 on the heart, eth2 inside.
/// </summary>
/// <param name="lab">The lab's name, which every namespace begins with.</param>
internal sealed class PairPlan(string lab) : NetworkPlan(lab, ["switch", "client", "stranger", .. Directors, .. LabPlan.RealServers])
{
    /// <summary>Virtual addresses in the lan; clients use them.</summary>
    public const string VirtualAddress = "192.0.2.10", OtherVirtualAddress = "192.0.2.20", VirtualAddress6 = "2001:db8:1::10";

    /// <summary>The virtual address inside: the real servers' gateway.</summary>
    public const string InsideAddress = "10.0.2.1";

    /// <summary>All of them.</summary>
    public static readonly string[] Virtual = [VirtualAddress, OtherVirtualAddress, VirtualAddress6, InsideAddress];

    /// <summary>Who asks.</summary>
    public const string Client = "192.0.2.100", Client6 = "2001:db8:1::100";

    /// <summary>A machine in the lan that nobody invited.</summary>
    public const string Stranger = "192.0.2.66";

    /// <summary>The two.</summary>
    public static readonly string[] Directors = ["director-1", "director-2"];

    /// <summary>The networks, which are bridges of the switch.</summary>
    public static readonly string[] Segments = ["lan", "heart", "inside"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> DirectorsCables { get; } = [.. Segments.SelectMany(segment => Directors.Select(d => PortOf(d, segment)))];

    /// <summary>The switch's port that a director's cable is in.</summary>
    public static string PortOf(string director, string segment) => $"{segment}-{NumberOf(director)}";

    /// <summary>A director's own address in the lan.</summary>
    public static string LanOf(string director) => $"192.0.2.{NumberOf(director)}";

    /// <summary>A director's own IPv6 address in the lan.</summary>
    public static string Lan6Of(string director) => $"2001:db8:1::{NumberOf(director)}";

    /// <summary>A director's address on the heart.</summary>
    public static string HeartOf(string director) => $"10.1.0.{NumberOf(director)}";

    /// <summary>The other one.</summary>
    public static string OtherOf(string director) => Directors.Single(other => other != director);

    /// <summary>A director's MAC address in the lan: told apart at a glance.</summary>
    public static string MacOf(string director) => $"02:ba:5c:00:00:0{NumberOf(director)}";

    /// <inheritdoc/>
    public override string Script(LabMachine machine) => machine.Role switch
    {
        "switch" => Switch(),
        "client" => Common("0") + Port("eth0", $"{Client}/24", $"{Client6}/64"),
        "stranger" => Common("0") + Port("eth0", $"{Stranger}/24", "2001:db8:1::66/64"),
        "director-1" or "director-2" => Director(machine.Role),
        _ => RealServer(machine.Role),
    };

    /// <inheritdoc/>
    protected override IEnumerable<string> AllCables() =>
    [
        Cable("client", "eth0", "lan-client"),
        Cable("stranger", "eth0", "lan-stranger"),
        .. Directors.SelectMany(name => Segments.Select((segment, i) => Cable(name, $"eth{i}", PortOf(name, segment)))),
        .. LabPlan.RealServers.Select(name => Cable(name, "eth0", $"inside-{name}")),
    ];

    private static string Switch() => Common("0")
        + Bridge("lan", ["client", "stranger", "1", "2"])
        + Bridge("heart", ["1", "2"])
        + Bridge("inside", ["1", "2", .. LabPlan.RealServers]);

    private static string Director(string name) => Common("1")
        + $"ip link set eth0 address {MacOf(name)}\n"
        + Port("eth0", $"{LanOf(name)}/24", $"{Lan6Of(name)}/64")
        + Port("eth1", $"{HeartOf(name)}/24")
        + Port("eth2", $"10.0.2.{NumberOf(name) + 1}/24");

    private static string RealServer(string name) => Common("0")
        + Port("eth0", $"{LabPlan.AddressOf(name, LabSegment.Inside)}/24")
        + $"ip route add default via {InsideAddress}\n";

    private static int NumberOf(string director) => Array.IndexOf(Directors, director) + 1;
}
