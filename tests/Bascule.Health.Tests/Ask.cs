using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health.Tests;

/// <summary>Asks by a probe alone, without an engine: what a kind of check finds out.</summary>
internal static class Ask
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(20); // also on a busy machine

    private static readonly TimeSpan ShortEnough = TimeSpan.FromMilliseconds(150); // for what never answers

    /// <summary>Once, with all the time there is.</summary>
    public static async Task<Verdict> OnceAsync(Check check, IPEndPoint realServer, TimeProvider? time = null)
    {
        using CancellationTokenSource timeout = new(LongEnough);
        return await Probe.For(check, realServer, time ?? TimeProvider.System).AskAsync(mark: 0, timeout.Token);
    }

    /// <summary>The few words of the answer, with the word of how it ended before them: <c>up: connected</c>.</summary>
    public static async Task<string> WhyAsync(Check check, IPEndPoint realServer)
    {
        Verdict verdict = await OnceAsync(check, realServer);
        return $"{(verdict.Passed ? "up" : verdict.WasAsked ? "down" : "not asked")}: {Said.Line(verdict.Why)}";
    }

    /// <summary>Somebody who never answers: asked until the time is up.</summary>
    /// <returns>What has not answered, where the probe knows.</returns>
    public static async Task<string?> InVainAsync(Check check, IPEndPoint realServer)
    {
        using CancellationTokenSource timeout = new(ShortEnough);
        return await InVainAsync(check, realServer, timeout.Token);
    }

    /// <inheritdoc cref="InVainAsync(Check, IPEndPoint)"/>
    /// <param name="timeUp">When the time is up.</param>
    public static async Task<string?> InVainAsync(Check check, IPEndPoint realServer, CancellationToken timeUp)
    {
        Exception thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Probe.For(check, realServer, TimeProvider.System).AskAsync(mark: 0, timeUp));
        return thrown is LateException ? thrown.Message : null;
    }
}
