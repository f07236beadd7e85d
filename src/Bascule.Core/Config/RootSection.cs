using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>The whole file.</summary>
internal static class RootSection
{
    public static readonly Setting<int> Workers = new("workers", new CountForm(1, 256))
    {
        Doc = "Reactor threads. Each has its own listeners, connections and buffers.",
        Otherwise = "one per core",
        Source = "no thread waits for another, so more than one per core gains nothing",
        Example = "workers: 2",
        AlsoCalled = ["threads", "nbthread", "worker_processes"],
    };

    public static readonly Setting<Fields> Admin = new("admin", AdminSection.Section)
    {
        Doc = "How the running daemon is reached.",
        Default = Fields.Nothing,
        Otherwise = "each of its settings has its default",
        Example = "admin: { socket: /run/bascule/admin.sock }",
    };

    public static readonly Setting<TimeSpan> ShutdownTimeout = new("shutdownTimeout", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(1)))
    {
        Doc = "How long requests and connections may take to finish after SIGTERM. 0s ends them at once.",
        Default = TimeSpan.FromSeconds(30),
        Source = "Kubernetes' terminationGracePeriodSeconds",
        Example = "shutdownTimeout: 30s",
        AlsoCalled = ["hard-stop-after", "worker_shutdown_timeout"],
    };

    public static readonly Setting<Fields> Limits = new("limits", LimitsSection.Section)
    {
        Doc = "What every worker holds itself to.",
        Default = Fields.Nothing,
        Otherwise = "each of its settings has its default",
        Example = "limits: { connectionsPerWorker: 20000 }",
    };

    public static readonly Setting<Fields> Packets = new("packets", PacketsSection.Section)
    {
        Doc = "The packet datapath.",
        Default = Fields.Nothing,
        Otherwise = "there is none: every virtual server is on the proxy",
        Example = "packets: { interfaces: [eth0] }",
        AlsoCalled = ["xdp", "datapath", "ipvs", "lvs"],
    };

    public static readonly Setting<string> NodeName = new("node", new TextForm("a name", NameRule.Longest, (_, text) => NameRule.Any.Check(text)))
    {
        Doc = "This director's name among its peers, and in what it says of itself: 1 to 64 letters, digits, `.`, `_` and `-`. Required with `ha.peers`.",
        Otherwise = "the host name",
        Source = "what the machine is called already",
        Example = "node: director-1",
        AlsoCalled = ["name", "hostname", "router_id", "nodename"],
    };

    public static readonly Setting<Fields> Ha = new("ha", HaSection.Section)
    {
        Doc = "Directors that share virtual addresses.",
        Default = Fields.Nothing,
        Otherwise = "this director is alone",
        Example = "ha: { instances: { web-vip: { interface: eth0, virtualRouterId: 51, addresses: [192.0.2.10/24] } } }",
        AlsoCalled = ["vrrp", "failover", "cluster", "vrrp_instance", "keepalived", "heartbeat"],
    };

    public static readonly Setting<ImmutableArray<Named>> Notify = new("notify", new NamedForm(
        NotifySection.Section, new("there is nobody to notify", "write at least one receiver, such as `log: { syslog: local }`, or leave `notify` out")))
    {
        Doc = "Who is told of changes of state, each under a name of your choice.",
        Otherwise = "nobody is told; the daemon's own log says it all the same",
        Source = "ours; there is nobody to guess",
        Example = "notify: { pager: { command: [/usr/local/bin/told] } }",
        AlsoCalled = ["notifications", "alerts", "global_defs", "notification_email"],
    };

    public static readonly Setting<string> StateFile = new("stateFile", PathForms.File("/var/lib/bascule/state.json"))
    {
        Doc = "Where it is kept what operators want of real servers and virtual servers (`bascule drain`, `maintenance`, `enable`), so that a restart changes none of it. Its folder is made when it is not there. Each director's own.",
        Otherwise = "`state.json` in `ha.stateFolder`, which is /var/lib/bascule unless told",
        Source = "Filesystem Hierarchy Standard 3.0 §5.8",
        Example = "stateFile: /var/lib/bascule/state.json",
        AlsoCalled = ["server-state-file", "state", "stateFolder"],
    };

    public static readonly Setting<ImmutableArray<Named>> VirtualServers = new("virtualServers", new NamedForm(
        VirtualServerSection.Section, new("there are no virtual servers, so there is nothing to do", "write at least one, such as `web: { address: 192.0.2.10:80, realServers: [10.0.0.11:8080] }`")))
    {
        Doc = "The virtual servers, each under a name of your choice: 1 to 64 letters, digits, `.`, `_` and `-`. Logs, metrics and `bascule status` use it.",
        Example = "virtualServers: { web: { address: 192.0.2.10:80, realServers: [10.0.0.11:8080] } }",
        AlsoCalled = ["services", "frontends", "listeners", "servers", "sites"],
    };

    public static readonly Section Section = new("file", Workers, Admin, ShutdownTimeout, Limits, Packets, VirtualServers, NodeName, Ha, Notify, StateFile)
    {
        Doc = "A Bascule configuration.",
        Place = "at the top of the file",
        Rule = (_, fields, problems) =>
        {
            Overlaps.Refuse(fields.FindValue(VirtualServers) ?? [], problems);
            RequirePackets(fields, problems);
            HaRules.RelateToFile(fields, problems);
        },
    };

    public static Configuration Meant(Fields fields)
    {
        HaSettings? ha = fields.IsWritten(Ha) ? HaSection.Meant(fields.Get(Ha)) : null;
        return new()
        {
            Workers = fields.FindValue(Workers),
            AdminSocket = fields.Get(Admin).Get(AdminSection.Socket),
            ShutdownTimeout = fields.Get(ShutdownTimeout),
            Limits = LimitsSection.Meant(fields.Get(Limits)),
            Packets = fields.IsWritten(Packets) ? PacketsSection.Meant(fields.Get(Packets), ha) : null,
            StateFile = fields.Find(StateFile) ?? $"{ha?.StateFolder ?? HaSection.StateFolder.Default}/state.json",
            Node = fields.Find(NodeName),
            Ha = ha,
            Notify = [.. (fields.FindValue(Notify) ?? []).Select(n => NotifySection.Meant(n.Name, n.Fields))],
            VirtualServers = [.. fields.Get(VirtualServers).Select(v => VirtualServerSection.Meant(v.Name, v.Fields))],
        };
    }

    private static void RequirePackets(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Packets) || problems.IsPartial)
            return;
        foreach ((string name, Fields virtualServer) in fields.FindValue(VirtualServers) ?? [])
        {
            if (ForwardRules.IsOnDatapath(virtualServer) == true)
                problems.Add(virtualServer.AtOf(VirtualServerSection.Forward), $"`{name}` is on the packet datapath, and nothing says on which interfaces that is", "add `packets: { interfaces: [eth0] }` at the top of the file, with the interfaces on which clients' packets come in");
        }
    }
}

