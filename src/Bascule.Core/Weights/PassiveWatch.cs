using System.Collections.Immutable;
using System.Globalization;
using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>Watches how the real servers of one virtual server answer clients, ejects who answers badly, and readmits when the time is over.</summary>
internal sealed class PassiveWatch
{
    private readonly Dictionary<LiveRealServer, Watched> _watched = [];
    private LiveVirtualServer _virtualServer = null!; // each turn begins with setting these
    private PassiveCheck _rule = null!;
    private Moment _now;
    private List<WeightChange> _changes = null!;
    private LiveVirtualServer? _followed;
    private TimeSpan? _comparedAt;

    private ImmutableArray<LiveRealServer> RealServers => _virtualServer.RealServers;

    /// <summary>How many may be ejected of those that are otherwise up: rounded down, so never the only one (unless the share is 100 percent).</summary>
    public static int MostEjected(int otherwiseUp, PassiveCheck rule) => otherwiseUp * rule.MaxEjected / 100;

    /// <summary>Looks at what was counted since the last turn.</summary>
    /// <param name="changes">Takes what it has changed.</param>
    public void Turn(LiveVirtualServer virtualServer, PassiveCheck rule, Moment now, List<WeightChange> changes)
    {
        (_virtualServer, _rule, _now, _changes) = (virtualServer, rule, now, changes);
        if (_followed != virtualServer)
            FollowTheList();
        ReadmitWhoseTimeIsOver();
        EjectWhoFailsAgainAndAgain();
        if (rule.Outliers is { } outliers)
            EjectWhoIsMuchWorse(outliers);
        ReadmitSomeWhereTooFewAreLeft();
    }

    /// <summary>The rule is gone from the configuration: who is ejected is given work again.</summary>
    public void End(LiveVirtualServer virtualServer, Moment now, List<WeightChange> changes)
    {
        (_virtualServer, _now, _changes) = (virtualServer, now, changes);
        if (_followed != virtualServer)
            FollowTheList();
        foreach (LiveRealServer live in RealServers.Where(r => r.IsEjected))
            Readmit(live, "there is no passive check any more");
    }

    private void FollowTheList()
    {
        HashSet<LiveRealServer> listed = [.. RealServers];
        foreach (LiveRealServer gone in _watched.Keys.Where(known => !listed.Contains(known)).ToList())
            _watched.Remove(gone);
        foreach (LiveRealServer live in RealServers)
            _watched.TryAdd(live, new());
        _followed = _virtualServer;
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
        for (int tooMany = CountEjected() - Most(); tooMany > 0; tooMany--)
            Readmit(RealServers.Where(IsEjected).MinBy(r => _watched[r].Since)!, "too few others are left");
    }

    private static bool IsEjected(LiveRealServer live) => live is { IsEjected: true, IsOtherwiseUp: true };

    // Counted by hand: each is asked in every turn, and must not allocate.
    private int CountEjected()
    {
        int count = 0;
        foreach (LiveRealServer live in RealServers)
            count += IsEjected(live) ? 1 : 0;
        return count;
    }

    private int Most()
    {
        int otherwiseUp = 0;
        foreach (LiveRealServer live in RealServers)
            otherwiseUp += live.IsOtherwiseUp ? 1 : 0;
        return MostEjected(otherwiseUp, _rule);
    }

    private void Eject(LiveRealServer live, string why)
    {
        if (live.IsEjected || !live.IsOtherwiseUp || CountEjected() >= Most())
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
