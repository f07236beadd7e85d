using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// <c>least-time</c>: the shortest wait to be expected, answer time × (active + 1) / weight. The answer time is what the proxy has seen
/// (<see cref="AnswerTime"/>): of a TCP virtual server the time to connect, of an HTTP one from the whole request to the head of its answer.
/// </summary>
/// <remarks>
/// One of which nothing is known is asked first, but by one client alone: until it has answered, the others go to those that are known. Among
/// equals the next in the ring after the last choice wins, as with <see cref="LeastLoaded"/>.
/// </remarks>
public sealed class LeastTime(ImmutableArray<LiveRealServer> realServers, TimeProvider time) : Scheduler(realServers)
{
    private const double NobodyKnows = 1e12; // microseconds, 11 days: worse than any that is known, and still a share among each other

    private int _last = -1;

    /// <inheritdoc/>
    public override bool GoesByTime => true;

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        TimeSpan now = time.GetElapsedTime(0);
        while (true)
        {
            int last = Volatile.Read(ref _last);
            int next = QuickestAfter(last, tried, now);
            if (next == None || Interlocked.CompareExchange(ref _last, next, last) == last)
                return next;
        }
    }

    private int QuickestAfter(int last, in TriedServers tried, TimeSpan now)
    {
        int quickest = None;
        double shortest = double.PositiveInfinity;
        for (int step = 1; step <= RealServers.Length; step++)
        {
            int index = (last + step) % RealServers.Length;
            if (!IsUsable(index, tried))
                continue;
            double wait = WaitAt(RealServers[index], now);
            if (wait < shortest)
                (quickest, shortest) = (index, wait);
        }

        return quickest;
    }

    private static double WaitAt(LiveRealServer realServer, TimeSpan now)
    {
        int active = realServer.ActiveConnections;
        double known = realServer.AnswerTime.At(now);
        if (known == 0)
            known = active == 0 ? 0 : NobodyKnows;
        return known * (active + 1) / int.Max(1, realServer.Weight);
    }
}
