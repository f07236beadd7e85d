using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bascule.Core.Health;
using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>
/// Keeps what moves by itself: the shares of real servers that start slowly, who is ejected, and who serves. It goes by what the live objects say at each
/// <see cref="Turn"/>, which looks at all, and each <see cref="Step"/>, which looks where something moves; one thread at a time. Where nothing changes
/// neither allocates: there are ten a second.
/// </summary>
public sealed class WeightKeeper
{
    private readonly TimeProvider _time;
    private readonly Dictionary<LiveRealServer, Start> _starts = [];
    private readonly Dictionary<string, PassiveWatch> _watches = []; // by the name of the virtual server
    private readonly Dictionary<string, StandingWatch> _standings = [];
    private readonly List<WeightChange> _changes = [];
    private readonly ConcurrentQueue<HealthRecord> _heard = [];
    private readonly List<Kept> _due = []; // where something moves, or has happened
    private readonly Predicate<Kept> _rests;
    private Snapshot? _followed;
    private Kept[] _kept = [];

    /// <summary>Knows nobody yet.</summary>
    public WeightKeeper(TimeProvider time)
    {
        _time = time;
        _rests = Rests;
    }

    private Moment Now => new(_time.GetElapsedTime(0), _time.GetUtcNow());

    /// <summary>The next <see cref="Step"/> looks at whoever goes by this record. From any thread; takes no time.</summary>
    public void Hear(HealthRecord record) => _heard.Enqueue(record);

    /// <summary>Looks at every real server, and writes what follows.</summary>
    public WeightTurn Turn(Snapshot snapshot)
    {
        ExpectAll();
        return Step(snapshot);
    }

    /// <summary>Looks where something moves, where something was heard of since, and everywhere when the snapshot is new.</summary>
    public WeightTurn Step(Snapshot snapshot)
    {
        _changes.Clear();
        if (_followed != snapshot)
        {
            FollowTo(snapshot);
            ExpectAll();
        }

        while (_heard.TryDequeue(out HealthRecord? record))
        {
            foreach (Place place in snapshot.PlacesOf(record))
                Expect(_kept[place.VirtualServer]);
        }

        _due.RemoveAll(_rests);
        return new(_due.Count > 0, _changes.Count == 0 ? [] : [.. _changes]);
    }

    // Begun anew: a look that failed may have left the list incomplete.
    private void ExpectAll()
    {
        _due.Clear();
        foreach (Kept kept in _kept)
        {
            kept.IsDue = false;
            Expect(kept);
        }
    }

    private void Expect(Kept kept)
    {
        if (kept.IsDue)
            return;
        kept.IsDue = true;
        _due.Add(kept);
    }

    private bool Rests(Kept kept)
    {
        kept.IsDue = LookAt(kept);
        return !kept.IsDue;
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

        kept.Standing.Turn(kept.VirtualServer, _time.GetUtcNow(), _changes);
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
        start.Look(live, _time.GetTimestamp());
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
        int share = SlowStart.Share(_time.GetElapsedTime(began), length);
        if (share == LiveRealServer.WholeShare)
            start.BeganAt = null;
        return share;
    }

    /// <summary>One virtual server and what is remembered of it, looked up once for each snapshot.</summary>
    /// <param name="watch">Null: it has no passive check.</param>
    /// <param name="starts">In the order of its real servers.</param>
    private sealed class Kept(LiveVirtualServer virtualServer, PassiveWatch? watch, StandingWatch standing, ImmutableArray<Start> starts)
    {
        public LiveVirtualServer VirtualServer { get; } = virtualServer;

        public PassiveWatch? Watch { get; } = watch;

        public StandingWatch Standing { get; } = standing;

        public ImmutableArray<Start> Starts { get; } = starts;

        /// <summary>Something moves there, or has happened: it is looked at next.</summary>
        public bool IsDue { get; set; }
    }

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
