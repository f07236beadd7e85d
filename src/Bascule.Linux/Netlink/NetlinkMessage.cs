using System.Runtime.InteropServices;
using System.Text;

namespace Bascule.Linux.Netlink;

/// <summary>
/// One message of a netlink datagram, RFC 3549 §2.2; numbers are in the machine's byte order.
/// <code>
/// | length 4 | type 2 | flags 2 | sequence 4 | port 4 | family's header | attributes … |
/// </code>
/// </summary>
internal readonly ref struct NetlinkMessage
{
    public const int HeaderLength = 16;

    private NetlinkMessage(ReadOnlySpan<byte> bytes) => Bytes = bytes;

    public ReadOnlySpan<byte> Bytes { get; }

    public ushort Type => MemoryMarshal.Read<ushort>(Bytes[4..]);

    public ushort Flags => MemoryMarshal.Read<ushort>(Bytes[6..]);

    public uint Sequence => MemoryMarshal.Read<uint>(Bytes[8..]);

    public ReadOnlySpan<byte> Body => Bytes[HeaderLength..];

    /// <summary>Takes the first message off a datagram; false when there is none, or none that fits into it.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> datagram, out NetlinkMessage message)
    {
        message = default;
        if (datagram.Length < HeaderLength)
            return false;
        uint length = MemoryMarshal.Read<uint>(datagram);
        if (length < HeaderLength || length > datagram.Length)
            return false;
        message = new(datagram[..(int)length]);
        datagram = datagram[Math.Min(Aligned((int)length), datagram.Length)..];
        return true;
    }

    /// <summary>Attributes begin on a multiple of four bytes.</summary>
    public static int Aligned(int length) => (length + 3) & ~3;
}

/// <summary>
/// The attributes that follow a header, to be walked with <c>foreach</c>. Ends at the first that does not fit.
/// <code>
/// | length 2 | type 2 | value …, padded to 4 |
/// </code>
/// </summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    private const int HeaderLength = 4;
    private const int TypeMask = 0x3FFF; // the upper bits say "nested" and "big-endian"

    private ReadOnlySpan<byte> _rest = bytes;

    public int Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public readonly NetlinkAttributes Current => this;

    public readonly NetlinkAttributes GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_rest.Length < HeaderLength)
            return false;
        int length = MemoryMarshal.Read<ushort>(_rest);
        if (length < HeaderLength || length > _rest.Length)
            return false;
        Type = MemoryMarshal.Read<ushort>(_rest[2..]) & TypeMask;
        Value = _rest[HeaderLength..length];
        _rest = _rest[Math.Min(NetlinkMessage.Aligned(length), _rest.Length)..];
        return true;
    }

    /// <summary>The value as a number; 0 when it is shorter than one.</summary>
    public readonly uint Number => Value.Length >= sizeof(uint) ? MemoryMarshal.Read<uint>(Value) : 0;

    /// <summary>The value as an address; null when it has another length.</summary>
    public readonly System.Net.IPAddress? Address => Value.Length is 4 or 16 ? new(Value) : null;
}

/// <summary>Writes a request: message header, the family's header, attributes.</summary>
internal ref struct NetlinkRequest
{
    private readonly Span<byte> _bytes;
    private int _length;

    /// <param name="room">Enough for it all; a request here has at most two hundred bytes.</param>
    public NetlinkRequest(Span<byte> room, NetlinkType type, NetlinkFlags flags, scoped ReadOnlySpan<byte> header)
    {
        room.Clear();
        _bytes = room;
        Write(4, (ushort)type);
        Write(6, (ushort)flags);
        header.CopyTo(room[NetlinkMessage.HeaderLength..]);
        _length = NetlinkMessage.HeaderLength + NetlinkMessage.Aligned(header.Length);
    }

    public NetlinkRequest With(ushort type, scoped ReadOnlySpan<byte> value)
    {
        Write(_length, (ushort)(4 + value.Length));
        Write(_length + 2, type);
        value.CopyTo(_bytes[(_length + 4)..]);
        _length += 4 + NetlinkMessage.Aligned(value.Length);
        return this;
    }

    public NetlinkRequest With(ushort type, uint value) => With(type, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    /// <summary>A string with the zero byte that ends it.</summary>
    public NetlinkRequest With(ushort type, string value) => With(type, (ReadOnlySpan<byte>)[.. Encoding.UTF8.GetBytes(value), 0]);

    /// <summary>Begins an attribute that holds others, up to <see cref="End"/>.</summary>
    public NetlinkRequest Begin(ushort type, out int nest)
    {
        const ushort Nested = 0x8000; // NLA_F_NESTED
        nest = _length;
        return With((ushort)(type | Nested), []);
    }

    public readonly NetlinkRequest End(int nest)
    {
        Write(nest, (ushort)(_length - nest));
        return this;
    }

    public readonly ReadOnlySpan<byte> Finish(uint sequence)
    {
        MemoryMarshal.Write(_bytes, _length);
        MemoryMarshal.Write(_bytes[8..], sequence);
        return _bytes[.._length];
    }

    private readonly void Write(int at, ushort value) => MemoryMarshal.Write(_bytes[at..], value);
}

/// <summary>linux/netlink.h, linux/rtnetlink.h.</summary>
internal enum NetlinkType : ushort
{
    Error = 2,
    Done = 3,
    NewLink = 16,
    RemoveLink = 17,
    GetLink = 18,
    NewAddress = 20,
    RemoveAddress = 21,
    GetAddress = 22,
    NewRoute = 24,
    RemoveRoute = 25,
    GetRoute = 26,
    NewNeighbour = 28,
    RemoveNeighbour = 29,
    GetNeighbour = 30,
    NewRule = 32,
    RemoveRule = 33,
    GetRule = 34,
}

[Flags]
internal enum NetlinkFlags : ushort
{
    None = 0,
    Request = 1,
    Acknowledge = 4,
    Interrupted = 0x10,
    Dump = 0x300,
    Replace = 0x100,
    Exclusive = 0x200,
    Create = 0x400,
}
