using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>An address clients use, with its scheduler and its real servers.</summary>
internal static class VirtualServerSection
{
    public static readonly Setting<WrittenAddress> Address = new("address", AddressForm.Listener)
    {
        Doc = "Where clients connect: an IP address and a port. `\"*:80\"` and `0.0.0.0:80` mean every IPv4 address of this machine, `\"[::]:80\"` every IPv6 address and no IPv4 one. What begins with `*` or `[` needs quotes.",
        Example = "address: 192.0.2.10:80",
        AlsoCalled = ["listen", "bind", "vip", "virtualAddress", "port"],
    };

    public static readonly Setting<VirtualServerProtocol> Protocol = new("protocol", new ChoiceForm<VirtualServerProtocol>(
        new("tcp", VirtualServerProtocol.Tcp, "One scheduling decision per connection; bytes are relayed.", "stream", "l4"),
        new("http", VirtualServerProtocol.Http, "HTTP/1.1: one scheduling decision per request.", "http1", "http/1.1", "l7")))
    {
        Doc = "What is switched: the bytes of a connection, or each HTTP request by itself.",
        Default = VirtualServerProtocol.Tcp,
        Source = "IPVS: connections are what a director switches",
        Example = "protocol: http",
        AlsoCalled = ["mode"],
    };

    public static readonly Setting<SchedulerKind> Scheduler = new("scheduler", new ChoiceForm<SchedulerKind>(
        new("rr", SchedulerKind.RoundRobin, "Each in turn.", "roundrobin", "round-robin", "round_robin"),
        new("wrr", SchedulerKind.WeightedRoundRobin, "Each in turn, in proportion to its weight.", "weighted-round-robin", "static-rr"),
        new("lc", SchedulerKind.LeastConnection, "The fewest connections.", "leastconn", "least_conn", "least-connections"),
        new("wlc", SchedulerKind.WeightedLeastConnection, "The fewest connections for its weight.", "weighted-least-connections"),
        new("sed", SchedulerKind.ShortestExpectedDelay, "Shortest expected delay."),
        new("nq", SchedulerKind.NeverQueue, "An idle one, else shortest expected delay."),
        new("random", SchedulerKind.Random, "By chance, in proportion to its weight.", "rand"),
        new("twos", SchedulerKind.PowerOfTwoChoices, "The less busy of two taken by chance.", "p2c", "two"),
        new("sh", SchedulerKind.SourceHash, "By the client's address.", "source", "ip_hash", "source-hash")))
    {
        Doc = "Chooses the real server.",
        Default = SchedulerKind.WeightedLeastConnection,
        Source = "ipvsadm",
        Example = "scheduler: wlc",
        AlsoCalled = ["balance", "algorithm", "lb_algo", "lvs_sched", "policy", "lb_policy"],
    };

    public static readonly Setting<Fields> Check = new("check", CheckSection.Section)
    {
        Doc = "The question asked of every real server. A real server gets nothing before its first check has passed; the first runs at once.",
        Default = Fields.Nothing,
        Otherwise = "`tcp`: does it accept a connection?",
        Source = "keepalived TCP_CHECK: the question every real server can answer",
        Example = "check: { type: http, path: /healthz }",
        AlsoCalled = ["healthCheck", "health", "httpchk", "option httpchk"],
    };

    public static readonly Setting<ImmutableArray<Fields>> RealServers = new("realServers", new ListForm<Fields>(
        RealServerSection.Section, new("there are no real servers, so nobody would do the work", "list at least one under `realServers`, such as `- 10.0.0.11:8080`")))
    {
        Doc = "The machines that do the work; at least one, no address twice.",
        Example = "realServers: [10.0.0.11:8080, 10.0.0.12:8080]",
        AlsoCalled = ["servers", "backends", "backend", "upstreams", "upstream", "pool", "members", "nodes", "targets"],
    };

    public static readonly Setting<WrittenAddress> SorryServer = new("sorryServer", AddressForm.RealServer)
    {
        Doc = "Answers when no real server can take a connection. It is never checked. Without a port, the virtual server's.",
        Otherwise = "nobody answers: http clients get 503, tcp clients a reset",
        Source = "keepalived sorry_server has none either",
        Example = "sorryServer: 10.0.0.99:8080",
        AlsoCalled = ["fallback", "backup"],
    };

