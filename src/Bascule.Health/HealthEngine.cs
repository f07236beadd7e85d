using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Microsoft.Extensions.Logging;

namespace Bascule.Health;

/// <summary>
/// Asks every real server of the snapshot how it is, and writes the answers to its <see cref="HealthRecord"/>. One loop a record:
/// ask, take the answer into account, wait for the rest of the interval; so never two checks of one record at a time.
/// </summary>
/// <param name="time">For intervals and timeouts.</param>
/// <param name="random">Keeps thousands of checks from falling into step.</param>
public sealed class HealthEngine(TimeProvider time, Random random, ILogger<HealthEngine> logger)
{
    // 5,000 a second: a handful of first checks runs at once, and 10,000 do not connect in the same millisecond.
    private const int StartsPerMillisecond = 5;

    private const double Jitter = 0.1; // of the interval, either way; the mean stays

    private readonly Lock _lock = new();
    private readonly Dictionary<HealthRecord, RunningCheck> _running = [];
    private readonly List<Task> _ending = [];
    private bool _stopped;

    /// <summary>Called when a real server went up or down, on the thread of its check; must not take its time.</summary>
    public event Action<HealthRecord>? Changed;

    /// <summary>
    /// Starts the checks of records that are new in this snapshot, the first at once, and stops those that no virtual server reads
    /// any more; the others keep their rhythm. Records that only virtual servers of another director's addresses read are asked at most every
    /// <see cref="HaSettings.BackupCheckInterval"/>; once such an address is ours, at once and as often as configured. Callable at any time; without effect
    /// once stopped.
    /// </summary>
    public void Apply(Snapshot snapshot, RoleSet roles)
    {
        Dictionary<HealthRecord, TimeSpan> wanted = ShortestIntervals(snapshot, roles);
        lock (_lock)
        {
            if (_stopped)
                return;
            _ending.RemoveAll(task => task.IsCompleted);
            foreach (HealthRecord gone in _running.Keys.Where(record => !wanted.ContainsKey(record)).ToList())
                End(gone);
            int starts = 0;
            foreach ((HealthRecord record, TimeSpan shortest) in wanted)
            {
                if (!_running.TryGetValue(record, out RunningCheck? check))
                    _running.Add(record, Begin(record, new(shortest), NextStart()));
                else if (check.Pace.Change(shortest))
                    check.Pace.Hurry(NextStart());
            }

            TimeSpan NextStart() => TimeSpan.FromMilliseconds(starts++ / StartsPerMillisecond);
        }
    }

    /// <summary>Completes when every check that runs now has had its first answer.</summary>
    public Task FirstAnswersAsync()
    {
        lock (_lock)
            return Task.WhenAll(_running.Values.Select(check => check.FirstAnswer.Task));
    }

    /// <summary>Stops all checks, and waits until they have ended. The records keep what they know.</summary>
    public Task StopAsync()
    {
        lock (_lock)
        {
            _stopped = true;
            foreach (HealthRecord record in _running.Keys.ToList())
                End(record);
            return Task.WhenAll(_ending);
        }
    }

    private static Dictionary<HealthRecord, TimeSpan> ShortestIntervals(Snapshot snapshot, RoleSet roles)
    {
        TimeSpan elsewhere = snapshot.Configuration.Ha?.BackupCheckInterval ?? TimeSpan.Zero;
        HashSet<HealthRecord> ours = [.. snapshot.VirtualServers.Where(v => v.Configured.Addresses.Any(a => roles.Serves(a.Ip))).SelectMany(v => v.HealthRecords).OfType<HealthRecord>()];
        return HealthBoard.RecordsOf(snapshot).ToDictionary(record => record, record => ours.Contains(record) ? TimeSpan.Zero : elsewhere);
    }

    private RunningCheck Begin(HealthRecord record, Pace pace, TimeSpan delay)
    {
        CancellationTokenSource stopping = new();
        TaskCompletionSource firstAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return new(pace, stopping, firstAnswer, Task.Run(() => AskAgainAndAgainAsync(record, pace, delay, firstAnswer, stopping.Token)));
    }

    private void End(HealthRecord record)
    {
        _running.Remove(record, out RunningCheck? check);
        check!.Stopping.Cancel();
        _ending.Add(check.Loop);
    }

    private async Task AskAgainAndAgainAsync(HealthRecord record, Pace pace, TimeSpan delay, TaskCompletionSource firstAnswer, CancellationToken stopping)
    {
        Asker asker = new(record, time, logger);
        try
        {
            while (true)
            {
                if (delay > TimeSpan.Zero)
                    await Task.Delay(delay, time, stopping);
                long start = time.GetTimestamp();
                if (await asker.AskAsync(stopping))
                    Changed?.Invoke(record);
                firstAnswer.TrySetResult();
                Task<TimeSpan> sooner = pace.Sooner;
                TimeSpan interval = pace.Shortest > record.Check.Interval ? pace.Shortest : record.Check.Interval;
                delay = await RestAsync(Jittered(interval) - time.GetElapsedTime(start), sooner, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped, or gone from the snapshot.
        }
        finally
        {
            firstAnswer.TrySetResult();
        }
    }

    /// <returns>What is left to wait: nothing, unless the interval was ended from outside.</returns>
    private async Task<TimeSpan> RestAsync(TimeSpan rest, Task<TimeSpan> sooner, CancellationToken stopping)
    {
        if (rest <= TimeSpan.Zero)
            return TimeSpan.Zero;
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task whole = Task.Delay(rest, time, over.Token);
        if (await Task.WhenAny(whole, sooner) == sooner)
        {
            await over.CancelAsync();
            return await sooner;
        }

        await whole;
        return TimeSpan.Zero;
    }

    private TimeSpan Jittered(TimeSpan interval)
    {
        lock (_lock) // a Random is not made for many threads
            return interval * (1 + (Jitter * ((2 * random.NextDouble()) - 1)));
    }

    private sealed record RunningCheck(Pace Pace, CancellationTokenSource Stopping, TaskCompletionSource FirstAnswer, Task Loop);
}
