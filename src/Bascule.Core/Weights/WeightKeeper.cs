using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>
/// Keeps what moves by itself: the shares of real servers that start slowly, who is ejected, and who serves. It goes by what the live objects say at each
/// <see cref="Turn"/>; one thread at a time.
/// </summary>
public sealed class WeightKeeper(TimeProvider time)
{
    private readonly Dictionary<LiveRealServer, Start> _starts = [];
    private readonly Dictionary<string, PassiveWatch> _watches = []; // by the name of the virtual server
    private readonly Dictionary<string, StandingWatch> _standings = [];
    private bool _isFirst = true;

    /// <summary>Looks at every real server, and writes what follows.</summary>
    public WeightTurn Turn(Snapshot snapshot)
    {
        List<WeightChange> changes = [];
        bool moves = false;
        foreach (LiveVirtualServer virtualServer in snapshot.VirtualServers)
        {
            moves |= virtualServer.Configured.PassiveCheck is not null;
            changes.AddRange(Watch(virtualServer));
            changes.AddRange(Stand(virtualServer));
            for (int i = 0; i < virtualServer.RealServers.Length; i++)
                moves |= Follow(virtualServer.RealServers[i], virtualServer.Configured.RealServers[i].SlowStart);
        }

        Forget(snapshot);
        _isFirst = false;
        return new(moves, changes);
    }

    private void Forget(Snapshot snapshot)
    {
        HashSet<LiveRealServer> known = [.. snapshot.VirtualServers.SelectMany(v => v.RealServers)];
        foreach (LiveRealServer gone in _starts.Keys.Where(live => !known.Contains(live)).ToList())
            _starts.Remove(gone);
        HashSet<string> names = [.. snapshot.VirtualServers.Select(v => v.Configured.Name)];
        foreach (string gone in _watches.Keys.Where(name => !names.Contains(name)).ToList())
            _watches.Remove(gone);
        foreach (string gone in _standings.Keys.Where(name => !names.Contains(name)).ToList())
            _standings.Remove(gone);
    }

    private IReadOnlyList<WeightChange> Stand(LiveVirtualServer virtualServer)
    {
        if (!_standings.TryGetValue(virtualServer.Configured.Name, out StandingWatch? watch))
            _standings[virtualServer.Configured.Name] = watch = new();
        return watch.Turn(virtualServer, time.GetUtcNow());
    }

    private Moment Now => new(time.GetElapsedTime(0), time.GetUtcNow());

    private IReadOnlyList<WeightChange> Watch(LiveVirtualServer virtualServer)
    {
        string name = virtualServer.Configured.Name;
        if (virtualServer.Configured.PassiveCheck is not { } rule)
            return _watches.Remove(name, out PassiveWatch? ended) ? ended.End(virtualServer, Now) : [];
        if (!_watches.TryGetValue(name, out PassiveWatch? watch))
            _watches[name] = watch = new();
        return watch.Turn(virtualServer, rule, Now);
    }

    private bool Follow(LiveRealServer live, TimeSpan length)
    {
        live.Reweigh();
        if (!_starts.TryGetValue(live, out Start? start))
            _starts[live] = start = new(isSlow: !_isFirst);
        start.Look(live, time.GetTimestamp());
        live.Share = ShareOf(start, length);
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