/// <summary>How the running daemon is reached.</summary>
internal static class AdminSection
{
    /// <summary>unix(7): sun_path holds 108 bytes, the last of which is 0.</summary>
    private const int LongestSocketPath = 107;

    public static readonly Setting<string> Socket = new("socket", new TextForm("an absolute path", LongestSocketPath, AbsolutePath))
    {
        Doc = "Path of the unix socket on which the daemon answers `bascule status` and `bascule reload`; at most 107 bytes (unix(7)).",
        Default = "/run/bascule/admin.sock",
        Source = "Filesystem Hierarchy Standard 3.0 §3.15",
        Example = "socket: /run/bascule/admin.sock",
        AlsoCalled = ["path", "listen"],
    };

    public static readonly Section Section = new("admin", Socket)
    {
        Doc = "How the running daemon is reached. Nothing listens on TCP.",
        Place = "in `admin`",
    };

    private static Complaint? AbsolutePath(string name, string text)
    {
        if (!text.StartsWith('/') || text.EndsWith('/'))
            return new($"`{name}: {Show.Safe(text)}` is not the absolute path of a file", "write a path that begins with a slash and ends with a file name, such as /run/bascule/admin.sock");
        if (text.Any(char.IsControl))
            return new($"`{name}: {Show.Safe(text)}` has a control character", "remove it");
        return System.Text.Encoding.UTF8.GetByteCount(text) > LongestSocketPath
            ? new($"`{name}` is longer than the {LongestSocketPath} bytes the kernel allows", "choose a shorter path")
            : null;
    }
}
