using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// <c>wrr</c>: each in turn in proportion to its weight, interleaved. Rounds go over the list with a falling threshold, from the
/// greatest weight down to 1 in steps of the weights' greatest common divisor; a round takes each real server whose weight
/// reaches it. Weights 4, 3, 2 give A A B A B C A B C.
/// </summary>
/// <remarks>
/// The divisor and the greatest weight are computed anew where a round ends, the only place they are needed: weights and health
/// may change at any time, a cache would need someone to tell it, and the pass costs no more than one choice of <c>wlc</c>.
/// A real server that is down counts as taken off the list, which is what keepalived does to IPVS's.
/// </remarks>
public sealed class WeightedRoundRobin(ImmutableArray<LiveRealServer> realServers) : Scheduler(realServers)
{
    private long _turn = new Turn(Last: int.MaxValue - 1, Threshold: int.MaxValue).Pack(); // at the end of a round above all weights

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        while (true)
        {
            long packed = Volatile.Read(ref _turn);
            Turn turn = Turn.Unpack(packed);
            int threshold = turn.Threshold;
            int next = FirstReaching(threshold, turn.Last + 1, tried);
            if (next == None)
            {
                threshold = NextThreshold(threshold, tried);
                if (threshold == 0)
                    return None;
                next = FirstReaching(threshold, 0, tried);
            }

            // None here means that a weight or a health changed between the two passes: look again.
            if (next != None && Interlocked.CompareExchange(ref _turn, new Turn(next, threshold).Pack(), packed) == packed)
                return next;
        }
    }

    private int FirstReaching(int threshold, int from, in TriedServers tried)
    {
        for (int index = from; index < RealServers.Length; index++)
        {
            if (RealServers[index].Weight >= threshold && IsUsable(index, tried))
                return index;
        }

        return None;
    }

    /// <summary>The next lower threshold that someone reaches (IPVS walks through the empty rounds between); 0 when nobody is usable.</summary>
    private int NextThreshold(int threshold, in TriedServers tried)
    {
        int divisor = 0;
        int greatest = 0;
        for (int index = 0; index < RealServers.Length; index++)
        {
            int weight = RealServers[index].Weight;
            if (weight == 0 || !RealServers[index].TakesConnections)
                continue;
            divisor = GreatestCommonDivisor(weight, divisor);
            if (weight > greatest && !tried.Contains(index))
                greatest = weight;
        }

        if (greatest == 0)
            return 0;
        int atMost = threshold > 1 ? int.Min(threshold - 1, greatest) : greatest;
        return ((atMost - 1) / divisor * divisor) + 1; // thresholds are 1, 1 + divisor, 1 + 2 × divisor …
    }

    private static int GreatestCommonDivisor(int a, int b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }

    /// <summary>Where the round stands: who was chosen last, and the weight it takes to be chosen.</summary>
    private readonly record struct Turn(int Last, int Threshold)
    {
        public long Pack() => ((long)Threshold << 32) | (uint)Last;

        public static Turn Unpack(long packed) => new((int)packed, (int)(packed >> 32));
    }
}
