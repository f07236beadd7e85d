using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Sessions;

/// <summary>
/// Which real server each client of one virtual server returns to (IPVS: the templates of persistence). Shared by all workers, none of which
/// ever waits for another; outlives snapshots.
/// </summary>
/// <remarks>
/// Bounded to 262,144 clients, in buckets of eight. A new client beyond that puts out, of the eight, the one that has been away for
/// the longest time, and one with an open connection only where all eight have one.
/// </remarks>
public sealed class SessionTable
{
    internal const int Capacity = 262_144;

    private readonly TimeProvider _time;
    private readonly PlaceSet _changed = new(Capacity);
    private long _tellAfter = long.MaxValue;

    /// <summary>Empty.</summary>
    public SessionTable(TimeProvider time) => _time = time;

    internal AddressTable<LiveRealServer> Entries { get; } = new(Capacity);

    /// <summary>In ticks of 100 ns, on a clock that only goes forward.</summary>
    internal long Now => _time.GetElapsedTime(0).Ticks;

    /// <summary>A client who comes back is noted when nobody was told of him for so long; <see cref="long.MaxValue"/>: nobody wants to know anything.</summary>
    internal long TellAfter
    {
        get => Volatile.Read(ref _tellAfter);
        set => Volatile.Write(ref _tellAfter, value);
    }

    /// <summary>When all entries are looked through next, on the clock of <see cref="Now"/>.</summary>
    internal long NextSweep { get; set; }

    /// <summary>Takes the clients that were noted. By one thread at a time.</summary>
    internal IEnumerable<AddressEntry<LiveRealServer>> TakeChanged()
    {
        foreach (int place in _changed.Take())
        {
            if (Entries.At(place) is { } entry)
                yield return entry;
        }
    }

    /// <summary>He is new, or returns elsewhere from now on.</summary>
    internal void NoteNew(AddressEntry<LiveRealServer> entry)
    {
        if (TellAfter != long.MaxValue)
            _changed.Add(entry.Place);
    }

    /// <summary>He was here now.</summary>
    internal void NoteUse(AddressEntry<LiveRealServer> entry, long now)
    {
        if (now - entry.Told >= TellAfter)
            _changed.Add(entry.Place);
    }
}

/// <summary>A client's place in a <see cref="SessionTable"/>, kept while a connection or request of his lasts. The default holds nothing.</summary>
public readonly struct SessionHold
{
    private readonly SessionTable? _table;
    private readonly AddressEntry<LiveRealServer>? _entry;

    internal SessionHold(SessionTable table, AddressEntry<LiveRealServer> entry)
    {
        _table = table;
        _entry = entry;
        entry.Hold();
    }

    /// <summary>The connection or request has ended: the timeout counts from now. Once.</summary>
    public void Release()
    {
        if (_entry is null)
            return;
        long now = _table!.Now;
        _entry.Release(now);
        _table.NoteUse(_entry, now);
    }
}