    public static readonly Setting<Fields> Timeouts = new("timeouts", TimeoutsSection.Section)
    {
        Doc = "How long it waits, and for what.",
        Default = Fields.Nothing,
        Otherwise = "each of its settings has its default",
        Example = "timeouts: { connect: 5s }",
    };

    public static readonly Section Section = new("virtualServer", Address, Protocol, Scheduler, Check, RealServers, SorryServer, Timeouts)
    {
        Doc = "An address clients use, with its scheduler and its real servers. It stands under `virtualServers`, below its name.",
        Place = "in a virtual server",
        Rule = Relate,
    };

    public static bool IsEveryAddress(IPAddress ip) => ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any);

    public static VirtualServer Meant(string name, Fields fields)
    {
        WrittenAddress address = fields.Get(Address);
        int port = address.Port!.Value; // AddressForm.Listener requires it
        return new()
        {
            Name = name,
            Address = address.WithPort(port),
            Protocol = fields.Get(Protocol),
            Scheduler = fields.Get(Scheduler),
            Check = CheckSection.Meant(fields.Get(Check)),
            RealServers = [.. fields.Get(RealServers).Select(r => RealServerSection.Meant(r, port))],
            SorryServer = fields.Find(SorryServer)?.WithPort(port),
            Timeouts = TimeoutsSection.Meant(fields.Get(Timeouts)),
        };
    }

    private static void Relate(string name, Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(Protocol))
            TimeoutsSection.RefuseUnused(fields.Get(Timeouts), fields.Get(Protocol), problems);
        if (fields.Find(Address) is not { Port: { } port } address)
            return;
        RefuseSameRealServer(fields, port, problems);
        foreach ((IPEndPoint target, Location at) in Targets(fields, port).Where(t => IsOwn(t.Address, address, port)))
            problems.Add(at, $"{target} is the address `{name}` itself listens on, so its connections would go round in circles", "write the address of the machine that does the work");
    }

    private static void RefuseSameRealServer(Fields fields, int port, ProblemList problems)
    {
        Dictionary<IPEndPoint, int> lines = [];
        foreach (Fields realServer in fields.FindValue(RealServers) ?? [])
        {
            if (realServer.Find(RealServerSection.Address)?.WithPort(port) is not { } address || lines.TryAdd(address, realServer.At.Line))
                continue;
            problems.Add(realServer.AtOf(RealServerSection.Address), $"the real server {address} is listed twice; the first is on line {lines[address]}",
                "keep one; to give it more of the work raise its `weight`");
        }
    }

    /// <summary>Everything it would connect to.</summary>
    private static IEnumerable<(IPEndPoint Address, Location At)> Targets(Fields fields, int port)
    {
        foreach (Fields realServer in fields.FindValue(RealServers) ?? [])
        {
            if (realServer.Find(RealServerSection.Address) is { } address)
                yield return (address.WithPort(port), realServer.AtOf(RealServerSection.Address));
        }

        if (fields.Find(SorryServer) is { } sorry)
            yield return (sorry.WithPort(port), fields.AtOf(SorryServer));
    }

    private static bool IsOwn(IPEndPoint target, WrittenAddress listener, int port) =>
        target.Port == port
        && (target.Address.Equals(listener.Ip)
            || (IsEveryAddress(listener.Ip) && IPAddress.IsLoopback(target.Address) && target.AddressFamily == listener.Ip.AddressFamily));
}

/// <summary>A machine that does the work.</summary>
internal static class RealServerSection
{
    public static readonly Setting<WrittenAddress> Address = new("address", AddressForm.RealServer)
    {
        Doc = "Where the director connects. Without a port, the virtual server's.",
        Example = "address: 10.0.0.11:8080",
        AlsoCalled = ["host", "server", "ip", "url", "port"],
    };

    public static readonly Setting<int> Weight = new("weight", new CountForm(0, 65_535))
    {
        Doc = "Its share of the work relative to the others. 0 takes no new connections; old ones finish.",
        Default = 1,
        Source = "ipvsadm",
        Example = "weight: 3",
    };

    public static readonly Section Section = new("realServer", Address, Weight)
    {
        Doc = "A machine that does the work: an address, or a map when more is to be said about it. It is an item of `realServers`.",
        Place = "in a real server",
        Short = Address,
    };

    public static RealServer Meant(Fields fields, int port) => new(fields.Get(Address).WithPort(port), fields.Get(Weight));
}
