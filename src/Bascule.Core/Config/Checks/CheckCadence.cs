using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>When a question is asked, and what its answers come to: the same for every kind.</summary>
internal static class CheckCadence
{
    public static readonly Setting<TimeSpan> Interval = new("interval", new DurationForm(TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)))
    {
        Doc = "From the start of one check to the start of the next.",
        Default = TimeSpan.FromSeconds(2),
        Source = "HAProxy inter",
        Example = "interval: 2s",
        AlsoCalled = ["inter", "delay_loop", "every", "period"],
    };

    public static readonly Setting<TimeSpan> Timeout = new("timeout", new DurationForm(TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)))
    {
        Doc = "For the whole answer. No longer than any interval: one check ends before the next begins.",
        Default = TimeSpan.FromSeconds(1),
        Otherwise = "1s, or the shortest interval if that is shorter",
        Source = "ours; half the interval",
        Example = "timeout: 1s",
        AlsoCalled = ["connect_timeout", "checktimeout"],
    };

    public static readonly Setting<int> Rise = new("rise", new CountForm(1, 100))
    {
        Doc = "Passed checks in a row that bring a real server back. After the start the first one is enough.",
        Default = 2,
        Source = "HAProxy rise",
        Example = "rise: 2",
        AlsoCalled = ["healthyThreshold", "passes"],
    };

    public static readonly Setting<int> Fall = new("fall", new CountForm(1, 100))
    {
        Doc = "Failed checks in a row that take a real server out.",
        Default = 3,
        Source = "HAProxy fall",
        Example = "fall: 3",
        AlsoCalled = ["unhealthyThreshold", "fails", "failurecount"],
    };

    public static readonly Setting<TimeSpan> IntervalDown = new("intervalDown", new DurationForm(TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)))
    {
        Doc = "In place of `interval` while a real server is down and its checks fail.",
        Otherwise = "`interval`",
        Source = "HAProxy downinter",
        Example = "intervalDown: 10s",
        AlsoCalled = ["downinter"],
    };

    public static readonly Setting<TimeSpan> IntervalUnknown = new("intervalUnknown", new DurationForm(TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)))
    {
        Doc = "In place of `interval` while a real server is on its way up or down, by `rise` and `fall`, and until it was asked for the first time.",
        Otherwise = "`interval`",
        Source = "HAProxy fastinter",
        Example = "intervalUnknown: 500ms",
        AlsoCalled = ["fastinter", "fast_recovery"],
    };

    public static readonly Setting<int> Retries = new("retries", new CountForm(0, 10))
    {
        Doc = "How often a check that failed is repeated before it counts as failed. A failure of what is down anyway is not repeated.",
        Default = 0,
        Source = "ours: `fall` says the same in whole intervals. keepalived: retry 1",
        Example = "retries: 1",
        AlsoCalled = ["retry", "nb_get_retry"],
    };

    public static readonly Setting<TimeSpan> RetryDelay = new("retryDelay", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(1)))
    {
        Doc = "From a failed check to its repetition, by `retries`.",
        Default = TimeSpan.FromSeconds(1),
        Source = "keepalived delay_before_retry",
        Example = "retryDelay: 1s",
        AlsoCalled = ["delay_before_retry"],
    };

    public static readonly Setting<TimeSpan> Reentry = new("reentry", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(24)))
    {
        Doc = "A real server that was down comes back at the earliest so long after the first of the checks that pass again. After the start nobody waits for it.",
        Default = TimeSpan.Zero,
        Source = "ours: `rise` alone decides. Piranha: reentry 180 s",
        Example = "reentry: 15s",
        AlsoCalled = ["re_entry", "reentry_time"],
    };

    public static readonly Setting<TimeSpan> WarmUp = new("warmUp", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(1)))
    {
        Doc = "First checks are spread over so long by chance; a real server is down until its first. With 0s they begin at once, 5,000 a second.",
        Default = TimeSpan.Zero,
        Source = "ours. keepalived: warmup, as long as delay_loop",
        Example = "warmUp: 10s",
        AlsoCalled = ["warmup", "spread"],
    };

    public static readonly Setting<Fields> FlapHold = new("flapHold", FlapHoldSection.Section)
    {
        Doc = "A real server that went up and down too often stays down for a while.",
        Otherwise = "it comes back by `rise` each time",
        Source = "ours; gdnsd and Seesaw have the like",
        Example = "flapHold: { changes: 5, window: 1m, hold: 5m }",
        AlsoCalled = ["flapping", "antiflap", "dampening"],
    };

    public static readonly Setting<bool> Initial = new("initial", new ChoiceForm<bool>(
        new("down", false, "Down until its first check has passed.", "alpha"),
        new("up", true, "Up until its checks have failed as `fall` says.")))
    {
        Doc = "What a real server counts as before anybody has asked it.",
        Default = false,
        Source = "HAProxy and keepalived's alpha; keepalived without it: up",
        Example = "initial: down",
        AlsoCalled = ["alpha", "initialState", "startsAs"],
    };

    public static readonly ImmutableArray<Setting> Settings =
        [Interval, Timeout, Rise, Fall, IntervalDown, IntervalUnknown, Retries, RetryDelay, Reentry, WarmUp, FlapHold, Initial];

    /// <summary>The check, asked as the fields say.</summary>
    public static Check Apply(Check check, Fields fields) => check with
    {
        Interval = fields.Get(Interval),
        Timeout = MeantTimeout(fields),
        Rise = fields.Get(Rise),
        Fall = fields.Get(Fall),
        IntervalDown = fields.FindValue(IntervalDown),
        IntervalUnknown = fields.FindValue(IntervalUnknown),
        Retries = fields.Get(Retries),
        RetryDelay = fields.Get(RetryDelay),
        Reentry = fields.Get(Reentry),
        WarmUp = fields.Get(WarmUp),
        FlapHold = fields.IsWritten(FlapHold) ? FlapHoldSection.Meant(fields.Get(FlapHold)) : null,
        BeginsUp = fields.Get(Initial),
    };

    public static void Relate(Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(Interval) && fields.FindValue(Timeout) is { } timeout && timeout > fields.Get(Interval))
            problems.Add(fields.AtOf(Timeout), "`timeout` is longer than `interval`, so a slow check would not end before the next begins", "shorten `timeout` or lengthen `interval`");
        else if (fields.FindValue(Timeout) is { } slow && ((Setting<TimeSpan>[])[IntervalDown, IntervalUnknown]).FirstOrDefault(s => fields.FindValue(s) < slow) is { } shorter)
            problems.Add(fields.AtOf(Timeout), $"`timeout` is longer than `{shorter.Name}`, so a slow check would not end before the next begins", $"shorten `timeout` or lengthen `{shorter.Name}`");
        if (fields.IsWritten(RetryDelay) && !fields.IsBroken(Retries) && fields.Get(Retries) == 0)
            problems.Add(fields.AtOf(RetryDelay), "`retryDelay` has nothing to delay: a failed check is not repeated", "add `retries: 1`, or remove it");
    }

    private static TimeSpan MeantTimeout(Fields fields) => fields.FindValue(Timeout) ?? Shortest(Timeout.Default, fields.Get(Interval), fields.FindValue(IntervalDown), fields.FindValue(IntervalUnknown));

    private static TimeSpan Shortest(params ReadOnlySpan<TimeSpan?> durations)
    {
        TimeSpan shortest = TimeSpan.MaxValue;
        foreach (TimeSpan? duration in durations)
            shortest = duration < shortest ? duration.Value : shortest;
        return shortest;
    }
}
