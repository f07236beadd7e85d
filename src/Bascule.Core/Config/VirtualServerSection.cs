using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Config.Checks;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>The addresses clients use, with their scheduler and their real servers.</summary>
internal static class VirtualServerSection
{
    public static readonly Setting<ListenAddress> Address = new("address", new ListenForm())
    {
        Doc = "Where clients connect: an IP address and a port, or a range of at most 1,024 ports. `\"*:80\"` and `0.0.0.0:80` mean every IPv4 address of this machine, `\"[::]:80\"` every IPv6 address and no IPv4 one; on the datapath, every address of packets that come by. There `192.0.2.10:*` means every port. What begins with `*` or `[` needs quotes. Either this or `addresses`.",
        Otherwise = "as `addresses` says",
        Source = "one of the two must be there",
        Example = "address: 192.0.2.10:80",
        AlsoCalled = ["listen", "bind", "vip", "virtualAddress", "port"],
    };

    public static readonly Setting<ImmutableArray<Placed<ListenAddress>>> Addresses = new("addresses", new ListForm<Placed<ListenAddress>>(
        new PlacedForm<ListenAddress>(new ListenForm()), new("there are no addresses, so no client can connect", "list at least one, such as `addresses: [192.0.2.10:80, 192.0.2.10:443]`")))
    {
        Doc = "Several places where clients connect, each as in `address`: one scheduler, one set of sessions and one set of counters serve them all. On the proxy they may be of both families.",
        Otherwise = "the one of `address`",
        Source = "what IPVS does with a firewall mark",
        Example = "addresses: [192.0.2.10:80, 192.0.2.10:443, 192.0.2.10:8000-8099]",
        AlsoCalled = ["fwmark", "virtual_server_group", "listeners", "vips", "binds", "ports"],
    };

    public static readonly Setting<VirtualServerProtocol> Protocol = new("protocol", new ChoiceForm<VirtualServerProtocol>(
        new("tcp", VirtualServerProtocol.Tcp, "One scheduling decision per connection.", "stream", "l4"),
        new("http", VirtualServerProtocol.Http, "HTTP/1.1: one scheduling decision per request.", "http1", "http/1.1", "l7"),
        new("udp", VirtualServerProtocol.Udp, "One scheduling decision per session (the datagrams of one client address and port), or per packet.", "dgram")))
    {
        Doc = "What is switched: connections, each HTTP request by itself, or UDP sessions.",
        Default = VirtualServerProtocol.Tcp,
        Source = "IPVS: connections are what a director switches",
        Example = "protocol: http",
        AlsoCalled = ["mode"],
    };

    public static readonly Setting<Fields> Forward = new("forward", ForwardSection.Section)
    {
        Doc = "How what clients send reaches the real servers.",
        Default = Fields.Nothing,
        Otherwise = "`proxy`",
        Example = "forward: dr",
        AlsoCalled = ["method", "lvs_method", "lb_kind", "lvs_sched_method", "forwarding"],
    };

    public static readonly Setting<Fields> Scheduler = new("scheduler", SchedulerSection.Section)
    {
        Doc = "Chooses the real server.",
        Default = Fields.Nothing,
        Otherwise = "`wlc`",
        Example = "scheduler: wlc",
        AlsoCalled = ["balance", "algorithm", "lb_algo", "lvs_sched", "policy", "lb_policy"],
    };

