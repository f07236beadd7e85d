using System.Collections.Frozen;
using System.Collections.Immutable;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Sessions;

/// <summary>Source persistence of one virtual server as of one snapshot: the same client (or network of clients) returns to the same real server.</summary>
/// <remarks>
/// As in IPVS a client returns to a quiesced real server (unless <see cref="Persistence.ExpireQuiescent"/>) and to a full one, but not to
/// one that is down: the scheduler then gives him another, to which he returns from then on. The timeout counts from the end of his last
/// connection; while one is open it does not run.
/// </remarks>
public sealed partial class ClientSessions
{
    private const int Tries = 4;

    private readonly Persistence _persistence;
    private readonly ImmutableArray<LiveRealServer> _realServers;
    private readonly FrozenDictionary<LiveRealServer, int> _indexes;

    /// <summary>Over these real servers; <paramref name="table"/> may know clients from earlier lists.</summary>
    public ClientSessions(SessionTable table, Persistence persistence, ImmutableArray<LiveRealServer> realServers)
    {
        Table = table;
        _persistence = persistence;
        _realServers = realServers;
        _indexes = Enumerable.Range(0, realServers.Length).ToFrozenDictionary(index => realServers[index]);
    }

    internal SessionTable Table { get; }

    /// <summary>The real server the client returns to; for a new client, the scheduler's choice, to which he will return.</summary>
    /// <param name="hold">To be released when the connection or request has ended.</param>
    /// <returns>An index into the real servers, or <see cref="Scheduler.None"/>.</returns>
    public int Pick(in ClientAddress client, in TriedServers tried, Scheduler scheduler, Random random, out SessionHold hold)
    {
        AddressKey key = Masked(client);
        int chosen = Scheduler.None;
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            long now = Table.Now;
            AddressEntry<LiveRealServer>? known = Table.Entries.Find(key, now, _persistence.Timeout.Ticks);
            if (known is not null && _indexes.TryGetValue(known.Value, out int index) && MayReturn(index, tried))
            {
                known.Touch(now);
                Table.NoteUse(known, now);
                hold = new(Table, known);
                return index;
            }

            if (chosen == Scheduler.None && (chosen = scheduler.Pick(client, tried, random)) == Scheduler.None)
                break;
            if (Table.Entries.TryPut(key, _realServers[chosen], known, now, _persistence.Timeout.Ticks) is { } entry)
            {
                Table.NoteNew(entry);
                hold = new(Table, entry);
                return chosen;
            }

            // Another worker was faster, perhaps for this very client: look again, so that both send him to the same real server.
        }

        hold = default;
        return chosen;
    }

    /// <summary>How many clients would return to each real server, in the order of the real servers.</summary>
    public int[] Count()
    {
        int[] counts = new int[_realServers.Length];
        foreach (AddressEntry<LiveRealServer> entry in Table.Entries.Fresh(Table.Now, _persistence.Timeout.Ticks))
        {
            if (_indexes.TryGetValue(entry.Value, out int index))
                counts[index]++;
        }

        return counts;
    }

    private bool MayReturn(int index, in TriedServers tried)
    {
        LiveRealServer realServer = _realServers[index];
        return !tried.Contains(index) && realServer.IsUp && (realServer.Weight > 0 || !_persistence.ExpireQuiescent);
    }

    private AddressKey Masked(in ClientAddress client) => Masked(new AddressKey(client.High, client.Low, client.IsIpv4));

    private AddressKey Masked(in AddressKey client) => client.IsIpv4
        ? new(0, client.Low & (Leading(_persistence.Mask4 + 32) & uint.MaxValue), IsIpv4: true)
        : new(client.High & Leading(_persistence.Mask6), client.Low & Leading(_persistence.Mask6 - 64), IsIpv4: false);

    /// <summary>A word whose first bits are set: none below 1, all from 64.</summary>
    private static ulong Leading(int bits) => bits <= 0 ? 0 : ulong.MaxValue << (64 - int.Min(bits, 64));
}
