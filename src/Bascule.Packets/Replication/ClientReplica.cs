using Bascule.Core.Replication;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Replication;

/// <summary>Which real server each client returns to (source persistence), kept in step with the other director's.</summary>
/// <param name="tables">The datapath's maps.</param>
/// <param name="names">Who has which number, at the moment.</param>
/// <param name="now">The datapath's time.</param>
internal sealed class ClientReplica(ReplicaTables tables, Func<ReplicaNames> names, Func<Ticks> now) : IReplicatedState, IDisposable
{
    private readonly ChangeRing<SessionChange> _ring = new(tables.ChangedSessions, tables.Untold, 1); // UNTOLD_SESSIONS
    private readonly byte[] _room = new byte[ClientEntry.Longest];
    private readonly Lock _using = new(); // the engine may end while the channel asks
    private bool _isClosed;

    /// <inheritdoc />
    public string Name => "clients";

    /// <inheritdoc />
    public IEnumerable<ReadOnlyMemory<byte>> Everything() =>
        tables.Sessions.Batches().SelectMany(batch => batch)
            .Select(pair => Encode(new() { Client = pair.Key, Session = pair.Value })).Where(entry => !entry.IsEmpty);

    /// <inheritdoc />
    public bool TakeChanges(Action<ReadOnlyMemory<byte>> take)
    {
        lock (_using)
        {
            return _isClosed || _ring.Take(change =>
            {
                if (Encode(change) is { IsEmpty: false } entry)
                    take(entry);
            });
        }
    }

    /// <inheritdoc />
    public bool Apply(ReadOnlySpan<byte> entry)
    {
        if (!ClientEntry.TryRead(entry, out ClientEntry told))
            return false;
        lock (_using)
        {
            if (_isClosed || names().Find(told.RealServer) is not { } realServer)
                return true;
            SessionChange change = new()
            {
                Client = new() { Source = told.Source, VirtualServer = realServer.Entry.VirtualServer, Family = told.Family },
                Session = new() { Seen = now().Before(told.Age), RealServer = realServer.Id, Flags = told.IsFollowed ? SessionFlag.Followed : SessionFlag.None },
            };
            tables.TakeSession.Call(ref change);
        }

        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_using)
        {
            _isClosed = true;
            _ring.Dispose();
        }
    }

    private ReadOnlyMemory<byte> Encode(SessionChange change)
    {
        Session session = change.Session;
        if (names().KeyOf(session.RealServer) is not { } key)
            return default;
        ClientEntry entry = new(
            change.Client.Source, change.Client.Family, session.Flags.HasFlag(SessionFlag.Followed), session.Seen.MillisecondsBefore(now()), key);
        return _room.AsMemory(0, entry.Write(_room));
    }
}