    public static readonly Setting<Fields> Persistence = new("persistence", PersistenceSection.Section)
    {
        Doc = "The same client returns to the same real server, whatever the scheduler would say.",
        Default = Fields.Nothing,
        Otherwise = "the scheduler alone decides",
        Example = "persistence: { by: source, timeout: 5m }",
        AlsoCalled = ["persistent", "persistence_timeout", "sticky", "stick", "sessionAffinity", "cookie", "appsession"],
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

    public static readonly Setting<Fields> PassiveCheck = new("passiveCheck", PassiveCheckSection.Section)
    {
        Doc = "A real server whose answers to clients are bad is given nothing for a while, whatever its check says. On the proxy.",
        Default = Fields.Nothing,
        Otherwise = "answers to clients take nobody out",
        Example = "passiveCheck: { consecutiveFailures: 5 }",
        AlsoCalled = ["outlierDetection", "outlier_detection", "observe", "passiveHealthCheck"],
    };

    public static readonly Setting<ImmutableArray<Fields>> RealServers = new("realServers", new ListForm<Fields>(
        RealServerSection.Section, new("there are no real servers, so nobody would do the work", "list at least one under `realServers`, such as `- 10.0.0.11:8080`")))
    {
        Doc = "The machines that do the work; at least one, no address twice.",
        Example = "realServers: [10.0.0.11:8080, 10.0.0.12:8080]",
        AlsoCalled = ["servers", "backends", "backend", "upstreams", "upstream", "pool", "members", "nodes", "targets"],
    };

    public static readonly Setting<ImmutableArray<Fields>> FallbackServers = new("fallbackServers", new ListForm<Fields>(
        RealServerSection.Section, new("there are no fallback servers", "list at least one, or remove `fallbackServers`")))
    {
        Doc = "Real servers that get work only while none of `realServers` can take any, or while there is no quorum. They are checked as the others, and scheduled among themselves.",
        Otherwise = "the sorry server answers, or nobody",
        Source = "HAProxy: servers marked backup",
        Example = "fallbackServers: [10.0.0.91:8080]",
        AlsoCalled = ["backupServers", "backups", "fallbacks", "fallbackGroup"],
    };

    public static readonly Setting<Fields> Quorum = new("quorum", QuorumSection.Section)
    {
        Doc = "How much must be alive for it to be served as usual.",
        Default = Fields.Nothing,
        Otherwise = "one real server is enough",
        Source = "keepalived: quorum 1",
        Example = "quorum: { up: 2, hysteresis: 1 }",
    };

    public static readonly Setting<Panic> Panic = new("panic", new ChoiceForm<Panic>(
        new("sorry", Model.Panic.Sorry, "The sorry server answers; without one clients are refused."),
        new("open", Model.Panic.Open, "All real servers get work though they seem to be down, except those in maintenance: perhaps it is the checks that fail.", "failOpen", "all"),
        new("refuse", Model.Panic.Refuse, "Clients are refused.", "reject", "closed")))
    {
        Doc = "What is done when no real server can be used, fallback servers included: whatever is chosen here, `fallbackServers` that can serve are asked first.",
        Default = Model.Panic.Sorry,
        Source = "keepalived sorry_server",
        Example = "panic: open",
        AlsoCalled = ["healthy_panic_threshold", "failOpen"],
    };

    public static readonly Setting<WrittenAddress> SorryServer = new("sorryServer", AddressForm.RealServer)
    {
        Doc = "Answers when no real server can take a connection. It is never checked. Without a port, the one that the client asked for.",
        Otherwise = "nobody answers: http clients get 503, tcp clients a reset, udp clients nothing",
        Source = "keepalived sorry_server has none either",
        Example = "sorryServer: 10.0.0.99:8080",
        AlsoCalled = ["fallback", "backup"],
    };

    public static readonly Setting<TimeSpan> SlowStart = new("slowStart", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(24)))
    {
        Doc = "When a real server comes up, is enabled or added, its weight grows evenly for so long, from a thirty-second to the whole. For all real servers that say nothing else.",
        Default = TimeSpan.Zero,
        Source = "IPVS and keepalived have none",
        Example = "slowStart: 30s",
        AlsoCalled = ["slowstart", "slow_start", "warmup", "rampUp"],
    };

    public static readonly Setting<Fields> Timeouts = new("timeouts", TimeoutsSection.Section)
    {
        Doc = "How long it waits, and for what.",
        Default = Fields.Nothing,
        Otherwise = "each of its settings has its default",
        Example = "timeouts: { connect: 5s }",
    };

