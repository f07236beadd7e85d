using Bascule.Core.Health;
using Microsoft.Extensions.Logging;

namespace Bascule.Health;

/// <summary>Asks one real server once, in the time allowed, and turns whatever happens into an answer.</summary>
internal sealed class Asker(HealthRecord record, TimeProvider time, ILogger logger)
{
    private Probe? _probe;
    private bool _saidNotAsked;

    /// <summary>Asks, updates the record, and says so in the log when it changed between up and down. When the director itself
    /// cannot ask, the record stays as it is: its own trouble must not take every real server out.</summary>
    /// <exception cref="OperationCanceledException">Only when <paramref name="stopping"/> is.</exception>
    /// <returns>Whether it changed between up and down.</returns>
    public async Task<bool> AskAsync(CancellationToken stopping)
    {
        bool isFirst = record.Last is null;
        if (await AnswerAsync(stopping) is not { } answer)
            return false;
        bool changed = record.Apply(answer, time.GetUtcNow());
        if (changed && answer.Passed)
            Log.RealServerIsUp(logger, record.RealServer, answer.Why);
        else if (changed)
            Log.RealServerIsDown(logger, record.RealServer, answer.Why, InARow(record.Check.Fall));
        else if (isFirst)
            Log.RealServerIsDown(logger, record.RealServer, answer.Why, "first check"); // down already, but now it is known why
        return changed;
    }

    /// <returns>Null when it could not be asked.</returns>
    private async Task<CheckAnswer?> AnswerAsync(CancellationToken stopping)
    {
        long start = time.GetTimestamp();
        Verdict verdict = await VerdictAsync(stopping);
        if (!verdict.WasAsked)
        {
            if (!_saidNotAsked)
                Log.RealServerNotAsked(logger, record.RealServer, verdict.Why);
            _saidNotAsked = true;
            return null;
        }

        _saidNotAsked = false;
        return verdict.ToAnswer(time.GetElapsedTime(start));
    }

    private async Task<Verdict> VerdictAsync(CancellationToken stopping)
    {
        using CancellationTokenSource timeout = new(record.Check.Timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            _probe ??= Probe.For(record.Check, record.RealServer, time);
            return await _probe.AskAsync(record.Mark, either.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested)
        {
            return Verdict.Failed($"{(e is LateException ? $"{e.Message}: " : "")}no answer within {InWords(record.Check.Timeout)}");
        }
#pragma warning disable CA1031 // One check that breaks must not end the checks of its real server.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            Log.CheckBroke(logger, unexpected, record.RealServer);
            return Verdict.Failed($"the check itself failed: {unexpected.Message}");
        }
    }

    private static string InARow(int failures) => failures == 1 ? "1 failure" : $"{failures} failures in a row";

    /// <summary>As it is written in the configuration: <c>2s</c>, <c>500ms</c>.</summary>
    private static string InWords(TimeSpan duration) =>
        duration.Ticks % TimeSpan.TicksPerSecond == 0 ? $"{duration.TotalSeconds:0}s" : $"{duration.TotalMilliseconds:0.###}ms";
}
