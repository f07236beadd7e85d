using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// What <c>lc</c>, <c>wlc</c> and <c>sed</c> have in common: the usable real server with the least load for its share.
/// </summary>
/// <remarks>
/// Among equals the next in the ring after the last choice wins. IPVS takes the first of the list; but it counts closed
/// connections for a minute or more, while a proxy's load is often exactly 0 everywhere, and then the first real server would
/// get all the work of a quiet farm.
/// </remarks>
public abstract class LeastLoaded(ImmutableArray<LiveRealServer> realServers) : Scheduler(realServers)
{
    private int _last = -1;

    /// <summary>How busy it is; below 2^40, so that a product with a weight fits 64 bits.</summary>
    protected abstract long Load(LiveRealServer realServer);

    /// <summary>How much of the load it should carry, relative to the others.</summary>
    protected abstract int Share(LiveRealServer realServer);

    /// <inheritdoc/>
    public sealed override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        while (true)
        {
            int last = Volatile.Read(ref _last);
            int next = LeastAfter(last, tried);
            if (next == None || Interlocked.CompareExchange(ref _last, next, last) == last)
                return next;
        }
    }

    private int LeastAfter(int last, in TriedServers tried)
    {
        int least = None;
        long leastLoad = 0;
        long leastShare = 0;
        for (int step = 1; step <= RealServers.Length; step++)
        {
            int index = (last + step) % RealServers.Length;
            if (!IsUsable(index, tried))
                continue;

            long load = Load(RealServers[index]);
            long share = Share(RealServers[index]);
            if (least != None && load * leastShare >= leastLoad * share) // load / share ≥ leastLoad / leastShare
                continue;
            (least, leastLoad, leastShare) = (index, load, share);
        }

        return least;
    }
}

/// <summary><c>lc</c>: the fewest connections, whatever its weight (unless 0).</summary>
public sealed class LeastConnection(ImmutableArray<LiveRealServer> realServers) : LeastLoaded(realServers)
{
    /// <inheritdoc/>
    protected override long Load(LiveRealServer realServer) => realServer.Overhead;

    /// <inheritdoc/>
    protected override int Share(LiveRealServer realServer) => 1;
}

/// <summary><c>wlc</c>: the fewest connections for its weight.</summary>
public sealed class WeightedLeastConnection(ImmutableArray<LiveRealServer> realServers) : LeastLoaded(realServers)
{
    /// <inheritdoc/>
    protected override long Load(LiveRealServer realServer) => realServer.Overhead;

    /// <inheritdoc/>
    protected override int Share(LiveRealServer realServer) => realServer.Weight;
}

/// <summary><c>sed</c>: the shortest expected delay, (active + 1) / weight. Unlike <c>wlc</c> it sends an idle farm's first connection to the greatest weight.</summary>
public sealed class ShortestExpectedDelay(ImmutableArray<LiveRealServer> realServers) : LeastLoaded(realServers)
{
    /// <inheritdoc/>
    protected override long Load(LiveRealServer realServer) => realServer.ActiveConnections + 1L;

    /// <inheritdoc/>
    protected override int Share(LiveRealServer realServer) => realServer.Weight;
}
