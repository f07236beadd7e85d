using System.Numerics;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>What each scheduler should choose, written as plainly as possible: one thread, lists, no cleverness.</summary>
internal sealed class PlainScheduler(SchedulerKind kind, Farm farm, int? balanceFactor = null)
{
    private readonly List<int> _slots = Slots(kind, farm);
    private readonly Dictionary<string, List<int>> _sets = [];
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
            SchedulerKind.SourceHash => Hashed(Golden(client.High, client.Low), usable),
            SchedulerKind.DestinationHash => Hashed(Golden(client.DestinationHigh, client.DestinationLow), usable),
            SchedulerKind.MaglevHash => Hashed(FlowHash.KeyedSource(default, client, withPort: false), usable),
            SchedulerKind.FailOver => Highest(usable),
            SchedulerKind.Overflow => Highest([.. usable.Where(i => farm.RealServers[i].ActiveConnections <= farm.RealServers[i].Weight)]),
            SchedulerKind.LocalityLeastConnection => Local(client, usable, mostInSet: 1),
            SchedulerKind.LocalityLeastConnectionReplicated => Local(client, usable, mostInSet: 8),
            SchedulerKind.LeastTime => InRing().Where(usable.Contains).MinBy(ExpectedWait),
            SchedulerKind.RequestHash => WithRoom(client.Content != 0 ? (uint)client.Content : FlowHash.KeyedSource(default, client, withPort: false), usable),
        };
        // nq chooses an idle one, lblc and lblcr a remembered one, outside of the ring that breaks their ties.
        if (!_isOutsideOfRing)
            _last = choice;
        return choice;
    }

    private bool _isOutsideOfRing;

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
        _isOutsideOfRing = idle.Count > 0;
        return idle.Count > 0 ? idle[0] : LeastInRing(usable, r => r.ActiveConnections + 1, r => r.Weight);
    }

    private int Drawn(List<int> usable, Random random)
    {
        List<int> urn = [.. usable.SelectMany(i => Enumerable.Repeat(i, farm.RealServers[i].Weight))];
        return urn[(int)random.NextInt64(urn.Count)];
    }

    private int Highest(List<int> candidates) =>
        candidates.Count == 0 ? Scheduler.None : candidates.MaxBy(i => (farm.RealServers[i].Weight, -i));

    /// <summary>lblc keeps a set of one, which the next choice replaces.</summary>
    private int Local(ClientAddress client, List<int> usable, int mostInSet)
    {
        List<int> set = _sets.TryGetValue(Asked(client), out List<int>? known) ? known : _sets[Asked(client)] = [];
        List<int> candidates = [.. set.Where(usable.Contains)];
        _isOutsideOfRing = candidates.Count > 0 && !IsOverloaded(LeastOf(candidates, r => r.Overhead, r => r.Weight));
        if (_isOutsideOfRing)
            return LeastOf(candidates, r => r.Overhead, r => r.Weight);

        int choice = LeastInRing(usable, r => r.Overhead, r => r.Weight);
        if (mostInSet == 1)
            set.Clear();
        if (set.Count < mostInSet && !set.Contains(choice))
            set.Add(choice);
        return choice;
    }

    private double ExpectedWait(int index)
    {
        LiveRealServer realServer = farm.RealServers[index];
        double time = realServer.AnswerTime.At(farm.Clock.GetElapsedTime(0));
        bool isAsked = realServer.ActiveConnections > 0;
        return (time > 0 ? time : isAsked ? 1e12 : 0) * (realServer.ActiveConnections + 1) / realServer.Weight;
    }

    private int WithRoom(uint hash, List<int> usable)
    {
        int slot = (int)(hash * (BigInteger)_slots.Count / BigInteger.Pow(2, 32));
        List<int> ring = [.. Enumerable.Range(slot, _slots.Count).Select(s => _slots[s % _slots.Count]).Where(usable.Contains).Distinct()];
        if (ring.Count == 0)
            return usable[0];
        decimal all = 1 + usable.Sum(i => farm.RealServers[i].ActiveConnections);
        decimal weights = usable.Sum(i => farm.RealServers[i].Weight);
        return ring.Where(HasRoom).Append(ring[0]).First();

        bool HasRoom(int i) => balanceFactor is null || farm.RealServers[i].ActiveConnections + 1 <= Math.Ceiling(balanceFactor.Value / 100m * all * farm.RealServers[i].Weight / weights);
    }

    private bool IsOverloaded(int index) =>
        farm.RealServers[index].ActiveConnections > farm.RealServers[index].Weight
        && farm.RealServers.Any(r => r.TakesConnections && r.ActiveConnections < r.Weight / 2.0);

    private static string Asked(ClientAddress client) => $"{client.IsIpv4} {client.DestinationHigh} {client.DestinationLow}";

    private int Hashed(uint hash, List<int> usable)
    {
        int slot = (int)(hash * (BigInteger)_slots.Count / BigInteger.Pow(2, 32));
        IEnumerable<int> probes = [slot, .. Enumerable.Range(0, _slots.Count).Select(offset => ((2 * slot) + offset) % _slots.Count)];
        return probes.Select(probe => _slots[probe]).Concat(usable).First(usable.Contains);
    }

    private static uint Golden(ulong high, ulong low)
    {
        uint[] words = [(uint)(high >> 32), (uint)high, (uint)(low >> 32), (uint)low];
        return (uint)((BigInteger)words.Aggregate((a, b) => a ^ b) * 0x61C88647 % BigInteger.Pow(2, 32));
    }

    private static List<int> Slots(SchedulerKind kind, Farm farm)
    {
        int[] weights = [.. farm.RealServers.Select(r => r.Weight)];
        List<int> oneTurn = kind switch
        {
            SchedulerKind.SourceHash => [.. weights.SelectMany((weight, i) => Enumerable.Repeat(i, weight))],
            SchedulerKind.DestinationHash => [.. Enumerable.Range(0, weights.Length)],
            _ => [],
        };
        if (kind is SchedulerKind.MaglevHash or SchedulerKind.RequestHash)
            return PlainMaglev.Slots([.. farm.RealServers.Select(r => r.Address)], weights, kind == SchedulerKind.MaglevHash ? 4093 : 251);
        return [.. Enumerable.Range(0, 256).Select(i => oneTurn.Count == 0 ? Scheduler.None : oneTurn[i % oneTurn.Count])];
    }
}
