using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>
/// Keeps what moves by itself: the shares of real servers that start slowly, who is ejected, and who serves. It goes by what the live objects say at each
/// <see cref="Turn"/>; one thread at a time. A turn in which nothing changes allocates nothing: there are ten a second, over every real server.
/// </summary>
public sealed class WeightKeeper(TimeProvider time)
{
    private readonly Dictionary<LiveRealServer, Start> _starts = [];
    private readonly Dictionary<string, PassiveWatch> _watches = []; // by the name of the virtual server
    private readonly Dictionary<string, StandingWatch> _standings = [];
    private readonly List<WeightChange> _changes = [];
    private Snapshot? _followed;
    private Kept[] _kept = [];

    private Moment Now => new(time.GetElapsedTime(0), time.GetUtcNow());

    /// <summary>Looks at every real server, and writes what follows.</summary>
    public WeightTurn Turn(Snapshot snapshot)
    {
        _changes.Clear();
        if (_followed != snapshot)
            FollowTo(snapshot);
        bool moves = false;
        foreach (Kept kept in _kept)
            moves |= LookAt(kept);
        return new(moves, _changes.Count == 0 ? [] : [.. _changes]);
    }

    private bool LookAt(Kept kept)
    {
        VirtualServer configured = kept.VirtualServer.Configured;
        bool moves = false;
        if (configured.PassiveCheck is { } rule && kept.Watch is { } watch)
        {
            moves = true;
            watch.Turn(kept.VirtualServer, rule, Now, _changes);
        }

        kept.Standing.Turn(kept.VirtualServer, time.GetUtcNow(), _changes);
        for (int i = 0; i < kept.Starts.Length; i++)
            moves |= Look(kept.VirtualServer.RealServers[i], kept.Starts[i], configured.RealServers[i].SlowStart);
        return moves;
    }

    private void FollowTo(Snapshot snapshot)
    {
        bool isFirst = _followed is null;
        _kept = [.. snapshot.VirtualServers.Select(virtualServer => new Kept(
            virtualServer,
            WatchOf(virtualServer),
            Of(_standings, virtualServer.Configured.Name, () => new()),
            [.. virtualServer.RealServers.Select(live => Of(_starts, live, () => new(isSlow: !isFirst)))]))];
        Forget(_starts, [.. snapshot.VirtualServers.SelectMany(v => v.RealServers)]);
        HashSet<string> names = [.. snapshot.VirtualServers.Select(v => v.Configured.Name)];
        Forget(_watches, names);
        Forget(_standings, names);
        _followed = snapshot;
    }

    private PassiveWatch? WatchOf(LiveVirtualServer virtualServer)
    {
        string name = virtualServer.Configured.Name;
        if (virtualServer.Configured.PassiveCheck is not null)
            return Of(_watches, name, () => new());
        if (_watches.Remove(name, out PassiveWatch? ended))
            ended.End(virtualServer, Now, _changes);
        return null;
    }

    private static TValue Of<TKey, TValue>(Dictionary<TKey, TValue> known, TKey key, Func<TValue> create)
        where TKey : notnull
    {
        if (!known.TryGetValue(key, out TValue? value))
            known[key] = value = create();
        return value;
    }

    private static void Forget<TKey, TValue>(Dictionary<TKey, TValue> known, HashSet<TKey> kept)
        where TKey : notnull
    {
        foreach (TKey gone in known.Keys.Where(key => !kept.Contains(key)).ToList())
            known.Remove(gone);
    }

    private bool Look(LiveRealServer live, Start start, TimeSpan length)
    {
        live.Reweigh();
        start.Look(live, time.GetTimestamp());
        int share = ShareOf(start, length);
        if (share != live.Share)
            live.Share = share;
        return start.BeganAt is not null;
    }

    private int ShareOf(Start start, TimeSpan length)
    {
        if (!start.Serves)
            return start.IsSlow && length > TimeSpan.Zero ? SlowStart.Floor : LiveRealServer.WholeShare; // ready for the moment in which it comes up
        if (start.BeganAt is not { } began)
            return LiveRealServer.WholeShare;
        int share = SlowStart.Share(time.GetElapsedTime(began), length);
        if (share == LiveRealServer.WholeShare)
            start.BeganAt = null;
        return share;
    }

    /// <summary>One virtual server and what is remembered of it, looked up once for each snapshot.</summary>
    /// <param name="Watch">Null: it has no passive check.</param>
    /// <param name="Starts">In the order of its real servers.</param>
    private sealed record Kept(LiveVirtualServer VirtualServer, PassiveWatch? Watch, StandingWatch Standing, ImmutableArray<Start> Starts);

    /// <summary>How one real server starts.</summary>
    /// <param name="isSlow">It was added while the director was running. Those that a director finds when it starts have long been warm.</param>
    private sealed class Start(bool isSlow)
    {
        /// <summary>Whether it was given work at the last look.</summary>
        public bool Serves { get; private set; }

        /// <summary>Whether it will start slowly once it serves.</summary>
        public bool IsSlow { get; private set; } = isSlow;

        /// <summary>When its slow start began, by the clock's timestamp; null: it has its whole weight.</summary>
        public long? BeganAt { get; set; }

        public void Look(LiveRealServer live, long now)
        {
            bool serves = live.IsUp && live.Weight > 0;
            if (serves && !Serves)
                BeganAt = IsSlow ? now : null;
            else if (!serves)
                BeganAt = null;
            // Down before the first answer is not known to be down.
            if (serves || Serves || live.Health is not { Last: null })
                IsSlow = true;
            Serves = serves;
        }
    }
}
