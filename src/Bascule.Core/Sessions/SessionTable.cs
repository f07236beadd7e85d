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

    /// <summary>Empty.</summary>
    public SessionTable(TimeProvider time) => _time = time;

    internal AddressTable<LiveRealServer> Entries { get; } = new(Capacity);

    /// <summary>In ticks of 100 ns, on a clock that only goes forward.</summary>
    internal long Now => _time.GetElapsedTime(0).Ticks;
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
    public void Release() => _entry?.Release(_table!.Now);
}
