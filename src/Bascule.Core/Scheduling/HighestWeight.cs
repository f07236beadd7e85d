using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>What <c>fo</c> and <c>ovf</c> have in common: the usable real server with the highest weight that has room; the first of the list among equals.</summary>
public abstract class HighestWeight(ImmutableArray<LiveRealServer> realServers) : Scheduler(realServers)
{
    /// <summary>Whether one that could be used is passed over all the same.</summary>
    protected abstract bool HasRoom(LiveRealServer realServer, int weight);

    /// <inheritdoc/>
    public sealed override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        int highest = None;
        int highestWeight = 0;
        for (int index = 0; index < RealServers.Length; index++)
        {
            int weight = RealServers[index].Weight;
            if (weight > highestWeight && IsUsable(index, tried) && HasRoom(RealServers[index], weight))
                (highest, highestWeight) = (index, weight);
        }

        return highest;
    }
}

/// <summary><c>fo</c>: fail over. All to the highest weight; the others wait until it is down.</summary>
public sealed class FailOver(ImmutableArray<LiveRealServer> realServers) : HighestWeight(realServers)
{
    /// <inheritdoc/>
    protected override bool HasRoom(LiveRealServer realServer, int weight) => true;
}

/// <summary>
/// <c>ovf</c>: overflow. To the highest weight while its active connections do not exceed that weight (so it takes weight + 1 of
/// them, as in IPVS), then to the next. When all are full nobody is chosen.
/// </summary>
public sealed class Overflow(ImmutableArray<LiveRealServer> realServers) : HighestWeight(realServers)
{
    /// <inheritdoc/>
    protected override bool HasRoom(LiveRealServer realServer, int weight) => realServer.ActiveConnections <= weight;
}
