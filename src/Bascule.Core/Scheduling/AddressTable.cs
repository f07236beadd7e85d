namespace Bascule.Core.Scheduling;

/// <summary>What an <see cref="AddressTable{TValue}"/> is asked for: an address, or the prefix that counts as one.</summary>
internal readonly record struct AddressKey(ulong High, ulong Low, bool IsIpv4);

/// <summary>An address and what is known about it. Another value is another entry in its place.</summary>
internal sealed class AddressEntry<TValue>(AddressKey key, TValue value, int place, long now)
{
    /// <summary>As <see cref="Told"/>: nobody was.</summary>
    public const long Never = long.MinValue / 2;

    private long _seen = now;
    private long _told = Never;
    private int _holders;

    public AddressKey Key { get; } = key;

    public TValue Value { get; } = value;

    /// <summary>Where in the table it is.</summary>
    public int Place { get; } = place;

    public long Seen => Volatile.Read(ref _seen);

    /// <summary>When somebody elsewhere was told of it, as of when it was used; on the same clock.</summary>
    public long Told
    {
        get => Volatile.Read(ref _told);
        set => Volatile.Write(ref _told, value);
    }

    public bool IsHeld => Volatile.Read(ref _holders) > 0;

    public bool IsFresh(long now, long lifetime) => IsHeld || now - Seen < lifetime;

    /// <summary>It was used now.</summary>
    public void Touch(long now) => Volatile.Write(ref _seen, now);

    /// <summary>It does not grow old until <see cref="Release"/>.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>Gives back one <see cref="Hold"/>; used now.</summary>
    public void Release(long now)
    {
        Touch(now);
        Interlocked.Decrement(ref _holders);
    }
}

/// <summary>
/// A bounded memory of addresses that all workers share and none waits for: buckets of eight entries, each entry immutable but for its time and
/// put in by one compare-and-swap. Only an address that is new, or gets another value, costs an allocation.
/// </summary>
/// <remarks>
/// A new address takes, in its bucket, a free place; else that of the entry that has not been used for the longest time, of those that nobody
/// holds; else of all. Which bucket an address has cannot be predicted from outside: <see cref="HashCode"/> has a seed of its own in every process.
/// </remarks>
/// <param name="capacity">A power of two, at least 8.</param>
internal sealed class AddressTable<TValue>(int capacity)
{
    private const int Ways = 8;

    private readonly AddressEntry<TValue>?[] _entries = new AddressEntry<TValue>?[capacity];

    /// <summary>Looks the address up.</summary>
    /// <param name="now">On the clock, and in the unit, that <see cref="TryPut"/> and <see cref="AddressEntry{TValue}.Touch"/> are told.</param>
    /// <param name="lifetime">In the same unit: after which an entry that was not used, and is not held, counts as gone.</param>
    public AddressEntry<TValue>? Find(in AddressKey key, long now, long lifetime)
    {
        Span<AddressEntry<TValue>?> bucket = BucketOf(key);
        int place = PlaceOf(bucket, key);
        return place >= 0 && Volatile.Read(ref bucket[place]) is { } entry && entry.Key == key && entry.IsFresh(now, lifetime) ? entry : null;
    }

    /// <summary>Puts the address in, or changes its value.</summary>
    /// <param name="known">What <see cref="Find"/> has just said of the same key.</param>
    /// <returns>The new entry; null when somebody else put the address in meanwhile, or something in the place it would take. Look again.</returns>
    public AddressEntry<TValue>? TryPut(in AddressKey key, TValue value, AddressEntry<TValue>? known, long now, long lifetime)
    {
        Span<AddressEntry<TValue>?> bucket = BucketOf(key);
        int place = PlaceOf(bucket, key);
        if (place < 0)
            place = PlaceToTake(bucket);
        AddressEntry<TValue>? before = Volatile.Read(ref bucket[place]);
        if (before is not null && before != known && before.Key == key && before.IsFresh(now, lifetime))
            return null;
        AddressEntry<TValue> entry = new(key, value, StartOf(key) + place, now);
        if (Interlocked.CompareExchange(ref bucket[place], entry, before) != before)
            return null;
        if (PlaceOf(bucket, key) == place)
            return entry;

        // Two that came at once took a place each: the first place counts.
        Interlocked.CompareExchange(ref bucket[place], null, entry);
        return null;
    }

    /// <summary>All that do not count as gone. Others may put in and take out meanwhile; each is seen or not.</summary>
    public IEnumerable<AddressEntry<TValue>> Fresh(long now, long lifetime)
    {
        for (int place = 0; place < _entries.Length; place++)
        {
            if (Volatile.Read(ref _entries[place]) is { } entry && entry.IsFresh(now, lifetime))
                yield return entry;
        }
    }

    /// <summary>What is in this place now.</summary>
    public AddressEntry<TValue>? At(int place) => Volatile.Read(ref _entries[place]);

    private Span<AddressEntry<TValue>?> BucketOf(in AddressKey key) => _entries.AsSpan(StartOf(key), Ways);

    private int StartOf(in AddressKey key) => (HashCode.Combine(key.High, key.Low) & ((_entries.Length / Ways) - 1)) * Ways;

    private static int PlaceOf(Span<AddressEntry<TValue>?> bucket, in AddressKey key)
    {
        for (int place = 0; place < Ways; place++)
        {
            if (Volatile.Read(ref bucket[place]) is { } entry && entry.Key == key)
                return place;
        }

        return -1;
    }

    private static int PlaceToTake(Span<AddressEntry<TValue>?> bucket)
    {
        int best = 0;
        (bool, long) least = (true, long.MaxValue);
        for (int place = 0; place < Ways; place++)
        {
            if (Volatile.Read(ref bucket[place]) is not { } entry)
                return place;
            (bool, long) rank = (entry.IsHeld, entry.Seen);
            if (rank.CompareTo(least) < 0)
                (best, least) = (place, rank);
        }

        return best;
    }
}
