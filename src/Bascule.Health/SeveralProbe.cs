using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Asks several questions at the same time, of which all or one must pass.</summary>
internal sealed class SeveralProbe(ValueList<Check> checks, bool needsAll, IPEndPoint realServer, TimeProvider time) : Probe
{
    private readonly Probe[] _probes = [.. checks.Select(check => For(check, realServer, time))];

    /// <inheritdoc/>
    public override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        using CancellationTokenSource decided = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<Verdict>[] asked = [.. _probes.Select(probe => probe.AskAsync(mark, decided.Token))];
        await foreach (Task<Verdict> answered in Task.WhenEach(asked))
        {
            if (Decides(answered))
                await decided.CancelAsync(); // nobody waits for the rest
        }

        return Judge(asked, cancellation);
    }

    /// <summary>One failure decides `all`, one pass decides `any`.</summary>
    private bool Decides(Task<Verdict> answered) =>
        answered.IsFaulted || (answered.IsCompletedSuccessfully && answered.Result.WasAsked && answered.Result.Passed != needsAll);

    private Verdict Judge(Task<Verdict>[] asked, CancellationToken cancellation)
    {
        int deciding = Array.FindIndex(asked, Decides);
        if (deciding >= 0)
            return Of(deciding, asked[deciding].GetAwaiter().GetResult());
        if (Array.FindIndex(asked, task => task.IsCanceled) is >= 0 and int late)
            throw new LateException(checks[late].Words, cancellation);

        Verdict[] answers = [.. asked.Select(task => task.Result)];
        if (Array.FindIndex(answers, answer => !answer.WasAsked) is >= 0 and int notAsked)
            return Of(notAsked, answers[notAsked]);
        return new(needsAll, needsAll ? $"all {answers.Length} passed" : string.Join("; ", answers.Select((answer, i) => Of(i, answer).Why)))
        {
            Weight = answers.Select(answer => answer.Weight).FirstOrDefault(weight => weight is not null),
            Load = answers.Select(answer => answer.Load).FirstOrDefault(load => load is not null),
            Wish = answers.Select(answer => answer.Wish).FirstOrDefault(wish => wish is not null),
            Warning = Together(answers.Select(answer => answer.Warning)),
            Output = Together(answers.Select(answer => answer.Output)),
        };
    }

    private Verdict Of(int which, Verdict answer) => answer with { Why = $"{checks[which].Words}: {answer.Why}" };

    private static string? Together(IEnumerable<string?> said)
    {
        string[] those = [.. said.OfType<string>()];
        return those.Length == 0 ? null : string.Join("; ", those);
    }
}

/// <summary>The time is up, and it is known what has not answered.</summary>
internal sealed class LateException(string who, CancellationToken cancellation) : OperationCanceledException(who, cancellation);
