using Bascule.Core.Api;

namespace Bascule.Daemon;

/// <summary>Estimates rates: looks at every counter every two seconds.</summary>
/// <param name="read">The counters now.</param>
internal sealed class TrafficWatch(TimeProvider time, Func<IEnumerable<VirtualServerStatus>> read)
{
    private readonly TaskCompletionSource _stopping = new();
    private Task _watching = Task.CompletedTask;

    /// <summary>What came of it so far.</summary>
    public TrafficRates Rates { get; } = new();

    public void Start() => _watching = WatchAsync();

    public async Task StopAsync()
    {
        _stopping.SetResult();
        await _watching;
    }

    private async Task WatchAsync()
    {
        long before = time.GetTimestamp();
        while (await Task.WhenAny(_stopping.Task, Task.Delay(TrafficEstimator.Interval, time)) != _stopping.Task)
        {
            Rates.Sample(read(), time.GetElapsedTime(before));
            before = time.GetTimestamp();
        }
    }
}