    public static readonly Setting<AdministrativeState> State = new("state", StateForm.Instance)
    {
        Doc = "Of the whole virtual server. `drain` drains all its real servers; in `maintenance` clients get the sorry server, or what they get when nobody is up. A command (`bascule drain`) goes before it, until this is changed.",
        Default = AdministrativeState.Enabled,
        Source = "ours; who configures it wants it to work",
        Example = "state: maintenance",
        AlsoCalled = ["enabled", "disabled", "status", "mode"],
    };

    public static readonly Setting<Fields> ProxyProtocol = new("proxyProtocol", ProxyProtocolSection.Section)
    {
        Doc = "The PROXY protocol: a header in front of each connection tells who the client is. Believed of the proxies in front, sent to the real servers behind. On the proxy, for tcp and http.",
        Default = Fields.Nothing,
        Otherwise = "no headers",
        Example = "proxyProtocol: { from: [10.0.0.0/8], send: v2 }",
        AlsoCalled = ["proxy_protocol", "send-proxy", "accept-proxy", "send_proxy"],
    };

    public static readonly Setting<bool> Transparent = new("transparent", new SwitchForm())
    {
        Doc = "Real servers see the client's own address: connections to them come from it. Their answers must come back through this director (it is their default gateway); the routing here Bascule sets up itself, which takes CAP_NET_ADMIN. On the proxy, for tcp and http, and for clients of the real server's family.",
        Default = false,
        Source = "HAProxy: source 0.0.0.0 usesrc clientip is off",
        Example = "transparent: true",
        AlsoCalled = ["usesrc", "tproxy", "proxy_bind", "spoof"],
    };

    public static readonly Setting<bool> OnePacket = new("onePacket", new SwitchForm())
    {
        Doc = "udp: each packet is scheduled by itself: for questions of one packet with answers of one, such as DNS. The datapath records nothing then; the proxy keeps a socket for each client and real server, to have the answers back.",
        Default = false,
        Source = "IPVS: ipvsadm -o is off",
        Example = "onePacket: true",
        AlsoCalled = ["ops", "one-packet"],
    };

    public static readonly Setting<bool> ExpireNoDestination = new("expireNoDestination", new SwitchForm())
    {
        Doc = "On the datapath: a recorded flow whose real server is down or gone is scheduled anew. Otherwise its packets are dropped, for the server may come back.",
        Default = false,
        Source = "IPVS: expire_nodest_conn is 0",
        Example = "expireNoDestination: true",
        AlsoCalled = ["expire_nodest_conn"],
    };

    public static readonly Setting<ImmutableArray<IPNetwork>> Allow = new("allow", new ListForm<IPNetwork>(
        new PrefixForm(), new("`allow` lists nobody, so nobody would be let in", "list prefixes, or leave `allow` out to let everyone in")))
    {
        Doc = "On the datapath: clients that are let in. Where `allow` and `deny` both hold a client, the longer prefix decides.",
        Otherwise = "everyone who is not denied",
        Source = "IPVS lets everyone in",
        Example = "allow: [10.0.0.0/8, 192.0.2.7]",
        AlsoCalled = ["allowFrom", "whitelist", "permit"],
    };

    public static readonly Setting<ImmutableArray<IPNetwork>> Deny = new("deny", new ListForm<IPNetwork>(
        new PrefixForm(), new("`deny` lists nobody", "list prefixes, or leave `deny` out")))
    {
        Doc = "On the datapath: clients whose packets are dropped and counted.",
        Otherwise = "nobody",
        Source = "IPVS lets everyone in",
        Example = "deny: [198.51.100.0/24]",
        AlsoCalled = ["block", "blacklist", "drop", "reject"],
    };

    public static readonly Setting<Fields> Rates = new("rates", RatesSection.Section)
    {
        Doc = "On the datapath: how much is taken in.",
        Default = Fields.Nothing,
        Otherwise = "no bounds",
        Example = "rates: { packetsPerSecondPerSource: 50000 }",
        AlsoCalled = ["rateLimits", "rate"],
    };

