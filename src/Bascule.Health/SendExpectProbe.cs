using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does it answer in a conversation as expected, word for word?</summary>
internal sealed class SendExpectProbe(SendExpectCheck check, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private readonly Regex?[] _patterns =
        [.. check.Steps.Select(step => step is ExpectMatchStep match ? new Regex(match.Pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant) : null)];

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        for (int i = 0; i < check.Steps.Count; i++)
        {
            try
            {
                await DoAsync(check.Steps[i], _patterns[i], talk, cancellation);
            }
            catch (ConversationException e)
            {
                return Verdict.Failed($"step {i + 1}: {Expected(check.Steps[i])}{e.Message}");
            }
        }

        return Verdict.Pass($"{check.Steps.Count} {(check.Steps.Count == 1 ? "step" : "steps")} done");
    }

    private static ValueTask DoAsync(TalkStep step, Regex? pattern, Conversation talk, CancellationToken cancellation) => step switch
    {
        SendStep send => talk.SendAsync(send.Bytes.AsImmutableArray().AsMemory(), cancellation),
        ExpectBytesStep bytes => ExpectAsync(bytes.Bytes.AsImmutableArray().AsMemory(), talk, cancellation),
        _ => ExpectAsync(pattern!, talk, cancellation),
    };

    private static async ValueTask ExpectAsync(ReadOnlyMemory<byte> bytes, Conversation talk, CancellationToken cancellation)
    {
        int at;
        while ((at = talk.Heard.IndexOf(bytes.Span)) < 0)
            await talk.HearMoreAsync(cancellation);
        talk.Take(at + bytes.Length);
    }

    private static async ValueTask ExpectAsync(Regex pattern, Conversation talk, CancellationToken cancellation)
    {
        while (true)
        {
            if (!talk.Heard.IsEmpty && pattern.Match(Encoding.Latin1.GetString(talk.Heard)) is { Success: true } match)
            {
                talk.Take(match.Index + match.Length);
                return;
            }

            await talk.HearMoreAsync(cancellation);
        }
    }

    private static string Expected(TalkStep step) => step switch
    {
        ExpectBytesStep bytes => $"expected {Conversation.Show(bytes.Bytes.AsImmutableArray().AsSpan())}, ",
        ExpectMatchStep match => $"expected what matches {Conversation.Show(match.Pattern)}, ",
        _ => "",
    };
}
