using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Config;

/// <summary>Chooses the real server.</summary>
internal static class SchedulerSection
{
    private static readonly ChoiceForm<SchedulerKind> Kinds = new(
        new("rr", SchedulerKind.RoundRobin, "Each in turn.", "roundrobin", "round-robin", "round_robin"),
        new("wrr", SchedulerKind.WeightedRoundRobin, "Each in turn, in proportion to its weight.", "weighted-round-robin", "static-rr"),
        new("lc", SchedulerKind.LeastConnection, "The fewest connections.", "leastconn", "least_conn", "least-connections"),
        new("wlc", SchedulerKind.WeightedLeastConnection, "The fewest connections for its weight.", "weighted-least-connections"),
        new("sed", SchedulerKind.ShortestExpectedDelay, "Shortest expected delay."),
        new("nq", SchedulerKind.NeverQueue, "An idle one, else shortest expected delay."),
        new("random", SchedulerKind.Random, "By chance, in proportion to its weight.", "rand"),
        new("twos", SchedulerKind.PowerOfTwoChoices, "The less busy of two taken by chance.", "p2c", "two"),
        new("sh", SchedulerKind.SourceHash, "By the client's address.", "source", "ip_hash", "source-hash"),
        new("mh", SchedulerKind.MaglevHash, "By the client's address; when a real server comes or goes, hardly anyone else's moves. On the datapath it keeps no state while the set is stable.", "maglev", "consistent", "consistent-hash", "ketama"),
        new("dh", SchedulerKind.DestinationHash, "By the address the client asked for: for caches.", "destination", "destination-hash"),
        new("fo", SchedulerKind.FailOver, "The highest weight; the others wait for it to fail.", "first", "failover", "backup"),
        new("ovf", SchedulerKind.Overflow, "The highest weight until it has that many connections, then the next.", "overflow"),
        new("lblc", SchedulerKind.LocalityLeastConnection, "The same address asked for, the same real server, unless that is overloaded: for caches.", "locality"),
        new("lblcr", SchedulerKind.LocalityLeastConnectionReplicated, "As `lblc`, with a set of real servers for each address asked for."),
        new("least-time", SchedulerKind.LeastTime, "The shortest wait to be expected, by how fast each has answered: for real servers of unlike speed. On the proxy.", "peak_ewma", "peak-ewma", "ewma", "least_time", "fastest"),
        new("hash", SchedulerKind.RequestHash, "By a part of the HTTP request, so that the same content is asked of the same real server: for caches. On the proxy.", "uri", "url_param", "hdr", "url_hash", "ring_hash"));

    /// <summary>As the file writes it.</summary>
    public static string NameOf(SchedulerKind scheduler) => Kinds.Write(scheduler);

    public static readonly Setting<SchedulerKind> Type = new("type", Kinds)
    {
        Doc = "Which scheduler.",
        Default = SchedulerKind.WeightedLeastConnection,
        Source = "ipvsadm",
        Example = "type: wlc",
        AlsoCalled = ["kind"],
    };

    public static readonly Setting<bool> Fallback = new("fallback", new SwitchForm())
    {
        Doc = "sh, mh: a client whose slot's real server is down or quiesced goes to another. Without it the datapath refuses the client, as IPVS does; the proxy always tries another.",
        Default = false,
        Source = "IPVS: sh-fallback and mh-fallback are off",
        Example = "fallback: true",
        AlsoCalled = ["sh-fallback", "mh-fallback", "flag-1"],
    };

    public static readonly Setting<bool> Port = new("port", new SwitchForm())
    {
        Doc = "sh, mh: the client's port counts too, so that one client's connections spread.",
        Default = false,
        Source = "IPVS: sh-port and mh-port are off",
        Example = "port: true",
        AlsoCalled = ["sh-port", "mh-port", "flag-2"],
    };

    public static readonly Setting<int> TableSize = new("tableSize", new TableSizeForm())
    {
        Doc = "mh, hash: slots of its table. More make shares more exact and the table larger: 4 bytes each.",
        Otherwise = "the least of these with 100 slots for each real server, and at least 4093; for hash with 1000, and at least 16381",
        Source = "IPVS: CONFIG_IP_VS_MH_TAB_INDEX, 4093; a hundred slots each keep shares within a hundredth (Maglev, NSDI 2016 §5.3), a thousand move hardly a hundredth of what others have",
        Example = "tableSize: 65521",
        AlsoCalled = ["size", "slots", "table"],
    };

    public static readonly Setting<RequestPart> By = new("by", new ChoiceForm<RequestPart>(
        new("uri", RequestPart.Uri, "Path and query, as sent.", "url", "request_uri"),
        new("path", RequestPart.Path, "The path without its query."),
        new("header", RequestPart.Header, "The value of the header field `name`.", "hdr", "httpHeader"),
        new("cookie", RequestPart.Cookie, "The value of the cookie `name`.", "httpCookie"),
        new("source", RequestPart.Source, "The client's address.", "client", "ip", "src")))
    {
        Doc = "hash: the part of the request that decides. A request without it goes by the client's address.",
        Default = RequestPart.Uri,
        Source = "HAProxy balance uri, with whole",
        Example = "by: header",
        AlsoCalled = ["on", "of", "hashOn"],
    };

    public static readonly Setting<string> Name = new("name", new TextForm("the name of a header field or a cookie", 128, HttpText.Token))
    {
        Doc = "hash: of the header field (in any case) or the cookie that decides.",
        Otherwise = "nothing; `by: header` and `by: cookie` need it",
        Source = "HAProxy balance hdr(name) has none either",
        Example = "name: X-Tenant",
        AlsoCalled = ["header", "cookie", "key"],
    };

