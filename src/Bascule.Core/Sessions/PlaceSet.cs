using System.Numerics;

namespace Bascule.Core.Sessions;

/// <summary>
/// Places of a table that somebody has to look at again: a bit each. Many threads add, one takes; nobody waits, nothing is allocated, and it cannot overflow:
/// a place that changes ten times is looked at once.
/// </summary>
internal sealed class PlaceSet(int capacity)
{
    private readonly ulong[] _bits = new ulong[(capacity + 63) / 64];

    /// <summary>After what has changed in the place can be seen by other threads.</summary>
    public void Add(int place)
    {
        ref ulong word = ref _bits[place / 64];
        ulong bit = 1UL << (place % 64);
        // Most of the time it is there already; then the line of the cache stays shared.
        if ((Volatile.Read(ref word) & bit) == 0)
            Interlocked.Or(ref word, bit);
    }

    /// <summary>Empties it. What is added meanwhile comes now or the next time.</summary>
    public IEnumerable<int> Take()
    {
        for (int i = 0; i < _bits.Length; i++)
        {
            if (Volatile.Read(ref _bits[i]) == 0)
                continue;
            for (ulong bits = Interlocked.Exchange(ref _bits[i], 0); bits != 0; bits &= bits - 1)
                yield return (i * 64) + BitOperations.TrailingZeroCount(bits);
        }
    }
}
