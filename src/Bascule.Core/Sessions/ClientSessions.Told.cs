using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Sessions;

/// <summary>What another director is told of a client.</summary>
/// <param name="Key">The client, or his network.</param>
/// <param name="RealServer">To which he returns.</param>
/// <param name="Age">In ticks of 100 ns: since he was last there; 0 while he is.</param>
internal readonly record struct SessionFact(AddressKey Key, IPEndPoint RealServer, long Age);

/// <content>What is told to the peer, and what is learned from it. By one thread at a time.</content>
public sealed partial class ClientSessions
{
    /// <summary>A client's age is told so often in his timeout: so much of it may be missing after a takeover.</summary>
    private const int TellsPerTimeout = 8;

    private Dictionary<IPEndPoint, LiveRealServer>? _byAddress;

    /// <summary>Everybody who would return.</summary>
    internal IEnumerable<SessionFact> Everything() => Table.Entries.Fresh(Table.Now, _persistence.Timeout.Ticks).Where(IsKnown).Select(FactOf);

    /// <summary>
    /// Who is new or returns elsewhere since the last call, and whose age the peer has not been told for an eighth of the timeout, whether he came back or has a
    /// connection open all the while.
    /// </summary>
    internal IEnumerable<SessionFact> TakeChanges()
    {
        Table.TellAfter = _persistence.Timeout.Ticks / TellsPerTimeout;
        foreach (AddressEntry<LiveRealServer> entry in Table.TakeChanged().Concat(Sweep()))
        {
            if (!IsKnown(entry))
                continue;
            SessionFact fact = FactOf(entry);
            entry.Told = Table.Now - fact.Age;
            yield return fact;
        }
    }

    /// <summary>The peer knows of a client. What is fresher here stays; and the peer is not told what it said.</summary>
    internal void Learn(in SessionFact fact)
    {
        _byAddress ??= _realServers.ToDictionary(r => r.Address);
        if (fact.Age >= _persistence.Timeout.Ticks || !_byAddress.TryGetValue(fact.RealServer, out LiveRealServer? realServer))
            return;
        AddressKey key = Masked(fact.Key);
        long now = Table.Now;
        long seen = now - fact.Age;
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            AddressEntry<LiveRealServer>? known = Table.Entries.Find(key, now, _persistence.Timeout.Ticks);
            if (known is not null && (known.IsHeld || known.Seen >= seen))
                return;
            if (known?.Value == realServer)
            {
                known.Touch(seen);
                known.Told = seen;
                return;
            }

            if (Table.Entries.TryPut(key, realServer, known, seen, _persistence.Timeout.Ticks) is { } entry)
            {
                entry.Told = seen;
                return;
            }
        }
    }

    /// <summary>A client with an open connection is noted by nobody; and nobody was noted before the first call.</summary>
    private IEnumerable<AddressEntry<LiveRealServer>> Sweep()
    {
        long now = Table.Now;
        if (now < Table.NextSweep)
            return [];
        Table.NextSweep = now + Table.TellAfter;
        return Table.Entries.Fresh(now, _persistence.Timeout.Ticks)
            .Where(entry => entry.Told == AddressEntry<LiveRealServer>.Never || (entry.IsHeld && now - entry.Told >= Table.TellAfter));
    }

    private bool IsKnown(AddressEntry<LiveRealServer> entry) => _indexes.ContainsKey(entry.Value);

    private SessionFact FactOf(AddressEntry<LiveRealServer> entry) =>
        new(entry.Key, entry.Value.Address, entry.IsHeld ? 0 : long.Max(0, Table.Now - entry.Seen));
}
