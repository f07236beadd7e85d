using System.Collections.Immutable;
using System.Globalization;
using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>Watches how the real servers of one virtual server answer clients, ejects who answers badly, and readmits when the time is over.</summary>
internal sealed class PassiveWatch
{
    private readonly Dictionary<LiveRealServer, Watched> _watched = [];
    private readonly List<WeightChange> _changes = [];
    private LiveVirtualServer _virtualServer = null!; // each turn begins with setting these
    private PassiveCheck _rule = null!;
    private Moment _now;
    private TimeSpan? _comparedAt;

    private ImmutableArray<LiveRealServer> RealServers => _virtualServer.RealServers;

    private IEnumerable<LiveRealServer> Ejected => RealServers.Where(r => r is { IsEjected: true, IsOtherwiseUp: true });

    /// <summary>How many may be ejected of those that are otherwise up: rounded down, so never the only one (unless the share is 100 percent).</summary>
    public static int MostEjected(int otherwiseUp, PassiveCheck rule) => otherwiseUp * rule.MaxEjected / 100;

    /// <summary>Looks at what was counted since the last turn.</summary>
    /// <returns>What it has changed.</returns>
    public IReadOnlyList<WeightChange> Turn(LiveVirtualServer virtualServer, PassiveCheck rule, Moment now)
    {
        (_virtualServer, _rule, _now) = (virtualServer, rule, now);
        _changes.Clear();
        FollowTheList();
        ReadmitWhoseTimeIsOver();
        EjectWhoFailsAgainAndAgain();
        if (rule.Outliers is { } outliers)
            EjectWhoIsMuchWorse(outliers);
        ReadmitSomeWhereTooFewAreLeft();
        return [.. _changes];
    }

    /// <summary>The rule is gone from the configuration: who is ejected is given work again.</summary>
    public IReadOnlyList<WeightChange> End(LiveVirtualServer virtualServer, Moment now)
    {
        (_virtualServer, _now) = (virtualServer, now);
        _changes.Clear();
        FollowTheList();
        foreach (LiveRealServer live in RealServers.Where(r => r.IsEjected))
            Readmit(live, "there is no passive check any more");
        return [.. _changes];
    }

    private void FollowTheList()
    {
        foreach (LiveRealServer gone in _watched.Keys.Where(known => !RealServers.Contains(known)).ToList())
            _watched.Remove(gone);
        foreach (LiveRealServer live in RealServers)
            _watched.TryAdd(live, new());
    }

    private void ReadmitWhoseTimeIsOver()
    {
        foreach (LiveRealServer live in RealServers)
        {
            Watched watched = _watched[live];
            if (!live.IsEjected)
                watched.Time.Shrink(_rule, _now.Elapsed);
            else if (watched.Until <= _now.Elapsed)
                Readmit(live, "its time is over");
        }
    }

    private void EjectWhoFailsAgainAndAgain()
    {
        foreach (LiveRealServer live in RealServers)
        {
            int run = live.TakeLongestFailureRun();
            if (_rule.ConsecutiveFailures > 0 && run >= _rule.ConsecutiveFailures)
                Eject(live, $"{run} failures in a row");
        }
    }

    private void EjectWhoIsMuchWorse(OutlierRule outliers)
    {
        if (_comparedAt is { } last && _now.Elapsed - last < outliers.Interval)
            return;
        AnswerCount[] counts = [.. RealServers.Select(r => _watched[r].SinceLastTime(r))];
        bool isFirst = _comparedAt is null; // and of no certain length
        _comparedAt = _now.Elapsed;
        if (isFirst)
            return;
        foreach (int index in Outliers.Find(counts, outliers, out double mean))
            Eject(RealServers[index], string.Create(CultureInfo.InvariantCulture, $"{100 * counts[index].SuccessRate:0}% of its answers were good, {100 * mean:0}% on average"));
    }

    // Others went down since: a bad answer is better than none.
    private void ReadmitSomeWhereTooFewAreLeft()
    {
        LiveRealServer[] ejected = [.. Ejected.OrderBy(r => _watched[r].Since)];
        foreach (LiveRealServer live in ejected.Take(ejected.Length - Most()))
            Readmit(live, "too few others are left");
    }

    private int Most() => MostEjected(RealServers.Count(r => r.IsOtherwiseUp), _rule);

    private void Eject(LiveRealServer live, string why)
    {
        if (live.IsEjected || !live.IsOtherwiseUp || Ejected.Count() >= Most())
            return;
        Watched watched = _watched[live];
        TimeSpan length = watched.Time.Next(_rule);
        (watched.Since, watched.Until) = (_now.Elapsed, _now.Elapsed + length);
        live.Ejection = new(why, _now.Utc, _now.Utc + length);
        _changes.Add(new(_virtualServer, live, WeightChangeKind.Ejected, why, _now.Utc) { Length = length });
    }

    private void Readmit(LiveRealServer live, string why)
    {
        live.ForgetFailures();
        live.Ejection = null;
        _watched[live].Time.Readmit(_now.Elapsed);
        _changes.Add(new(_virtualServer, live, WeightChangeKind.Readmitted, why, _now.Utc));
    }

    private sealed class Watched
    {
        private AnswerCount _before;

        public EjectionTime Time { get; } = new();

        public TimeSpan Since { get; set; }

        public TimeSpan Until { get; set; }

        public AnswerCount SinceLastTime(LiveRealServer live)
        {
            AnswerCount now = new(live.Counters.Sum(c => c.GoodAnswers), live.Counters.Sum(c => c.BadAnswers));
            AnswerCount since = new(now.Good - _before.Good, now.Bad - _before.Bad);
            _before = now;
            return since;
        }
    }
}
