using System.Net;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>Maglev's table as the paper tells it: whole permutations, then turn after turn, with a share of each round in proportion to weight.</summary>
internal static class PlainMaglev
{
    private static readonly FlowHashKey OffsetKey = new(0x9E3779B97F4A7C15, 0xF39CC0605CEDC834);
    private static readonly FlowHashKey SkipKey = new(0x6A09E667F3BCC908, 0xBB67AE8584CAA73B);

    public static List<int> Slots(IReadOnlyList<IPEndPoint> members, int[] weights, int size)
    {
        int[] slots = [.. Enumerable.Repeat(Scheduler.None, size)];
        List<int> order = [.. Enumerable.Range(0, members.Count).Where(i => weights[i] > 0).OrderBy(i => Hash(OffsetKey, members[i])).ThenBy(i => Hash(SkipKey, members[i]) % (size - 1))];
        if (order.Count == 0)
            return [.. slots];
        Dictionary<int, Queue<int>> wishes = order.ToDictionary(i => i, i => new Queue<int>(Permutation(members[i], size)));
        int[] taken = new int[members.Count];
        decimal greatest = order.Max(i => weights[i]);
        for (int round = 0; slots.Contains(Scheduler.None); round++)
        {
            foreach (int member in order.Where(i => taken[i] <= round * (weights[i] / greatest) + 0.000000001m).ToList())
            {
                while (wishes[member].TryPeek(out int wish) && slots[wish] != Scheduler.None)
                    wishes[member].Dequeue();
                if (wishes[member].TryDequeue(out int slot))
                    slots[slot] = member;
                taken[member]++;
            }
        }

        return [.. slots];
    }

    private static IEnumerable<int> Permutation(IPEndPoint member, int size)
    {
        long offset = Hash(OffsetKey, member) % size;
        long skip = (Hash(SkipKey, member) % (size - 1)) + 1;
        return Enumerable.Range(0, size).Select(j => (int)((offset + (j * skip)) % size));
    }

    private static long Hash(FlowHashKey key, IPEndPoint member) => FlowHash.KeyedSource(key, ClientAddress.Of(member), withPort: true);
}
