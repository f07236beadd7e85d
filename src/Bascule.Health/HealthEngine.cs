using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Health.Loop;
using Microsoft.Extensions.Logging;

namespace Bascule.Health;

/// <summary>
/// Asks every real server of the snapshot how it is, and writes the answers to its <see cref="HealthRecord"/>. One thread for all: it
/// connects, reads and keeps the time itself (<see cref="HealthLoop"/>), and leaves to the thread pool only what is asked in other ways than over TCP.
/// </summary>
/// <param name="time">For intervals and timeouts.</param>
/// <param name="random">Keeps thousands of checks from falling into step.</param>
#pragma warning disable CA1001 // StopAsync ends the loop, which disposes of itself on its own thread.
public sealed class HealthEngine(TimeProvider time, Random random, ILogger<HealthEngine> logger)
#pragma warning restore CA1001
{
    // 5,000 a second: a handful of first checks runs at once, and 10,000 do not connect in the same millisecond.
    private const int StartsPerMillisecond = 5;

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HealthLoop? _loop;
    private bool _isStopping;

    // Of the loop's thread.
    private readonly Dictionary<HealthRecord, RunningCheck> _running = [];
    private readonly List<TaskCompletionSource> _firstAnswers = [];
    private int _neverAsked;

    /// <summary>
    /// Called when a real server went up or down, or its check says another weight or state than before: what was told of it may no longer be true. On
    /// the thread of all checks; must not take its time.
    /// </summary>
    public event Action<HealthRecord>? Changed;

    /// <summary>Called when a real server went up or down, before <see cref="Changed"/>. On the thread of all checks; must not take its time.</summary>
    public event Action<HealthRecord>? WentUpOrDown;

    /// <summary>Every check has had its answer and waits for its next turn. For a clock that is moved by hand.</summary>
    internal bool IsResting => _loop is not { } loop || loop.IsResting;

    /// <summary>
    /// Starts the checks of records that are new in this snapshot, the first at once or within their <see cref="Check.WarmUp"/>, and stops those
    /// that no virtual server reads any more; the others keep their rhythm. Records that only virtual servers of another director's addresses read are asked
    /// at most every <see cref="HaSettings.BackupCheckInterval"/>; once such an address is ours, at once and as often as configured. Callable at any time; without
    /// effect once stopped.
    /// </summary>
    public void Apply(Snapshot snapshot, RoleSet roles)
    {
        Dictionary<HealthRecord, TimeSpan> wanted = ShortestIntervals(snapshot, roles);
        lock (_lock)
        {
            if (!_isStopping)
                Started().Post(() => Change(wanted));
        }
    }

    /// <summary>Completes when every check that runs has had its first answer.</summary>
    public Task FirstAnswersAsync()
    {
        lock (_lock)
        {
            if (_isStopping || _loop is not { } loop)
                return Task.CompletedTask;
            TaskCompletionSource answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.Post(() =>
            {
                _firstAnswers.Add(answered);
                TellFirstAnswers();
            });
            return answered.Task;
        }
    }

    /// <summary>Stops all checks, and waits until they have ended, for a probe that does not return a few seconds at most. The records keep what they know.</summary>
    public Task StopAsync()
    {
        lock (_lock)
        {
            bool isFirst = !_isStopping;
            _isStopping = true;
            if (_loop is not { } loop)
                return Task.CompletedTask;
            if (isFirst)
                loop.Post(EndAll);
            return _stopped.Task;
        }
    }

    /// <summary>Runs something on the thread of all checks.</summary>
    internal void Post(Action action) => _loop?.Post(action);

    private static Dictionary<HealthRecord, TimeSpan> ShortestIntervals(Snapshot snapshot, RoleSet roles)
    {
        TimeSpan elsewhere = snapshot.Configuration.Ha?.BackupCheckInterval ?? TimeSpan.Zero;
        HashSet<HealthRecord> ours = [.. snapshot.VirtualServers.Where(v => v.Configured.Addresses.Any(a => roles.Serves(a.Ip))).SelectMany(v => v.HealthRecords).OfType<HealthRecord>()];
        return snapshot.HealthRecords.ToDictionary(record => record, record => ours.Contains(record) ? TimeSpan.Zero : elsewhere);
    }

    private HealthLoop Started()
    {
        if (_loop is not null)
            return _loop;
        _loop = new(time, random, logger) { OnChange = Tell, OnFirstAnswer = OneMoreAnswered };
        new Thread(Run) { Name = "health", IsBackground = true }.Start();
        return _loop;
    }

    private void Run()
    {
        using (_loop)
            _loop!.Run();
        _stopped.SetResult();
    }

    private void Change(Dictionary<HealthRecord, TimeSpan> wanted)
    {
        foreach (HealthRecord gone in _running.Keys.Where(record => !wanted.ContainsKey(record)).ToList())
            End(gone);
        int starts = 0;
        foreach ((HealthRecord record, TimeSpan shortest) in wanted)
        {
            if (!_running.TryGetValue(record, out RunningCheck? check))
                Begin(record, shortest, NextStart());
            else if (shortest < check.ShortestInterval)
                check.AskAfter(NextStart());
            _running[record].ShortestInterval = shortest;
        }

        TellFirstAnswers();
        TimeSpan NextStart() => TimeSpan.FromMilliseconds(starts++ / StartsPerMillisecond);
    }

    private void Begin(HealthRecord record, TimeSpan shortest, TimeSpan start)
    {
        RunningCheck check = RunningCheck.For(record, _loop!);
        check.ShortestInterval = shortest;
        _running.Add(record, check);
        _neverAsked++;
        TimeSpan warm = Cadence.FirstCheck(record.Check, _loop!.Chance());
        check.AskAfter(warm > start ? warm : start);
    }

    private void End(HealthRecord record)
    {
        _running.Remove(record, out RunningCheck? check);
        check!.End();
        if (!check.HasBeenAsked)
            _neverAsked--;
    }

    private void EndAll()
    {
        _loop!.Stop(); // first: whatever breaks below, somebody waits for the end
        foreach (HealthRecord record in _running.Keys.ToList())
            End(record);
        TellFirstAnswers();
    }

    private void OneMoreAnswered()
    {
        _neverAsked--;
        TellFirstAnswers();
    }

    private void TellFirstAnswers()
    {
        if (_neverAsked > 0 || _firstAnswers.Count == 0)
            return;
        foreach (TaskCompletionSource answered in _firstAnswers)
            answered.TrySetResult();
        _firstAnswers.Clear();
    }

    private void Tell(HealthRecord record, bool wentUpOrDown)
    {
        if (wentUpOrDown)
            WentUpOrDown?.Invoke(record);
        Changed?.Invoke(record);
    }
}
