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
        Doc = "For the whole answer. No longer than `interval`: one check ends before the next begins.",
        Default = TimeSpan.FromSeconds(1),
        Otherwise = "1s, or `interval` if that is shorter",
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
        AlsoCalled = ["unhealthyThreshold", "fails", "retries"],
    };

    public static readonly ImmutableArray<Setting> Settings = [Interval, Timeout, Rise, Fall];

    /// <summary>The check, asked as the fields say.</summary>
    public static Check Apply(Check check, Fields fields) => check with
    {
        Interval = fields.Get(Interval),
        Timeout = MeantTimeout(fields),
        Rise = fields.Get(Rise),
        Fall = fields.Get(Fall),
    };

    public static void Relate(Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(Interval) && fields.FindValue(Timeout) is { } timeout && timeout > fields.Get(Interval))
            problems.Add(fields.AtOf(Timeout), "`timeout` is longer than `interval`, so a slow check would not end before the next begins", "shorten `timeout` or lengthen `interval`");
    }

    private static TimeSpan MeantTimeout(Fields fields) =>
        fields.FindValue(Timeout) ?? (fields.Get(Interval) < Timeout.Default ? fields.Get(Interval) : Timeout.Default);
}
