using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace Bascule.Vrrp.Track;

/// <summary>
/// Watches what instances track, and tells of each change. Nothing here runs on the failover thread: a script that hangs, a file on a dead disk
/// or a slow <c>/proc</c> delays only its own news.
/// </summary>
/// <remarks>Interfaces and routes are looked at when the kernel says that something changed; the rest at intervals.</remarks>
internal sealed class TrackWatch : IAsyncDisposable
{
    private static readonly TimeSpan NetworkInterval = TimeSpan.FromMilliseconds(250); // beside the kernel's word
    private static readonly TimeSpan ProcessInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FileInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan HealthInterval = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Action<Tracked, TrackedState> _tell;
    private readonly Func<Snapshot> _current;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Tracked[] _tracked;
    private readonly List<Task> _loops = [];
    private Thread? _network;

    /// <summary>Watches nothing yet.</summary>
    /// <param name="tracked">Each once is enough: equal ones are one.</param>
    /// <param name="current">The snapshot whose real servers count.</param>
    /// <param name="tell">Takes each change, from any thread, never two of one thing at a time. The first look counts as a change.</param>
    public TrackWatch(IEnumerable<Tracked> tracked, Func<Snapshot> current, Action<Tracked, TrackedState> tell, TimeProvider time, ILogger logger)
    {
        _tracked = [.. tracked.Distinct()];
        (_current, _tell, _time, _logger) = (current, tell, time, logger);
    }

    /// <summary>Begins.</summary>
    public void Start()
    {
        foreach (Tracked tracked in _tracked)
        {
            switch (tracked)
            {
                case TrackedProcess process:
                    Watch(process, ProcessInterval, _ => Task.FromResult(Look.AtProcesses(process)));
                    break;
                case TrackedFile file:
                    Watch(file, FileInterval, _ => Task.FromResult(Look.AtFile(file)));
                    break;
                case TrackedVirtualServers servers:
                    Watch(servers, HealthInterval, _ => Task.FromResult(Look.AtVirtualServers(_current(), servers)));
                    break;
                case TrackedScript script:
                    ScriptTrack runs = new(script);
                    Watch(script, script.Interval, stopping => runs.LookAsync(_time, stopping));
                    break;
            }
        }

        if (!_tracked.Any(t => t is TrackedInterface or TrackedRoute))
            return;
        _network = new(WatchNetwork) { Name = "track-network", IsBackground = true };
        _network.Start();
    }

    /// <summary>Ends; no change is told any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_loops);
        if (_network is { } thread)
            await Task.Run(thread.Join);
        _stopping.Dispose();
    }

    private void Watch(Tracked tracked, TimeSpan interval, Func<CancellationToken, Task<TrackedState>> look) =>
        _loops.Add(Task.Run(() => LookAgainAndAgainAsync(tracked, interval, look)));

    private async Task LookAgainAndAgainAsync(Tracked tracked, TimeSpan interval, Func<CancellationToken, Task<TrackedState>> look)
    {
        TrackedState last = TrackedState.Unknown;
        try
        {
            while (true)
            {
                long start = _time.GetTimestamp();
                last = TellIfNew(tracked, last, await look(_stopping.Token));
                TimeSpan rest = interval - _time.GetElapsedTime(start);
                await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, _time, _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Told to end.
        }
#pragma warning disable CA1031 // What nobody foresaw counts as unwell, and is said: a director that cannot see must not be trusted.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.TrackingBroke(_logger, e, TrackedState.NameOf(tracked));
            _tell(tracked, TrackedState.Unwell($"it cannot be looked at: {e.Message}"));
        }
    }

    private void WatchNetwork()
    {
        Dictionary<Tracked, TrackedState> last = _tracked.Where(t => t is TrackedInterface or TrackedRoute).ToDictionary(t => t, _ => TrackedState.Unknown);
        try
        {
            using NetworkWatch watch = new(NetworkNews.Links | NetworkNews.Addresses | NetworkNews.Routes);
            using Network network = new();
            while (!_stopping.IsCancellationRequested)
            {
                foreach (Tracked tracked in last.Keys.ToArray())
                    last[tracked] = TellIfNew(tracked, last[tracked], tracked is TrackedInterface link ? Look.AtInterface(network, link) : Look.AtRoute(network, (TrackedRoute)tracked));
                watch.Read(NetworkInterval);
            }
        }
        catch (KernelException e)
        {
            Log.TrackingBroke(_logger, e, "interfaces and routes");
            foreach (Tracked tracked in last.Keys)
                _tell(tracked, TrackedState.Unwell($"it cannot be looked at: {e.Message}"));
        }
    }

    private TrackedState TellIfNew(Tracked tracked, TrackedState last, TrackedState now)
    {
        if (now == last || _stopping.IsCancellationRequested)
            return last;
        _tell(tracked, now);
        return now;
    }
}
