using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Sessions;

/// <summary>
/// Persistence of one virtual server as of one snapshot, where the director remembers who returns to which real server: a client by its source address (or
/// its network's), or by the session id that the application gave out.
/// </summary>
/// <remarks>
/// As in IPVS a client returns to a quiesced real server (unless <see cref="Persistence.ExpireQuiescent"/>) and to a full one, but not to
/// one that is down: the scheduler then gives him another, to which he returns from then on. Whom a fallback server helps out is not remembered there: once
/// the others serve again, he returns to his own. The timeout counts from the end of his last connection; while one is open it does not run.
/// </remarks>
public sealed partial class ClientSessions
{
    private const int Tries = 4;

    private readonly RememberedPersistence _persistence;
    private readonly int _mask4;
    private readonly int _mask6;
    private readonly ImmutableArray<LiveRealServer> _realServers;
    private readonly FrozenDictionary<LiveRealServer, int> _indexes;
    private readonly byte[] _idName = [];

    /// <summary>Over these real servers; <paramref name="table"/> may know clients from earlier lists.</summary>
    public ClientSessions(SessionTable table, RememberedPersistence persistence, ImmutableArray<LiveRealServer> realServers)
    {
        Table = table;
        _persistence = persistence;
        (_mask4, _mask6) = persistence is SourcePersistence source ? (source.Mask4, source.Mask6) : (32, 128);
        _realServers = realServers;
        if (persistence is LearnPersistence learn)
            (_idName, IsIdInHeader) = (Encoding.ASCII.GetBytes(learn.Name), learn.IsHeader);
        _indexes = Enumerable.Range(0, realServers.Length).ToFrozenDictionary(index => realServers[index]);
    }

    /// <summary>Clients are known by their source address; otherwise by a session id.</summary>
    public bool IsBySource => _persistence is SourcePersistence;

    /// <summary>The cookie or header field that holds session ids; empty where clients are known by their address.</summary>
    public ReadOnlySpan<byte> IdName => _idName;

    /// <summary>Whether <see cref="IdName"/> is a header field.</summary>
    public bool IsIdInHeader { get; }

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
                hold = Return(known);
                return index;
            }

            if (chosen == Scheduler.None && !IsRemembered(chosen = scheduler.Pick(client, tried, random)))
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

    /// <summary>
    /// The real server that the session belongs to; for one that is not known, the scheduler's choice, of which nothing is remembered until the application
    /// says its name (<see cref="Remember"/>): a client that makes ids up fills no table.
    /// </summary>
    /// <inheritdoc cref="Pick(in ClientAddress, in TriedServers, Scheduler, Random, out SessionHold)"/>
    public int Pick(in ClientAddress client, in SessionClaim claim, in TriedServers tried, Scheduler scheduler, Random random, out SessionHold hold)
    {
        hold = default;
        if (claim.Id is not { } id || Table.Entries.Find(id, Table.Now, _persistence.Timeout.Ticks) is not { } known)
            return scheduler.Pick(client, tried, random);
        if (_indexes.TryGetValue(known.Value, out int index) && MayReturn(index, tried))
        {
            hold = Return(known);
            return index;
        }

        int chosen = scheduler.Pick(client, tried, random); // its own is down, or gone from the configuration
        if (IsRemembered(chosen))
            hold = Bind(id, chosen);
        return chosen;
    }

    /// <summary>The application gave this session id out in an answer of this real server.</summary>
    public void Remember(in SessionClaim claim, int answering)
    {
        if (claim.Id is { } id && IsRemembered(answering))
            Bind(id, answering).Release();
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

    /// <summary>Whether a client returns to whom was chosen: to a real server, and to a fallback server not.</summary>
    private bool IsRemembered(int chosen) => chosen != Scheduler.None && !_realServers[chosen].IsFallback;

    private bool MayReturn(int index, in TriedServers tried) => !tried.Contains(index) && _persistence.Allows(_realServers[index]);

    private SessionHold Return(AddressEntry<LiveRealServer> known)
    {
        long now = Table.Now;
        known.Touch(now);
        Table.NoteUse(known, now);
        return new(Table, known);
    }

    /// <summary>Of several that come at once with the same id the last counts: it is what the application said last.</summary>
    private SessionHold Bind(in AddressKey id, int index)
    {
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            long now = Table.Now;
            AddressEntry<LiveRealServer>? known = Table.Entries.Find(id, now, _persistence.Timeout.Ticks);
            if (known is not null && known.Value == _realServers[index])
                return Return(known);
            if (Table.Entries.TryPut(id, _realServers[index], known, now, _persistence.Timeout.Ticks) is { } entry)
            {
                Table.NoteNew(entry);
                return new(Table, entry);
            }
        }

        return default;
    }

    private AddressKey Masked(in ClientAddress client) => Masked(new AddressKey(client.High, client.Low, client.IsIpv4));

    private AddressKey Masked(in AddressKey client) => client.IsIpv4
        ? new(0, client.Low & (Leading(_mask4 + 32) & uint.MaxValue), IsIpv4: true)
        : new(client.High & Leading(_mask6), client.Low & Leading(_mask6 - 64), IsIpv4: false);

    /// <summary>A word whose first bits are set: none below 1, all from 64.</summary>
    private static ulong Leading(int bits) => bits <= 0 ? 0 : ulong.MaxValue << (64 - int.Min(bits, 64));
}
