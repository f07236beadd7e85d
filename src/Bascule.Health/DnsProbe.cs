using System.Buffers.Binary;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a name server answer this question? Asked in a datagram.</summary>
internal sealed class DnsProbe(DnsCheck check, IPEndPoint target) : DatagramProbe(target)
{
    private readonly DnsQuestion _question = new(check);

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(DatagramTalk talk, CancellationToken cancellation)
    {
        byte[] query = _question.Write();
        await talk.SendAsync(query, cancellation);
        while (true)
        {
            ReadOnlyMemory<byte> answer = await talk.ReceiveAsync(cancellation);
            if (!DnsQuestion.IsToAnother(query, answer.Span)) // a late one, to whoever had our port before
                return _question.Judge(query, answer.Span);
        }
    }
}

/// <summary>The same over a connection. RFC 7766 §8: the length goes before each message.</summary>
internal sealed class DnsStreamProbe(DnsCheck check, IPEndPoint target) : ConversationProbe(target)
{
    private readonly DnsQuestion _question = new(check);

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        byte[] query = _question.Write();
        byte[] length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)query.Length);
        await talk.SendAsync((byte[])[.. length, .. query], cancellation);
        int count = BinaryPrimitives.ReadUInt16BigEndian(await talk.ReadBytesAsync(2, cancellation));
        byte[] answer = await talk.ReadBytesAsync(count, cancellation);
        return _question.Judge(query, answer);
    }
}
