using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Simulation;

/// <summary>The shares that a scheduler is to give, by what its rule says of weights.</summary>
internal static class Shares
{
    /// <summary>Of each real server, in the order of the file; null where the rule is about something else than shares.</summary>
    public static ImmutableArray<double?> Wanted(LiveVirtualServer virtualServer)
    {
        ImmutableArray<LiveRealServer> all = virtualServer.RealServers;
        HashSet<LiveRealServer> given = Given(all);
        return Rule(virtualServer.Configured.Scheduler) switch
        {
            ShareRule.ByWeight => Parts(all, given, r => r.Weight),
            ShareRule.Equal => Parts(all, given, _ => 1),
            ShareRule.AllToTheFirst => Parts(all, given, r => r == all.Where(given.Contains).MaxBy(o => o.Weight) ? 1 : 0),
            ShareRule.None => [.. all.Select(_ => (double?)null)],
        };
    }

    private enum ShareRule
    {
        ByWeight,
        Equal,
        AllToTheFirst,
        None,
    }

    private static ShareRule Rule(SchedulerKind scheduler) => scheduler switch
    {
        SchedulerKind.WeightedRoundRobin or SchedulerKind.WeightedLeastConnection or SchedulerKind.ShortestExpectedDelay or SchedulerKind.Random
            or SchedulerKind.PowerOfTwoChoices or SchedulerKind.SourceHash or SchedulerKind.MaglevHash or SchedulerKind.RequestHash
            or SchedulerKind.LeastTime => ShareRule.ByWeight,
        SchedulerKind.RoundRobin or SchedulerKind.LeastConnection => ShareRule.Equal,
        SchedulerKind.FailOver => ShareRule.AllToTheFirst,
        // By who is idle, by a queue that overflows, or by the address asked for, of which one virtual server may have only one.
        SchedulerKind.NeverQueue or SchedulerKind.Overflow or SchedulerKind.DestinationHash
            or SchedulerKind.LocalityLeastConnection or SchedulerKind.LocalityLeastConnectionReplicated => ShareRule.None,
    };

    /// <summary>Who is given anything: the fallback servers only where none of the others takes connections.</summary>
    private static HashSet<LiveRealServer> Given(ImmutableArray<LiveRealServer> all)
    {
        bool mainTakes = all.Any(r => r is { TakesConnections: true, IsFallback: false });
        return [.. all.Where(r => r.TakesConnections && r.IsFallback != mainTakes)];
    }

    private static ImmutableArray<double?> Parts(ImmutableArray<LiveRealServer> all, HashSet<LiveRealServer> given, Func<LiveRealServer, double> part)
    {
        double whole = given.Sum(part);
        return [.. all.Select(r => (double?)(given.Contains(r) ? part(r) / whole : 0))];
    }
}
