using Bascule.Core.Model;

namespace Bascule.Core.Health;

/// <summary>
/// When one real server is asked, and what the answers come to. The rule alone: the same answers at the same times give the same
/// states. Times are of a clock that nobody sets, from any beginning. Written by one thread; <see cref="IsUp"/> and <see cref="Streak"/> may be read by others.
/// </summary>
/// <remarks>
/// Down until the first check passes, which brings it up at once: a director that starts beside healthy real servers must not refuse clients
/// for <c>rise</c> intervals. From then on <see cref="Check.Fall"/> failures in a row take it down, and <see cref="Check.Rise"/> passes in a
/// row bring it back, unless it is held down: for <see cref="Check.Reentry"/> after the first of these passes, and for
/// <see cref="FlapHold.Hold"/> after it went down once too often.
/// </remarks>
/// <param name="check">The question, and how often it is asked.</param>
/// <param name="wasUp">It was up until now, and begins as up.</param>
public sealed class Cadence(Check check, bool wasUp)
{
    private volatile bool _isUp = wasUp;
    private bool _wasUp = wasUp;
    private bool _isKnown;
    private int _streak;
    private int _repeated;
    private bool _isRepeating;
    private TimeSpan _heldUntil;

    // When it changed, the latest at _changes % Length. Only with a flap hold.
    private readonly TimeSpan[] _changedAt = check.FlapHold is { } flap ? new TimeSpan[flap.Changes] : [];
    private int _changes;

    /// <summary>Whether it may be given work.</summary>
    public bool IsUp => _isUp;

    /// <summary>Answers in a row that disagree with the state, up to as many as are needed to change it.</summary>
    public int Streak => Volatile.Read(ref _streak);

    /// <summary>A real server that went down just now did so once too often, and is held down by <see cref="Check.FlapHold"/>.</summary>
    public bool IsFlapping { get; private set; }

    /// <summary>After how much of <see cref="Check.WarmUp"/> the first check begins.</summary>
    /// <param name="chance">From 0 to 1.</param>
    public static TimeSpan FirstCheck(Check check, double chance) => check.WarmUp * chance;

    /// <summary>Takes an answer into account.</summary>
    /// <returns>Whether it changed between up and down.</returns>
    public bool Take(bool passed, TimeSpan now)
    {
        _isRepeating = !passed && DecidesSomething && _repeated < check.Retries;
        if (_isRepeating)
        {
            _repeated++;
            return false;
        }

        _repeated = 0;
        _isKnown = true;
        if (passed == _isUp)
        {
            Volatile.Write(ref _streak, 0);
            return false;
        }

        if (passed && _streak == 0 && _wasUp)
            HoldUntil(now + check.Reentry);
        int needed = Needed;
        Volatile.Write(ref _streak, int.Min(_streak + 1, needed));
        if (_streak < needed || (passed && now < _heldUntil))
            return false;
        Change(passed, now);
        return true;
    }

    /// <summary>When to ask next. What was missed, since a check took long or the director slept, is not made up for, and the beat is kept: else all that
    /// were late together would stay together.</summary>
    /// <param name="begun">When the last check was to begin: the rhythm goes by that, however late it was.</param>
    /// <param name="now">It has ended.</param>
    /// <param name="shortest">The interval is at least as long; zero: as configured.</param>
    /// <param name="jitter">By how much of itself the interval is longer or shorter, so that many checks do not fall into step.</param>
    /// <returns>Not before <paramref name="now"/>.</returns>
    public TimeSpan NextCheck(TimeSpan begun, TimeSpan now, TimeSpan shortest, double jitter)
    {
        if (_isRepeating)
            return now + check.RetryDelay;
        TimeSpan interval = Interval > shortest ? Interval : shortest;
        double beats = double.Max(1, Math.Ceiling((now - begun) / interval));
        TimeSpan next = begun + interval * (beats + jitter);
        if (next < now)
            next = now;
        // What only waits for its time is asked when that comes, and not up to an interval later.
        return HeldUntil(now) is { } held && held < next ? held : next;
    }

    /// <summary>Until when it stays down though its checks pass again; null: nothing but its checks keeps it down.</summary>
    public TimeSpan? HeldUntil(TimeSpan now) => !_isUp && _streak == Needed && now < _heldUntil ? _heldUntil : null;

    private int Needed => _isUp ? check.Fall : _wasUp ? check.Rise : 1;

    // A failure of what is down anyway changes nothing, and need not be repeated.
    private bool DecidesSomething => _isUp || _streak > 0;

    private TimeSpan Interval =>
        !_isKnown || _streak > 0 ? check.IntervalUnknown ?? check.Interval
        : _isUp ? check.Interval
        : check.IntervalDown ?? check.Interval;

    private void Change(bool isUp, TimeSpan now)
    {
        bool isStart = !_wasUp; // coming up for the first time is no flapping
        _isUp = isUp;
        _wasUp = true;
        Volatile.Write(ref _streak, 0);
        IsFlapping = false;
        if (check.FlapHold is not { } flap || isStart || !Remember(now))
            return;
        // The slot that the next change takes holds the oldest of the last so many.
        IsFlapping = !isUp && now - _changedAt[_changes % _changedAt.Length] <= flap.Window;
        if (IsFlapping)
            HoldUntil(now + flap.Hold);
    }

    /// <returns>Whether there have been as many changes as make a flapping real server.</returns>
    private bool Remember(TimeSpan now)
    {
        _changedAt[_changes % _changedAt.Length] = now;
        _changes++;
        return _changes >= _changedAt.Length;
    }

    private void HoldUntil(TimeSpan until)
    {
        if (until > _heldUntil)
            _heldUntil = until;
    }
}
