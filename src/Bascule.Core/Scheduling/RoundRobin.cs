using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary><c>rr</c>: the next usable real server in the ring, whatever its weight (unless 0).</summary>
public sealed class RoundRobin(ImmutableArray<LiveRealServer> realServers) : Scheduler(realServers)
{
    private int _last = -1;

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        while (true)
        {
            int last = Volatile.Read(ref _last);
            int next = NextUsable(last, tried);
            if (next == None || Interlocked.CompareExchange(ref _last, next, last) == last)
                return next;
        }
    }

    private int NextUsable(int last, in TriedServers tried)
    {
        for (int step = 1; step <= RealServers.Length; step++)
        {
            int index = (last + step) % RealServers.Length;
            if (IsUsable(index, tried))
                return index;
        }

        return None;
    }
}
