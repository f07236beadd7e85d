using Bascule.Core.Model;
using Bascule.Core.Replication;

namespace Bascule.Core.Sessions;

/// <summary>Source persistence of the proxy's virtual servers, for the peer: who returns to which real server.</summary>
/// <remarks>What is sent are ages, not times: clocks need not agree. A virtual server or real server that the other side does not have is no mistake; it is passed over.</remarks>
public sealed class ReplicatedSessions(Func<Snapshot> current) : IReplicatedState
{
    private readonly byte[] _entry = new byte[SessionEntry.Longest];
    private Snapshot? _snapshot;
    private Dictionary<string, ClientSessions> _byName = [];

    /// <inheritdoc/>
    public string Name => "sessions";

    /// <inheritdoc/>
    public IEnumerable<ReadOnlyMemory<byte>> Everything() =>
        Known().SelectMany(v => v.Value.Everything().Select(fact => Entry(v.Key, fact)));

    /// <inheritdoc/>
    public bool TakeChanges(Action<ReadOnlyMemory<byte>> take)
    {
        foreach ((string name, ClientSessions sessions) in Known())
        {
            foreach (SessionFact fact in sessions.TakeChanges())
                take(Entry(name, fact));
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Apply(ReadOnlySpan<byte> entry) => Apply(entry, since: TimeSpan.Zero);

    /// <summary>The same for an entry that was made so long ago.</summary>
    internal bool Apply(ReadOnlySpan<byte> entry, TimeSpan since)
    {
        if (!SessionEntry.TryRead(entry, out string virtualServer, out SessionFact fact))
            return false;
        if (Known().TryGetValue(virtualServer, out ClientSessions? sessions))
            sessions.Learn(fact with { Age = fact.Age + since.Ticks });
        return true;
    }

    private ReadOnlyMemory<byte> Entry(string virtualServer, in SessionFact fact) =>
        _entry.AsMemory(0, SessionEntry.Write(virtualServer, fact, _entry));

    private Dictionary<string, ClientSessions> Known()
    {
        Snapshot now = current();
        if (now != _snapshot)
        {
            _byName = now.Proxied.Where(v => v.Sessions is not null).ToDictionary(v => v.Configured.Name, v => v.Sessions!);
            _snapshot = now;
        }

        return _byName;
    }
}
