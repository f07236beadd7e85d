namespace Bascule.Core.Model;

/// <summary>When a real server's answers to clients take it out for a while, whatever its check says. On the proxy.</summary>
public sealed record PassiveCheck
{
    /// <summary>So many failures in a row, over all workers, eject it. 0: they never do; up to 1000.</summary>
    public required int ConsecutiveFailures { get; init; }

    /// <summary>Who is much worse than the others is ejected; null: nobody is compared.</summary>
    public required OutlierRule? Outliers { get; init; }

    /// <summary>How long the first ejection lasts; the second one twice as long, and so on.</summary>
    public required TimeSpan Ejection { get; init; }

    /// <summary>No ejection lasts longer.</summary>
    public required TimeSpan MaxEjection { get; init; }

    /// <summary>Percent of the real servers that are otherwise up; no more are ejected at a time, rounded down. 1 to 100.</summary>
    public required int MaxEjected { get; init; }
}

/// <summary>Who is much worse than the others.</summary>
/// <param name="Interval">Success rates are of so long.</param>
/// <param name="MinRequests">With fewer answers in an interval a real server is not compared.</param>
/// <param name="MinServers">With fewer that can be compared nobody is ejected.</param>
/// <param name="Factor">So many standard deviations below the mean is much worse.</param>
public sealed record OutlierRule(TimeSpan Interval, int MinRequests, int MinServers, double Factor);

/// <summary>A real server is given nothing for a while because of its answers to clients.</summary>
/// <param name="Why">What its answers were, in a few words.</param>
/// <param name="Since">When it was ejected, UTC.</param>
/// <param name="Until">When it is given work again, UTC.</param>
public sealed record Ejection(string Why, DateTimeOffset Since, DateTimeOffset Until);
