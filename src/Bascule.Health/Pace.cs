namespace Bascule.Health;

/// <summary>How often one record may be asked, and the news that it is to be asked sooner.</summary>
internal sealed class Pace(TimeSpan shortest)
{
    private long _shortest = shortest.Ticks;
    private TaskCompletionSource<TimeSpan> _sooner = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Intervals are at least as long; zero: as configured.</summary>
    public TimeSpan Shortest => new(Volatile.Read(ref _shortest));

    /// <summary>
    /// Completes when the record is to be asked after so long, however much of the interval is left. To be read before
    /// <see cref="Shortest"/>, so that a change in between is not missed.
    /// </summary>
    public Task<TimeSpan> Sooner => Volatile.Read(ref _sooner).Task;

    /// <summary>Changes it from the next interval on.</summary>
    /// <returns>Whether it is faster now.</returns>
    public bool Change(TimeSpan next) => Interlocked.Exchange(ref _shortest, next.Ticks) > next.Ticks;

    /// <summary>Ends the interval that runs now.</summary>
    public void Hurry(TimeSpan delay) =>
        Interlocked.Exchange(ref _sooner, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult(delay);
}
