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
        new("lblcr", SchedulerKind.LocalityLeastConnectionReplicated, "As `lblc`, with a set of real servers for each address asked for."));

    /// <summary>As the file writes it.</summary>
    public static string NameOf(SchedulerKind scheduler) => Kinds.Write(scheduler);

    public static readonly Setting<SchedulerKind> Type = new("type", Kinds)
    {
        Doc = "Which scheduler.",
        Default = SchedulerKind.WeightedLeastConnection,
        Source = "ipvsadm",
        Example = "type: wlc",
        AlsoCalled = ["name", "kind"],
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
        Doc = "mh: slots of its table. More make shares more exact and the table larger: 4 bytes each.",
        Otherwise = "the least of these with 100 slots for each real server, and at least 4093",
        Source = "IPVS: CONFIG_IP_VS_MH_TAB_INDEX, 4093; a hundred slots each keep shares within a hundredth (Maglev, NSDI 2016 §5.3)",
        Example = "tableSize: 65521",
        AlsoCalled = ["size", "slots", "table"],
    };

    public static readonly Section Section = new("scheduler", Type, Fallback, Port, TableSize)
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
    };

    /// <summary>Whether the real server follows from the packet alone, by a table; the others count connections or take turns.</summary>
    public static bool IsByTable(SchedulerKind kind) => kind is SchedulerKind.SourceHash or SchedulerKind.MaglevHash or SchedulerKind.DestinationHash;

    private static void Relate(string name, Fields fields, ProblemList problems)
    {
        if (fields.IsBroken(Type))
            return;
        SchedulerKind kind = fields.Get(Type);
        ImmutableArray<Setting> unused = kind switch
        {
            SchedulerKind.MaglevHash => [],
            SchedulerKind.SourceHash => [TableSize],
            _ => [Fallback, Port, TableSize],
        };
        foreach (Setting setting in unused.Where(fields.IsWritten))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing to {Kinds.Write(kind)}", "remove it, or write `type: mh`");
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
