using System.Numerics;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>What each scheduler should choose, written as plainly as possible: one thread, lists, no cleverness.</summary>
internal sealed class PlainScheduler(SchedulerKind kind, Farm farm)
{
    private readonly List<int> _buckets = SourceHashBuckets([.. farm.RealServers.Select(r => r.Weight)]);
    private int _last = farm.Count - 1; // the end of a round
    private int _threshold = 1;

    public int Pick(ClientAddress client, TriedServers tried, Random random)
    {
        List<int> usable = [.. All.Where(i => farm.RealServers[i].TakesConnections && !tried.Contains(i))];
        if (usable.Count == 0)
            return Scheduler.None;
        int choice = kind switch
        {
            SchedulerKind.RoundRobin => InRing().First(usable.Contains),
            SchedulerKind.WeightedRoundRobin => Interleaved(usable),
            SchedulerKind.LeastConnection => LeastInRing(usable, r => r.Overhead, _ => 1),
            SchedulerKind.WeightedLeastConnection => LeastInRing(usable, r => r.Overhead, r => r.Weight),
            SchedulerKind.ShortestExpectedDelay => LeastInRing(usable, r => r.ActiveConnections + 1, r => r.Weight),
            SchedulerKind.NeverQueue => NeverQueued(usable),
            SchedulerKind.Random => Drawn(usable, random),
            SchedulerKind.PowerOfTwoChoices => LeastOf([Drawn(usable, random), Drawn(usable, random)], r => r.Overhead, r => r.Weight),
            SchedulerKind.SourceHash => Hashed(client, usable),
        };
        // nq chooses an idle one outside of the ring that breaks its ties.
        if (kind != SchedulerKind.NeverQueue || farm.RealServers[choice].ActiveConnections > 0)
            _last = choice;
        return choice;
    }

    private IEnumerable<int> All => Enumerable.Range(0, farm.Count);

    private IEnumerable<int> InRing() => All.Select(i => (_last + 1 + i) % farm.Count);

    /// <summary>Round after round, threshold after threshold, one at a time.</summary>
    private int Interleaved(List<int> usable)
    {
        int index = _last;
        while (true)
        {
            for (index++; index < farm.Count; index++)
            {
                if (usable.Contains(index) && farm.RealServers[index].Weight >= _threshold)
                    return index;
            }

            List<int> weights = [.. farm.RealServers.Where(r => r.TakesConnections).Select(r => r.Weight)];
            int divisor = Enumerable.Range(1, weights.Max()).Last(d => weights.All(w => w % d == 0));
            do
            {
                _threshold = _threshold > 1 ? _threshold - 1 : weights.Max();
            }
            while ((_threshold - 1) % divisor != 0);
            index = -1;
        }
    }

    private int LeastInRing(List<int> usable, Func<LiveRealServer, long> load, Func<LiveRealServer, int> share) =>
        LeastOf([.. InRing().Where(usable.Contains)], load, share);

    private int LeastOf(List<int> candidates, Func<LiveRealServer, long> load, Func<LiveRealServer, int> share)
    {
        int best = candidates[0];
        foreach (int candidate in candidates)
        {
            LiveRealServer one = farm.RealServers[candidate];
            LiveRealServer other = farm.RealServers[best];
            if ((BigInteger)load(one) * share(other) < (BigInteger)load(other) * share(one))
                best = candidate;
        }

        return best;
    }

    private int NeverQueued(List<int> usable)
    {
        List<int> idle = [.. usable.Where(i => farm.RealServers[i].ActiveConnections == 0)];
        return idle.Count > 0 ? idle[0] : LeastInRing(usable, r => r.ActiveConnections + 1, r => r.Weight);
    }

    private int Drawn(List<int> usable, Random random)
    {
        List<int> urn = [.. usable.SelectMany(i => Enumerable.Repeat(i, farm.RealServers[i].Weight))];
        return urn[(int)random.NextInt64(urn.Count)];
    }

    private int Hashed(ClientAddress client, List<int> usable)
    {
        if (_buckets.Count == 0)
            return usable[0];
        uint[] words = [(uint)(client.High >> 32), (uint)client.High, (uint)(client.Low >> 32), (uint)client.Low];
        uint folded = words.Aggregate((a, b) => a ^ b);
        int bucket = (int)((BigInteger)folded * 0x61C88647 % BigInteger.Pow(2, 32) / BigInteger.Pow(2, 24));
        IEnumerable<int> probes = [bucket, .. Enumerable.Range(0, 256).Select(offset => ((2 * bucket) + offset) % 256)];
        return probes.Select(probe => _buckets[probe]).Concat(usable).First(usable.Contains);
    }

    private static List<int> SourceHashBuckets(int[] weights)
    {
        List<int> oneTurn = [.. weights.SelectMany((weight, i) => Enumerable.Repeat(i, weight))];
        return oneTurn.Count == 0 ? [] : [.. Enumerable.Range(0, 256).Select(i => oneTurn[i % oneTurn.Count])];
    }
}