    public static readonly Setting<Fields> FlowTimeouts = new("flowTimeouts", FlowTimeoutsSection.Section)
    {
        Doc = "On the datapath: how long a recorded flow may be silent.",
        Default = Fields.Nothing,
        Otherwise = "each of its settings has its default",
        Example = "flowTimeouts: { established: 15m }",
        AlsoCalled = ["lvs_timeouts"],
    };

    public static readonly Section Section = new("virtualServer", Address, Addresses, Protocol, Forward, Scheduler, Persistence, Check, PassiveCheck, RealServers, FallbackServers, Quorum, Panic, SorryServer, SlowStart, State, Timeouts, ProxyProtocol, Transparent,
        OnePacket, ExpireNoDestination, Allow, Deny, Rates, FlowTimeouts)
    {
        Doc = "The addresses clients use, with their scheduler and their real servers. It stands under `virtualServers`, below its name.",
        Place = "in a virtual server",
        OneOf = [Address, Addresses],
        Rule = Relate,
    };

    /// <summary>Where clients connect, as far as it could be read.</summary>
    public static ImmutableArray<Placed<ListenAddress>> Listeners(Fields fields) =>
        fields.Find(Address) is { } one ? [new(one, fields.AtOf(Address))] : fields.FindValue(Addresses) ?? [];

    /// <summary>The port of a real server that is written without one: the only one that clients use, or 0, the one they asked for.</summary>
    public static int PortOf(IEnumerable<Placed<ListenAddress>> listeners)
    {
        ListenAddress[] distinct = [.. listeners.Select(l => l.Value).DistinctBy(l => (l.FirstPort, l.LastPort))];
        return distinct is [{ Ports: 1 } only] ? only.FirstPort : 0;
    }

    public static VirtualServer Meant(string name, Fields fields)
    {
        ImmutableArray<Placed<ListenAddress>> listeners = Listeners(fields);
        int port = PortOf(listeners);
        ProxyProtocol? header = fields.IsWritten(ProxyProtocol) ? ProxyProtocolSection.Meant(fields.Get(ProxyProtocol)) : null;
        Forwarding? own = fields.IsWritten(Forward) ? ForwardSection.Meant(fields.Get(Forward)) : null;
        ValueList<RealServer> realServers =
        [
            .. fields.Get(RealServers).Select(r => RealServerSection.Meant(r, port, own ?? Forwarding.Proxy, fields.Get(SlowStart), header?.Send)),
            .. (fields.FindValue(FallbackServers) ?? []).Select(r => RealServerSection.Meant(r, port, own ?? Forwarding.Proxy, fields.Get(SlowStart), header?.Send) with { IsFallback = true }),
        ];
        return new()
        {
            Name = name,
            Addresses = [.. listeners.Select(l => l.Value)],
            Protocol = fields.Get(Protocol),
            Scheduler = fields.Get(Scheduler).Get(SchedulerSection.Type),
            SchedulerFlags = SchedulerSection.Flags(fields.Get(Scheduler)),
            Forwarding = own ?? realServers[0].Forwarding,
            Persistence = fields.IsWritten(Persistence) ? PersistenceSection.Meant(fields.Get(Persistence)) : null,
            Check = CheckSection.Meant(fields.Get(Check), header?.Send) is var check and not OnCheck ? check : null,
            PassiveCheck = fields.IsWritten(PassiveCheck) ? PassiveCheckSection.Meant(fields.Get(PassiveCheck)) : null,
            Quorum = fields.IsWritten(Quorum) ? QuorumSection.Meant(fields.Get(Quorum)) : null,
            Panic = fields.Get(Panic),
            RealServers = realServers,
            SorryServer = fields.Find(SorryServer)?.WithPort(port),
            State = fields.Get(State),
            Timeouts = TimeoutsSection.Meant(fields.Get(Timeouts), fields.Get(Protocol)),
            ProxyProtocol = header,
            IsTransparent = fields.Get(Transparent),
            Packets = MeantRules(fields),
        };
    }

