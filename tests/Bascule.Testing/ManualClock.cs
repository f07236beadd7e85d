namespace Bascule.Testing;

/// <summary>A clock that stands still until a test moves it. Timers fire inside <see cref="Advance"/>, in order of their due time.</summary>
public sealed class ManualClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Timers that will fire some day: a test that must not move the clock before its subject waits looks here.</summary>
    public int ArmedTimers
    {
        get
        {
            lock (_lock)
                return _timers.Count;
        }
    }

    /// <summary>How far to <see cref="Advance"/> to make just the next timer fire; null when none is armed.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (_lock)
                return _timers.Count == 0 ? null : _timers.Min(t => t.Due) - _now;
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _now;
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => GetUtcNow().Ticks;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ManualTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock forward, stopping at each timer on the way.</summary>
    public void Advance(TimeSpan by)
    {
        DateTimeOffset until = GetUtcNow() + by;
        while (TakeNextDue(until) is { } timer)
            timer.Fire();
        lock (_lock)
            _now = until;
    }

    private ManualTimer? TakeNextDue(DateTimeOffset until)
    {
        lock (_lock)
        {
            ManualTimer? next = _timers.Where(t => t.Due <= until).MinBy(t => t.Due);
            if (next is null)
                return null;
            if (next.Due > _now)
                _now = next.Due;
            _timers.Remove(next);
            if (next.Period > TimeSpan.Zero)
            {
                next.Due += next.Period;
                _timers.Add(next);
            }

            return next;
        }
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = clock._now + dueTime;
                Period = period == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : period;
                clock._timers.Add(this);
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._lock)
                clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
