namespace Bascule.Lab;

/// <summary>Machines, the cables between them, and what makes each machine what it is. Pure text, the same every time.</summary>
/// <param name="lab">What every namespace's name begins with.</param>
/// <param name="roles">The machines; the first is what the others are plugged into.</param>
internal abstract class NetworkPlan(string lab, IEnumerable<string> roles)
{
    // The XDP hook sees packets as they are on the wire: no card would hand it a segment of 64 KiB or a checksum not yet computed.
    private const string OffloadsOff = "rx off tx off gso off tso off gro off";

    /// <summary>What every namespace's name begins with, and what the folders are called.</summary>
    public string Name { get; } = lab;

    /// <summary>Every machine; first the one that the others are plugged into.</summary>
    public IReadOnlyList<LabMachine> Machines { get; } = [.. roles.Select(role => new LabMachine(lab, role))];

    /// <summary>The far ends of the directors' cables, on the first machine.</summary>
    public abstract IReadOnlyList<string> DirectorsCables { get; }

    /// <summary>What the others are plugged into.</summary>
    public LabMachine Hub => Machines[0];

    /// <summary>The machine that plays this role.</summary>
    public LabMachine this[string role] => Machines.Single(machine => machine.Role == role);

    /// <summary>Makes the namespaces, and the cables between them: input of <c>ip -batch -</c>.</summary>
    public string Cables() => string.Join('\n', [.. Machines.Select(machine => $"netns add {machine.Namespace}"), .. AllCables(), ""]);

    /// <summary>What makes a machine what it is: a shell script to run in its namespace.</summary>
    public abstract string Script(LabMachine machine);

    /// <summary>Each made by <see cref="Cable"/>.</summary>
    protected abstract IEnumerable<string> AllCables();

    /// <summary>A cable from a port of a machine to one of the hub.</summary>
    // One queue each way: attaching XDP to one end wants as many receive queues there as the other end sends with.
    protected string Cable(string role, string port, string hubPort) =>
        $"link add {port} netns {this[role].Namespace} numtxqueues 1 numrxqueues 1 type veth "
        + $"peer name {hubPort} netns {Hub.Namespace} numtxqueues 1 numrxqueues 1";

    /// <summary>What every machine begins with.</summary>
    /// <param name="forwarding">1: it is a router.</param>
    // Duplicate address detection would keep a new IPv6 address silent for a second; redirects would let machines take short cuts
    // past the very path that is tried.
    protected static string Common(string forwarding) => $$"""
        cd /proc/sys/net
        for conf in ipv6/conf/*; do echo 0 > $conf/accept_dad; echo 0 > $conf/router_solicitations; echo 0 > $conf/accept_redirects; done
        for conf in ipv4/conf/*; do echo 0 > $conf/rp_filter; echo 0 > $conf/send_redirects; echo 0 > $conf/accept_redirects; done
        echo {{forwarding}} > ipv4/ip_forward; echo {{forwarding}} > ipv6/conf/all/forwarding
        ip link set lo up

        """;

    /// <summary>A port with its addresses.</summary>
    protected static string Port(string name, params string[] addresses) =>
        $"ethtool -K {name} {OffloadsOff} > /dev/null\nip link set {name} up\n" + Addresses(name, addresses);

    /// <summary>A switch with ports <c>NAME-PORT</c>, and addresses of its machine on it.</summary>
    protected static string Bridge(string name, IEnumerable<string> ports, params string[] addresses) =>
        $"ip link add {name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\nip link set {name} up\n"
        + string.Concat(ports.Select(port => $"{Port($"{name}-{port}")}ip link set {name}-{port} master {name}\n"))
        + Addresses(name, addresses);

    private static string Addresses(string name, string[] addresses) =>
        string.Concat(addresses.Select(address => $"ip address add {address} dev {name}{(address.Contains(':') ? " nodad" : "")}\n"));
}
