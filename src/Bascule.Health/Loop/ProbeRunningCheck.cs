using Bascule.Core.Health;

namespace Bascule.Health.Loop;

/// <summary>Asks by a <see cref="Probe"/>, on the thread pool. One that does not return though its time is up is abandoned, and nothing is asked until it has.</summary>
/// <param name="record">What it is about.</param>
/// <param name="loop">Where it lives.</param>
/// <param name="probe">Null: the one for the record's check.</param>
#pragma warning disable CA1001 // The probe that was cancelled disposes of it when it has returned.
internal sealed class ProbeRunningCheck(HealthRecord record, HealthLoop loop, Probe? probe = null) : RunningCheck(record, loop)
#pragma warning restore CA1001
{
    /// <summary>For a probe to return once its time is up; a program must be killed first.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private Probe? _probe = probe;
    private CancellationTokenSource? _asking;
    private bool _isOut; // it has not returned, wanted or not
    private bool _isLate;

    /// <inheritdoc/>
    protected override void Ask()
    {
        if (_isOut)
        {
            Conclude(Verdict.Failed($"{Late(Record.Check)}, and the check before has not ended yet"));
            return;
        }

        CancellationTokenSource asking = _asking = new();
        (_isOut, _isLate) = (true, false);
        Loop.ProbesOut++;
        _ = Task.Run(() => AskAsync(asking));
    }

    /// <inheritdoc/>
    protected override void Abandon()
    {
        _ = _asking?.CancelAsync(); // what the probe does about it is not done on this thread
        _asking = null;
    }

    /// <inheritdoc/>
    protected override void TimeOut()
    {
        if (_isLate)
        {
            base.TimeOut();
            return;
        }

        _isLate = true;
        Loop.Deadlines.Set(this, Loop.Now + Grace);
        _ = _asking?.CancelAsync(); // the probe returns, and may know what was late
    }

    private async Task AskAsync(CancellationTokenSource asking)
    {
        Verdict verdict = await VerdictAsync(asking.Token);
        Loop.Post(() =>
        {
            Loop.ProbesOut--;
            _isOut = false;
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
