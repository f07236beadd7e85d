using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary><c>random</c>: by chance, in proportion to its weight.</summary>
public sealed class WeightedRandom(ImmutableArray<LiveRealServer> realServers) : Scheduler(realServers)
{
    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        long total = 0;
        for (int index = 0; index < RealServers.Length; index++)
        {
            if (IsUsable(index, tried))
                total += RealServers[index].Weight;
        }

        return total == 0 ? None : UsableAt(random.NextInt64(total), tried);
    }

    /// <summary>Lays the usable real servers out side by side, each as wide as its weight, and finds the one at this place.</summary>
    private int UsableAt(long place, in TriedServers tried)
    {
        int found = None;
        for (int index = 0; index < RealServers.Length; index++)
        {
            if (!IsUsable(index, tried))
                continue;
            found = index;
            place -= RealServers[index].Weight;
            if (place < 0)
                break;
        }

        return found; // the last usable one, if weights shrank since they were added up
    }
}

/// <summary><c>twos</c>: of two taken by chance in proportion to weight, the one with fewer connections for its weight.</summary>
/// <remarks>
/// As in IPVS both draws may hit the same real server, and the first wins a tie. Unlike IPVS, whose range is one too wide and so
/// favours the first of the list a little, each draw is exactly in proportion.
/// </remarks>
public sealed class PowerOfTwoChoices(ImmutableArray<LiveRealServer> realServers) : Scheduler(realServers)
{
    private readonly WeightedRandom _draw = new(realServers);

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        int first = _draw.Pick(client, tried, random);
        int second = _draw.Pick(client, tried, random);
        if (first == None || second == None)
            return int.Max(first, second);
        return IsLessLoaded(RealServers[second], RealServers[first]) ? second : first;
    }

    private static bool IsLessLoaded(LiveRealServer one, LiveRealServer other) =>
        one.Overhead * other.Weight < other.Overhead * one.Weight;
}
