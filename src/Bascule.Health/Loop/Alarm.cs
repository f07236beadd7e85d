namespace Bascule.Health.Loop;

/// <summary>
/// Lets the loop sleep until a time of its clock. The machine's own clock is waited for by epoll, which costs nothing; any other wakes
/// the loop by a timer of its own.
/// </summary>
internal sealed class Alarm : IDisposable
{
    // Deadlines are met up to so much late, and those in between together: 250 turns a second begin thousands of checks.
    private const int ShortestSleepMilliseconds = 4;

    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer? _timer;

    /// <param name="time">The clock.</param>
    /// <param name="ring">Wakes the loop, from any thread.</param>
    public Alarm(TimeProvider time, Action ring)
    {
        _time = time;
        _start = time.GetTimestamp();
        _timer = time == TimeProvider.System ? null : time.CreateTimer(_ => ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Since it was made, by a clock that nobody sets.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>To be called right before the loop sleeps.</summary>
    /// <param name="deadline">When it must wake; null: nothing is due.</param>
    /// <returns>Milliseconds for epoll_wait(2): 0, when it is time already; -1, when something else will wake it.</returns>
    public int SleepUntil(TimeSpan? deadline)
    {
        if (deadline <= Now)
            return 0;
        if (_timer is not null)
            return Arm(_timer, deadline);
        return deadline is { } due ? (int)double.Clamp(Math.Ceiling((due - Now).TotalMilliseconds), ShortestSleepMilliseconds, int.MaxValue) : -1;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private int Arm(ITimer timer, TimeSpan? deadline)
    {
        TimeSpan now;
        do
        {
            now = Now;
            if (deadline <= now)
                return 0;
            timer.Change(deadline - now ?? Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        while (now != Now); // a clock that is moved by hand may have been moved in between

        return -1;
    }
}
