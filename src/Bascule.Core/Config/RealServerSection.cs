using Bascule.Core.Config.Checks;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>A machine that does the work.</summary>
internal static class RealServerSection
{
    public static readonly Setting<WrittenAddress> Address = new("address", AddressForm.RealServer)
    {
        Doc = "Where the director connects. Without a port, the one that the client asked for.",
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

    public static readonly Setting<Fields> Forward = new("forward", ForwardSection.Section)
    {
        Doc = "How what clients send reaches this one.",
        Default = Fields.Nothing,
        Otherwise = "as its virtual server says",
        Example = "forward: { tun: ipip }",
        AlsoCalled = ["method", "lvs_method", "forwarding"],
    };

    public static readonly Setting<Fields> Check = new("check", CheckSection.Section)
    {
        Doc = "A question for this one alone. It stands by itself: nothing of its virtual server's `check` is added to it.",
        Default = Fields.Nothing,
        Otherwise = "as its virtual server says",
        Source = "keepalived: each real_server has its own checkers",
        Example = "check: { type: http, path: /other }",
        AlsoCalled = ["healthCheck", "health", "checktype"],
    };

    public static readonly Setting<int> MaxConnections = new("maxConnections", new CountForm(1, int.MaxValue))
    {
        Doc = "With so many connections it takes no new ones. On the datapath active and inactive ones count, as in IPVS; on the proxy only active ones, for idle ones in a pool are what the next request is given.",
        Otherwise = "no bound",
        Source = "IPVS: ipvsadm -x 0",
        Example = "maxConnections: 500",
        AlsoCalled = ["uthreshold", "u-threshold", "maxconn", "upper"],
    };

    public static readonly Setting<int> ResumeConnections = new("resumeConnections", new CountForm(1, int.MaxValue))
    {
        Doc = "Once it had `maxConnections`, with fewer than so many it takes new ones again. No more than `maxConnections`.",
        Otherwise = "three quarters of `maxConnections`",
        Source = "IPVS: ipvsadm -y 0 means three quarters of -x",
        Example = "resumeConnections: 400",
        AlsoCalled = ["lthreshold", "l-threshold", "lower"],
    };

    public static readonly Setting<TimeSpan> SlowStart = new("slowStart", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(24)))
    {
        Doc = "When it comes up, is enabled or added, its weight grows evenly for so long, from a thirty-second to the whole. Those that the director finds up when it starts have their whole weight at once.",
        Otherwise = "as its virtual server says",
        Source = "HAProxy slowstart; the thirty-second is Piranha's",
        Example = "slowStart: 30s",
        AlsoCalled = ["slowstart", "slow_start", "warmup", "rampUp"],
    };

    public static readonly Setting<AdministrativeState> State = new("state", StateForm.Instance)
    {
        Doc = "What is wanted of it. The stricter of this and its virtual server's counts. A command (`bascule drain`) goes before it, until this is changed.",
        Default = AdministrativeState.Enabled,
        Source = "ours; who lists it wants it to work",
        Example = "state: drain",
        AlsoCalled = ["enabled", "disabled", "status", "mode"],
    };

    public static readonly Section Section = new("realServer", Address, Weight, Forward, Check, MaxConnections, ResumeConnections, SlowStart, State)
    {
        Doc = "A machine that does the work: an address, or a map when more is to be said about it. It is an item of `realServers`.",
        Place = "in a real server",
        Short = Address,
        Rule = (_, fields, problems) => RelateThresholds(fields, problems),
    };

    /// <param name="slowStart">Where it says none.</param>
    /// <param name="header">What connections to it begin with.</param>
    public static RealServer Meant(Fields fields, int port, Forwarding otherwise, TimeSpan slowStart, ProxyProtocolVersion? header) => new(fields.Get(Address).WithPort(port), fields.Get(Weight))
    {
        Check = fields.IsWritten(Check) ? CheckSection.Meant(fields.Get(Check), header) : null,
        State = fields.Get(State),
        Forwarding = fields.IsWritten(Forward) ? ForwardSection.Meant(fields.Get(Forward)) : otherwise,
        Thresholds = fields.FindValue(MaxConnections) is { } upper ? new(upper, fields.FindValue(ResumeConnections) ?? ThreeQuarters(upper)) : null,
        SlowStart = fields.FindValue(SlowStart) ?? slowStart,
    };

    /// <summary>IPVS resumes while connections × 4 &lt; upper × 3; in whole numbers that is below this.</summary>
    private static int ThreeQuarters(int upper) => (int)(((3L * upper) + 3) / 4);

    private static void RelateThresholds(Fields fields, ProblemList problems)
    {
        if (fields.FindValue(ResumeConnections) is not { } resume || fields.IsBroken(MaxConnections))
            return;
        if (fields.FindValue(MaxConnections) is not { } most)
            problems.Add(fields.AtOf(ResumeConnections), "`resumeConnections` means nothing without `maxConnections`", "add `maxConnections`, or remove it");
        else if (resume > most)
            problems.Add(fields.AtOf(ResumeConnections), "`resumeConnections` is larger than `maxConnections`, so it would take new connections before it has stopped", $"write at most {most}");
    }
}
