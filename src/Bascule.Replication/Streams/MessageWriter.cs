using System.Buffers.Binary;
using Bascule.Replication.Wire;

namespace Bascule.Replication.Streams;

/// <summary>What a message is about. On the wire: this byte, two bytes of length, and as many of body.</summary>
internal enum MessageKind : byte
{
    /// <summary>The first: a count, and so many names of streams, each after its length. Later messages name a stream by its place here.</summary>
    Hello = 1,

    /// <summary>Nothing but "I am there".</summary>
    Heart = 2,

    /// <summary>A stream; what follows begins with everything there is.</summary>
    BulkBegin = 3,

    /// <summary>A stream; everything has been sent, and every change meanwhile.</summary>
    BulkEnd = 4,

    /// <summary>A stream, the entry's number, the entry.</summary>
    Entry = 5,

    /// <summary>A stream of the one who reads this, the number of its last entry that was taken into account.</summary>
    Ack = 6,

    /// <summary>A stream of the one who reads this: entries are missing, everything is wanted again.</summary>
    Again = 7,

    /// <summary>A piece of a question.</summary>
    Question = 8,

    /// <summary>A piece of the answer.</summary>
    Answer = 9,
}

/// <summary>Packs messages into records.</summary>
internal sealed class MessageWriter(Outbox outbox)
{
    private const int HeadLength = 3;

    private readonly byte[] _record = new byte[RecordForm.LongestContent];
    private int _filled;

    /// <summary>Adds a message.</summary>
    /// <returns>Its body, to be filled; empty when there is no room for it now.</returns>
    public Span<byte> TryBegin(MessageKind kind, int length)
    {
        int whole = HeadLength + length;
        if (whole > _record.Length - _filled && !TryFlush())
            return default;
        Span<byte> message = _record.AsSpan(_filled, whole);
        _filled += whole;
        message[0] = (byte)kind;
        BinaryPrimitives.WriteUInt16BigEndian(message[1..], (ushort)length);
        return message[HeadLength..];
    }

    /// <summary>Adds a message of a stream and, where one is said, a number.</summary>
    /// <returns>False when there is no room for it now.</returns>
    public bool TryWrite(MessageKind kind, byte stream, ulong? number = null)
    {
        Span<byte> body = TryBegin(kind, number is null ? 1 : 9);
        if (body.IsEmpty)
            return false;
        body[0] = stream;
        if (number is { } said)
            BinaryPrimitives.WriteUInt64BigEndian(body[1..], said);
        return true;
    }

    /// <summary>Adds "I am there". A full record on its way says so as well.</summary>
    public void WriteHeart()
    {
        if (_record.Length - _filled >= HeadLength)
            TryBegin(MessageKind.Heart, 0);
    }

    /// <summary>Sends what has been added.</summary>
    /// <returns>False when there is no room for it now; it is kept.</returns>
    public bool TryFlush()
    {
        if (_filled == 0)
            return true;
        if (!outbox.TryPut(_record.AsSpan(0, _filled)))
            return false;
        _filled = 0;
        return true;
    }
}
