using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Weights;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>
/// Turns the <see cref="WeightKeeper"/>: at once when something happened, and often while something moves. These look only where it does; all are looked
/// at every second.
/// </summary>
/// <param name="current">What is balanced now.</param>
/// <param name="tell">Takes each change, in order; must not take its time.</param>
/// <param name="log">Takes why a turn failed.</param>
internal sealed class WeightLoop(TimeProvider time, Func<Snapshot> current, Action<WeightChange> tell, ILogger log)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1); // nobody who forgets to wake it is waited for longer

    private readonly Lock _turning = new();
    private readonly WeightKeeper _keeper = new(time);
    private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private bool _isAllDue;
    private long _lookedAtAll;
    private bool _moves;
    private bool _failed;

    /// <summary>Turns from now on.</summary>
    public void Start() => _running = RunAsync();

    /// <summary>Something happened, wherever: a turn over all comes at once. From any thread; takes no time.</summary>
    public void Wake()
    {
        Volatile.Write(ref _isAllDue, true);
        Volatile.Read(ref _woken).TrySetResult();
    }

    /// <summary>Something happened to the real servers that go by this record: they are looked at at once. From any thread; takes no time.</summary>
    public void Wake(HealthRecord record)
    {
        _keeper.Hear(record);
        Volatile.Read(ref _woken).TrySetResult();
    }

    /// <summary>Turns now over all: when it returns, what was just published has its weights.</summary>
    public void Turn()
    {
        lock (_turning)
        {
            _lookedAtAll = time.GetTimestamp();
            Take(_keeper.Turn(current()));
        }
    }

    private void Step()
    {
        lock (_turning)
            Take(_keeper.Step(current()));
    }

    private void Take(in WeightTurn turn)
    {
        _moves = turn.Moves;
        foreach (WeightChange change in turn.Changes)
            tell(change);
    }

    /// <summary>Turns no more.</summary>
    public async Task StopAsync()
    {
        _stopping.TrySetResult();
        await _running;
    }

    private async Task RunAsync()
    {
        while (await Task.WhenAny(_stopping.Task, _woken.Task, Task.Delay(_moves ? Beat : Rest, time)) != _stopping.Task)
        {
            Volatile.Write(ref _woken, new(TaskCreationOptions.RunContinuationsAsynchronously));
            TryTurn();
        }
    }

    // A turn that fails is one turn: without the next, nobody would ever be readmitted.
    private void TryTurn()
    {
        try
        {
            if (Interlocked.Exchange(ref _isAllDue, false) || time.GetElapsedTime(_lookedAtAll) >= Rest)
                Turn();
            else
                Step();
            _failed = false;
        }
#pragma warning disable CA1031 // whatever it is, weights go on
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (!_failed) // the first of a run says it
                Log.WeightsFailed(log, e);
            _failed = true;
        }
    }
}
