using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does it answer a datagram, or at least not refuse it?</summary>
internal sealed class UdpProbe(UdpCheck check, IPEndPoint target, TimeProvider time) : DatagramProbe(target)
{
    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(DatagramTalk talk, CancellationToken cancellation)
    {
        await talk.SendAsync(check.Payload.AsImmutableArray().AsMemory(), cancellation);
        return check.RequiresReply ? Judge((await talk.ReceiveAsync(cancellation)).Span) : await ListenAsync(talk, cancellation);
    }

    /// <summary>Silence is good enough, but no bad word may come.</summary>
    private async ValueTask<Verdict> ListenAsync(DatagramTalk talk, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = new(check.Timeout / 2, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            return Judge((await talk.ReceiveAsync(either.Token)).Span);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return Verdict.Pass("no answer and no refusal");
        }
    }

    private Verdict Judge(ReadOnlySpan<byte> answer)
    {
        if (check.ReplyPattern is { } pattern && !Begins(answer, pattern))
            return Verdict.Failed($"the answer begins with {Convert.ToHexStringLower(answer[..int.Min(answer.Length, pattern.Count)])}, not with {InHex(pattern)}");
        if (check.Reply is { } text && answer.IndexOf(text.AsImmutableArray().AsSpan()) < 0)
            return Verdict.Failed($"the answer {Conversation.Show(answer)} does not contain {Conversation.Show(text.AsImmutableArray().AsSpan())}");
        return Verdict.Pass($"{answer.Length} {(answer.Length == 1 ? "byte" : "bytes")}");
    }

    private static bool Begins(ReadOnlySpan<byte> answer, ValueList<byte?> pattern)
    {
        if (answer.Length < pattern.Count)
            return false;
        for (int i = 0; i < pattern.Count; i++)
        {
            if (pattern[i] is { } known && known != answer[i])
                return false;
        }

        return true;
    }

    private static string InHex(ValueList<byte?> pattern) => string.Concat(pattern.Select(one => one is { } known ? $"{known:x2}" : "XX"));
}