    public static readonly Setting<int> BalanceFactor = new("balanceFactor", new CountForm(101, 1000))
    {
        Doc = "hash: how many active requests a real server may have, in percent of its share of all there are; what is above goes to the next on the ring. The nearer to 100, the more even and the more content is in two caches.",
        Otherwise = "no bound",
        Source = "HAProxy hash-balance-factor: off; 125 to 200 are usual",
        Example = "balanceFactor: 125",
        AlsoCalled = ["hash-balance-factor", "hash_balance_factor"],
    };

    public static readonly Section Section = new("scheduler", Type, Fallback, Port, TableSize, By, Name, BalanceFactor)
    {
        Doc = "Chooses the real server: a name, or a map when more is to be said.",
        Place = "in `scheduler` of a virtual server",
        Short = Type,
        Rule = Relate,
    };

    public static SchedulerFlags Flags(Fields fields) => new()
    {
        Fallback = fields.Get(Fallback),
        Port = fields.Get(Port),
        TableSize = fields.FindValue(TableSize),
        Hash = fields.Get(Type) == SchedulerKind.RequestHash ? new(fields.Get(By), fields.Find(Name), fields.FindValue(BalanceFactor)) : null,
    };

    /// <summary>Whether the real server follows from the packet alone, by a table; the others count connections or take turns.</summary>
    public static bool IsByTable(SchedulerKind kind) => kind is SchedulerKind.SourceHash or SchedulerKind.MaglevHash or SchedulerKind.DestinationHash;

    /// <summary>What the scheduler needs to see of the traffic.</summary>
    /// <param name="isOnDatapath">Null when it cannot be told.</param>
    /// <param name="protocol">Null when it cannot be told.</param>
    public static void RelateTraffic(Fields fields, bool? isOnDatapath, VirtualServerProtocol? protocol, ProblemList problems)
    {
        if (fields.IsBroken(Type))
            return;
        SchedulerKind kind = fields.Get(Type);
        if (kind == SchedulerKind.LeastTime && isOnDatapath == true)
            problems.Add(fields.AtOf(Type), "`least-time` goes by answers, and the packet datapath does not wait for any", "write another scheduler, such as `wlc`, or `forward: proxy`");
        else if (kind == SchedulerKind.LeastTime && protocol == VirtualServerProtocol.Udp)
            problems.Add(fields.AtOf(Type), "`least-time` goes by answers, and `protocol: udp` does not tell which packet is one", "write another scheduler, such as `wlc`");
        else if (kind == SchedulerKind.RequestHash && (isOnDatapath == true || protocol is VirtualServerProtocol.Tcp or VirtualServerProtocol.Udp))
            problems.Add(fields.AtOf(Type), "`hash` goes by HTTP requests, and this virtual server does not look into them", "write `protocol: http`, or `scheduler: mh`, which goes by the client's address");
    }

    private static void Relate(string name, Fields fields, ProblemList problems)
    {
        if (fields.IsBroken(Type))
            return;
        SchedulerKind kind = fields.Get(Type);
        RefuseUnused(kind, fields, problems);
        if (kind != SchedulerKind.RequestHash || fields.IsBroken(By))
            return;
        bool isNamed = fields.Get(By) is RequestPart.Header or RequestPart.Cookie;
        if (isNamed && !fields.IsWritten(Name))
            problems.Add(fields.AtOf(By), $"nothing says which {(fields.Get(By) == RequestPart.Header ? "header field" : "cookie")} decides", "add its `name`");
        if (!isNamed && fields.IsWritten(Name))
            problems.Add(fields.AtOf(Name), "`name` is of a header field or a cookie, and neither decides here", "remove it, or write `by: header` or `by: cookie`");
    }

    private static void RefuseUnused(SchedulerKind kind, Fields fields, ProblemList problems)
    {
        ImmutableArray<Setting> ofHash = kind == SchedulerKind.RequestHash ? [] : [By, Name, BalanceFactor];
        ImmutableArray<Setting> ofTables = kind switch
        {
            SchedulerKind.MaglevHash => [],
            SchedulerKind.SourceHash => [TableSize],
            SchedulerKind.RequestHash => [Fallback, Port],
            _ => [Fallback, Port, TableSize],
        };
        foreach (Setting setting in ofTables.Where(fields.IsWritten))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing to {Kinds.Write(kind)}", "remove it, or write `type: mh`");
        foreach (Setting setting in ofHash.Where(fields.IsWritten))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing to {Kinds.Write(kind)}", "remove it, or write `type: hash`");
    }
}

/// <summary>One of the primes that IPVS offers for the table of mh.</summary>
internal sealed class TableSizeForm : ValueForm<int>
{
    public override string Words => Show.OneOf([.. HashTable.Sizes.Select(Write)]);

    public override Complaint? Parse(string name, string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && text == Write(value) && HashTable.Sizes.Contains(value)
            ? null
            : new($"`{name}: {Show.Safe(text)}` is not one of the primes there are", $"expected: {Words}");

    public override string Write(int value) => value.ToString(CultureInfo.InvariantCulture);

    public override JsonNode WriteJson(int value) => JsonValue.Create(value);

    public override JsonObject Schema() => new() { ["enum"] = new JsonArray([.. HashTable.Sizes.Select(s => (JsonNode)s)]) };
}