    private static PacketRules MeantRules(Fields fields) => new()
    {
        OnePacket = fields.Get(OnePacket),
        ExpireNoDestination = fields.Get(ExpireNoDestination),
        Allow = new(fields.FindValue(Allow) ?? []),
        Deny = new(fields.FindValue(Deny) ?? []),
        NewFlowsPerSecond = fields.Get(Rates).FindValue(RatesSection.NewFlowsPerSecond) ?? 0,
        PacketsPerSecondPerSource = fields.Get(Rates).FindValue(RatesSection.PacketsPerSecondPerSource) ?? 0,
        FlowTimeouts = FlowTimeoutsSection.Meant(fields.Get(FlowTimeouts)),
    };

    private static void Relate(string name, Fields fields, ProblemList problems)
    {
        ForwardRules.Relate(name, fields, problems);
        PersistenceSection.RelateToProtocol(fields, problems);
        RefuseSmallTable(fields, problems);
        WeightRules.Relate(fields, problems);
        SchedulerSection.RelateTraffic(fields.Get(Scheduler), ForwardRules.IsOnDatapath(fields), fields.IsBroken(Protocol) ? null : fields.Get(Protocol), problems);
        ImmutableArray<Placed<ListenAddress>> listeners = Listeners(fields);
        if (listeners.IsEmpty)
            return;
        int port = PortOf(listeners);
        RefuseSameRealServer(fields, port, problems);
        foreach ((IPEndPoint target, Location at) in Targets(fields, port).Where(t => listeners.Any(l => IsOwn(t.Address, l.Value))))
            problems.Add(at, $"{Show.EndPoint(target)} is {(port == 0 ? "an" : "the")} address `{name}` itself listens on, so its connections would go round in circles", "write the address of the machine that does the work");
    }

    private static void RefuseSmallTable(Fields fields, ProblemList problems)
    {
        Fields scheduler = fields.Get(Scheduler);
        int count = (fields.FindValue(RealServers) ?? []).Length;
        if (scheduler.FindValue(SchedulerSection.TableSize) is { } slots && slots < count)
            problems.Add(scheduler.AtOf(SchedulerSection.TableSize), $"a table of {slots} slots has none for some of the {count} real servers", "write a larger `tableSize`, or leave it out");
    }

    private static void RefuseSameRealServer(Fields fields, int port, ProblemList problems)
    {
        Dictionary<IPEndPoint, int> lines = [];
        foreach (Fields realServer in ForwardRules.RealServers(fields))
        {
            if (realServer.Find(RealServerSection.Address)?.WithPort(port) is not { } address || lines.TryAdd(address, realServer.At.Line))
                continue;
            problems.Add(realServer.AtOf(RealServerSection.Address), $"the real server {Show.EndPoint(address)} is listed twice; the first is on line {lines[address]}",
                "keep one; to give it more of the work raise its `weight`");
        }
    }

    /// <summary>Everything it would connect to.</summary>
    private static IEnumerable<(IPEndPoint Address, Location At)> Targets(Fields fields, int port)
    {
        foreach (Fields realServer in ForwardRules.RealServers(fields))
        {
            if (realServer.Find(RealServerSection.Address) is { } address)
                yield return (address.WithPort(port), realServer.AtOf(RealServerSection.Address));
        }

        if (fields.Find(SorryServer) is { } sorry)
            yield return (sorry.WithPort(port), fields.AtOf(SorryServer));
    }

    private static bool IsOwn(IPEndPoint target, ListenAddress listener) =>
        (target.Port == 0 || listener.IsEveryPort || (target.Port >= listener.FirstPort && target.Port <= listener.LastPort))
        && (target.Address.Equals(listener.Ip) || (listener.IsEveryAddress && IPAddress.IsLoopback(target.Address) && target.AddressFamily == listener.Family));
}
