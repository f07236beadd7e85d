namespace Bascule.Core.Scheduling;

/// <summary>What an <see cref="AddressTable{TValue}"/> is asked for: an address, or the prefix that counts as one.</summary>
internal readonly record struct AddressKey(ulong High, ulong Low, bool IsIpv4);

/// <summary>Where an <see cref="AddressTable{TValue}"/> was looked into, and what state it was in.</summary>
/// <param name="Entry">The entry found; negative when there is none.</param>
internal readonly record struct AddressPlace(int Bucket, int Version, int Entry)
{
    public bool IsFound => Entry >= 0;
}

/// <summary>
/// A bounded memory of addresses that all workers share and none waits for: buckets of eight entries, each with a version that is odd while
/// somebody writes. Who reads while it changes looks again a few times, then takes it for not found; who writes gives up when the bucket
/// changed since he looked.
/// </summary>
/// <remarks>
/// A new address takes, in its bucket, a free entry; else one that has not been used for the longest time, of those that nobody holds; else of
/// all. Which bucket an address has cannot be predicted from outside: <see cref="HashCode"/> has a seed of its own in every process.
/// </remarks>
internal sealed class AddressTable<TValue>
    where TValue : struct
{
    private const int Ways = 8;
    private const int Looks = 64;

    private readonly Entry[] _entries;
    private readonly int[] _versions;

    /// <param name="capacity">A power of two, at least 8.</param>
    public AddressTable(int capacity)
    {
        _entries = new Entry[capacity];
        _versions = new int[capacity / Ways];
    }

    /// <summary>Looks the address up.</summary>
    /// <param name="now">On the clock, and in the unit, that <see cref="TryPut"/> and <see cref="Touch"/> are told.</param>
    /// <param name="lifetime">In the same unit: after which an entry that was not used, and is not held, counts as gone.</param>
    public AddressPlace Find(in AddressKey key, long now, long lifetime, out TValue value)
    {
        int bucket = HashCode.Combine(key.High, key.Low) & (_versions.Length - 1);
        int version = 0;
        for (int look = 0; look < Looks; look++)
        {
            version = Volatile.Read(ref _versions[bucket]);
            int entry = EntryOf(bucket, key);
            bool isFresh = entry >= 0 && IsFresh(in _entries[entry], now, lifetime);
            value = isFresh ? _entries[entry].Value : default;
            Volatile.ReadBarrier();
            if ((version & 1) == 0 && Volatile.Read(ref _versions[bucket]) == version)
                return new(bucket, version, isFresh ? entry : -1);
        }

        value = default;
        return new(bucket, version, -1);
    }

    /// <summary>Puts the address in, or changes its value.</summary>
    /// <param name="place">From <see cref="Find"/> of the same key.</param>
    /// <returns>Whether it did; not when the bucket changed since it was looked into.</returns>
    public bool TryPut(in AddressPlace place, in AddressKey key, in TValue value, long now)
    {
        ref int version = ref _versions[place.Bucket];
        if ((place.Version & 1) != 0 || Interlocked.CompareExchange(ref version, place.Version + 1, place.Version) != place.Version)
            return false;
        int known = EntryOf(place.Bucket, key);
        ref Entry entry = ref _entries[known >= 0 ? known : Dispensable(place.Bucket)];
        entry.Key = key;
        entry.Value = value;
        entry.Seen = now;
        entry.IsTaken = true;
        Volatile.Write(ref version, place.Version + 2);
        return true;
    }

    /// <summary>It was used now.</summary>
    public void Touch(int entry, long now) => Volatile.Write(ref _entries[entry].Seen, now);

    /// <summary>It does not grow old until <see cref="Release"/>.</summary>
    public void Hold(int entry) => Interlocked.Increment(ref _entries[entry].Holders);

    /// <summary>Gives back one <see cref="Hold"/>; used now.</summary>
    public void Release(int entry, long now)
    {
        Touch(entry, now);
        Interlocked.Decrement(ref _entries[entry].Holders);
    }

    private int EntryOf(int bucket, in AddressKey key)
    {
        for (int entry = bucket * Ways; entry < (bucket + 1) * Ways; entry++)
        {
            if (_entries[entry].IsTaken && _entries[entry].Key == key)
                return entry;
        }

        return -1;
    }

    private static bool IsFresh(in Entry entry, long now, long lifetime) =>
        Volatile.Read(in entry.Holders) > 0 || now - Volatile.Read(in entry.Seen) < lifetime;

    private int Dispensable(int bucket)
    {
        int best = bucket * Ways;
        for (int entry = best; entry < (bucket + 1) * Ways; entry++)
        {
            if (!_entries[entry].IsTaken)
                return entry;
            if (Rank(_entries[entry]).CompareTo(Rank(_entries[best])) < 0)
                best = entry;
        }

        return best;
    }

    private static (bool IsHeld, long Seen) Rank(in Entry entry) => (entry.Holders > 0, entry.Seen);

    private struct Entry
    {
        public AddressKey Key;
        public TValue Value;
        public long Seen;

        // Belongs to the entry, not to the address in it: who holds gives back here, whoever has taken the entry over in between.
        public int Holders;
        public bool IsTaken;
    }
}
