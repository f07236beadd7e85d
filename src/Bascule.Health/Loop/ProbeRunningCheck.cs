using Bascule.Core.Health;

namespace Bascule.Health.Loop;

/// <summary>Asks by a <see cref="Probe"/>, on the thread pool.</summary>
#pragma warning disable CA1001 // The probe that was cancelled disposes of it when it has returned.
internal sealed class ProbeRunningCheck(HealthRecord record, HealthLoop loop) : RunningCheck(record, loop)
#pragma warning restore CA1001
{
    private Probe? _probe;
    private CancellationTokenSource? _asking;

    /// <inheritdoc/>
    protected override void Ask()
    {
        CancellationTokenSource asking = _asking = new();
        Loop.ProbesOut++;
        _ = Task.Run(() => AskAsync(asking));
    }

    /// <inheritdoc/>
    protected override void Abandon()
    {
        _asking?.Cancel();
        _asking = null;
    }

    /// <inheritdoc/>
    protected override void TimeOut()
    {
        Loop.Deadlines.Remove(this);
        _asking?.Cancel(); // the probe returns, and may know what was late
    }

    private async Task AskAsync(CancellationTokenSource asking)
    {
        Verdict verdict = await VerdictAsync(asking.Token);
        Loop.Post(() =>
        {
            Loop.ProbesOut--;
            asking.Dispose();
            if (_asking != asking)
                return; // abandoned
            _asking = null;
            Conclude(verdict);
        });
    }

    private async Task<Verdict> VerdictAsync(CancellationToken late)
    {
        try
        {
            _probe ??= Probe.For(Record.Check, Record.RealServer, Loop.Time);
            return await _probe.AskAsync(Record.Mark, late);
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested)
        {
            return Verdict.Failed($"{(e is LateException ? $"{e.Message}: " : "")}{Late(Record.Check)}");
        }
#pragma warning disable CA1031 // One check that breaks must not end the checks of its real server.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            Log.CheckBroke(Loop.Logger, unexpected, Record.RealServer);
            return Verdict.Failed($"the check itself failed: {unexpected.Message}");
        }
    }
}
