using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>
/// A real server that has just come up has cold caches and no connections, so that counting schedulers would send it everybody at once. For a while it
/// is given only a part of its weight, which grows evenly.
/// </summary>
/// <remarks>Piranha began with weight / 32, at least 1, and doubled it about every 20 s; the floor is its, the line is HAProxy's.</remarks>
public static class SlowStart
{
    /// <summary>What it begins with: a thirty-second of its weight, in parts of <see cref="LiveRealServer.WholeShare"/>.</summary>
    public const int Floor = (LiveRealServer.WholeShare + 31) / 32;

    /// <summary>What part of its weight it is given.</summary>
    /// <param name="elapsed">Since it came up.</param>
    /// <param name="length">From coming up to its whole weight; zero: at once.</param>
    /// <returns><see cref="Floor"/> to <see cref="LiveRealServer.WholeShare"/>.</returns>
    public static int Share(TimeSpan elapsed, TimeSpan length) => elapsed >= length
        ? LiveRealServer.WholeShare
        : int.Max(Floor, (int)(LiveRealServer.WholeShare * (elapsed / length)));

    /// <summary>Whether a scheduler looks at weights at each choice; otherwise a slow start would change nothing.</summary>
    public static bool IsNoticedBy(SchedulerKind scheduler) => scheduler switch
    {
        SchedulerKind.WeightedRoundRobin or SchedulerKind.WeightedLeastConnection or SchedulerKind.ShortestExpectedDelay or SchedulerKind.NeverQueue
            or SchedulerKind.Random or SchedulerKind.PowerOfTwoChoices or SchedulerKind.FailOver or SchedulerKind.Overflow
            or SchedulerKind.LocalityLeastConnection or SchedulerKind.LocalityLeastConnectionReplicated
            or SchedulerKind.LeastTime => true,
        SchedulerKind.RoundRobin or SchedulerKind.LeastConnection
            or SchedulerKind.SourceHash or SchedulerKind.MaglevHash or SchedulerKind.DestinationHash or SchedulerKind.RequestHash => false,
    };
}
