using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>When answers to clients take a real server out.</summary>
internal static class PassiveCheckSection
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100); // it is looked at so often
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    public static readonly Setting<int> ConsecutiveFailures = new("consecutiveFailures", new CountForm(0, 1000))
    {
        Doc = "So many failures in a row, over all workers, eject it; within a tenth of a second. 0: they never do. A failure is: no connection; of tcp also a break before the client has sent anything (what comes later may be the client's doing); of http also a break or silence before an answer, an answer that is none, and a status of 500 or more other than 501 and 505, which a client can ask for. Of a real server without a port of its own only connections to the port that is checked count.",
        Default = 5,
        Source = "Envoy consecutive_5xx",
        Example = "consecutiveFailures: 5",
        AlsoCalled = ["consecutive_5xx", "max_fails", "error-limit", "maxFails"],
    };

    public static readonly Setting<Fields> Outliers = new("outliers", OutliersSection.Section)
    {
        Doc = "Who answers much worse than the others is ejected.",
        Default = Fields.Nothing,
        Otherwise = "nobody is compared",
        Example = "outliers: { interval: 10s, minRequests: 20, factor: 1.9 }",
        AlsoCalled = ["successRate", "success_rate", "outlierDetection"],
    };

    public static readonly Setting<TimeSpan> Ejection = new("ejection", new DurationForm(Shortest, Longest))
    {
        Doc = "How long the first ejection lasts. The second lasts twice as long, the third three times, and so on; each `ejection` spent without being ejected takes one time off again.",
        Default = TimeSpan.FromSeconds(30),
        Source = "Envoy base_ejection_time",
        Example = "ejection: 30s",
        AlsoCalled = ["base_ejection_time", "fail_timeout", "failTimeout"],
    };

    public static readonly Setting<TimeSpan> MaxEjection = new("maxEjection", new DurationForm(Shortest, Longest))
    {
        Doc = "No ejection lasts longer.",
        Default = TimeSpan.FromMinutes(5),
        Source = "Envoy max_ejection_time",
        Example = "maxEjection: 5m",
        AlsoCalled = ["max_ejection_time"],
    };

    public static readonly Setting<int> MaxEjected = new("maxEjected", new PercentForm(1, 100))
    {
        Doc = "No more of the real servers that are otherwise up are ejected at a time, rounded down: of three, one with 50%. So the only one that is left is never ejected, unless this is 100%. Should others go down meanwhile, who was ejected first is given work again.",
        Default = 50,
        Source = "ours: Envoy's 10% would eject nobody of fewer than ten",
        Example = "maxEjected: 50%",
        AlsoCalled = ["max_ejection_percent"],
    };

    public static readonly Section Section = new("passiveCheck", ConsecutiveFailures, Outliers, Ejection, MaxEjection, MaxEjected)
    {
        Doc = "A real server whose answers to clients are bad is given nothing for a while (it is ejected), whatever its check says. On the proxy.",
        Place = "in `passiveCheck` of a virtual server",
        Short = ConsecutiveFailures,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static PassiveCheck Meant(Fields fields) => new()
    {
        ConsecutiveFailures = fields.Get(ConsecutiveFailures),
        Outliers = fields.IsWritten(Outliers) ? OutliersSection.Meant(fields.Get(Outliers)) : null,
        Ejection = fields.Get(Ejection),
        MaxEjection = fields.Get(MaxEjection),
        MaxEjected = fields.Get(MaxEjected),
    };

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(Ejection) && !fields.IsBroken(MaxEjection) && fields.Get(Ejection) > fields.Get(MaxEjection))
            problems.Add(fields.AtOf(fields.IsWritten(Ejection) ? Ejection : MaxEjection), "`ejection` is longer than `maxEjection`, so even the first could not last so long", "shorten `ejection` or lengthen `maxEjection`");
        if (fields.FindValue(ConsecutiveFailures) == 0 && !fields.IsWritten(Outliers))
            problems.Add(fields.AtOf(ConsecutiveFailures), "with 0 and without `outliers` nobody is ever ejected", "remove `passiveCheck`, or write `outliers: { interval: 10s }`");
    }
}

/// <summary>Who answers much worse than the others.</summary>
internal static class OutliersSection
{
    public static readonly Setting<TimeSpan> Interval = new("interval", new DurationForm(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)))
    {
        Doc = "Success rates are compared each time so much has gone by, of the answers in it.",
        Default = TimeSpan.FromSeconds(10),
        Source = "Envoy",
        Example = "interval: 10s",
    };

    public static readonly Setting<int> MinRequests = new("minRequests", new CountForm(1, 1_000_000))
    {
        Doc = "With fewer answers in the interval a real server is not compared.",
        Default = 20,
        Source = "ours: Envoy's 100 in 10 s is much for a small farm",
        Example = "minRequests: 20",
        AlsoCalled = ["success_rate_request_volume"],
    };

    public static readonly Setting<int> MinServers = new("minServers", new CountForm(3, 1000))
    {
        Doc = "With fewer real servers that can be compared nobody is ejected.",
        Default = 5,
        Source = "Envoy success_rate_minimum_hosts",
        Example = "minServers: 5",
        AlsoCalled = ["success_rate_minimum_hosts", "minHosts"],
    };

    public static readonly Setting<double> Factor = new("factor", new FactorForm(0.1, 10))
    {
        Doc = "A success rate below mean - factor × standard deviation is that of an outlier, where it is also five percentage points below the mean. Of n rates none lies more than √(n - 1) deviations below their mean: 2 of five, 1.73 of four.",
        Default = 1.9,
        Source = "Envoy success_rate_stdev_factor",
        Example = "factor: 1.9",
        AlsoCalled = ["success_rate_stdev_factor", "stdev"],
    };

    public static readonly Section Section = new("outliers", Interval, MinRequests, MinServers, Factor)
    {
        Doc = "Who answers much worse than the others.",
        Place = "in `outliers` of `passiveCheck`",
    };

    public static OutlierRule Meant(Fields fields) => new(fields.Get(Interval), fields.Get(MinRequests), fields.Get(MinServers), fields.Get(Factor));
}
