using System.Buffers;
using System.Buffers.Binary;

namespace Bascule.Replication.Streams;

/// <summary>Questions or answers on their way out, in pieces between the streams' entries. Body of a piece: id (4), length of the whole (4), offset (4), bytes.</summary>
internal sealed class OutgoingTransfers(MessageKind kind, MessageWriter writer)
{
    private const int HeadLength = 12;
    private const int LongestPiece = 32 * 1024;

    private readonly Queue<(uint Id, byte[] Content)> _waiting = new();
    private int _offset;

    public void Add(uint id, byte[] content) => _waiting.Enqueue((id, content));

    /// <summary>Sends as many pieces as there is room for.</summary>
    public void GoOn()
    {
        while (_waiting.TryPeek(out (uint Id, byte[] Content) first) && TrySendPiece(first.Id, first.Content))
        {
            if (_offset < first.Content.Length)
                continue;
            _waiting.Dequeue();
            _offset = 0;
        }
    }

    private bool TrySendPiece(uint id, byte[] content)
    {
        int length = int.Min(LongestPiece, content.Length - _offset);
        Span<byte> body = writer.TryBegin(kind, HeadLength + length);
        if (body.IsEmpty)
            return false;
        BinaryPrimitives.WriteUInt32BigEndian(body, id);
        BinaryPrimitives.WriteInt32BigEndian(body[4..], content.Length);
        BinaryPrimitives.WriteInt32BigEndian(body[8..], _offset);
        content.AsSpan(_offset, length).CopyTo(body[HeadLength..]);
        _offset += length;
        return true;
    }
}

/// <summary>Puts the pieces of a question or an answer together. One at a time, and none longer than <see cref="Longest"/>.</summary>
internal sealed class IncomingTransfer
{
    /// <summary>Bytes: twice the longest configuration.</summary>
    public const int Longest = 8 * 1024 * 1024;

    private const int HeadLength = 12;

    private readonly ArrayBufferWriter<byte> _content = new();
    private uint _id;
    private int _whole;

    /// <summary>Takes a piece.</summary>
    /// <param name="finished">With the last piece: which it was and its content.</param>
    /// <returns>False when it is no piece that belongs here.</returns>
    public bool TryTake(ReadOnlySpan<byte> body, out (uint Id, byte[] Content)? finished)
    {
        finished = null;
        if (body.Length < HeadLength)
            return false;
        uint id = BinaryPrimitives.ReadUInt32BigEndian(body);
        int whole = BinaryPrimitives.ReadInt32BigEndian(body[4..]);
        int offset = BinaryPrimitives.ReadInt32BigEndian(body[8..]);
        ReadOnlySpan<byte> piece = body[HeadLength..];
        if (offset == 0)
        {
            _content.ResetWrittenCount();
            (_id, _whole) = (id, whole);
        }

        if (whole is < 0 or > Longest || (id, whole, offset) != (_id, _whole, _content.WrittenCount) || piece.Length > whole - offset || (piece.IsEmpty && whole > 0))
            return false;
        _content.Write(piece);
        if (_content.WrittenCount == whole)
        {
            finished = (id, _content.WrittenSpan.ToArray());
            _content.ResetWrittenCount();
            _whole = -1;
        }

        return true;
    }
}
