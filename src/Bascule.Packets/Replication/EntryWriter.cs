using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Bascule.Packets.Replication;

/// <summary>Puts an entry together. Numbers in the order of the wire, addresses as on it.</summary>
/// <param name="room">Enough for the longest entry.</param>
internal ref struct EntryWriter(Span<byte> room)
{
    private readonly Span<byte> _room = room;

    /// <summary>Bytes so far.</summary>
    public int Length { get; private set; }

    public void Byte(byte value) => _room[Length++] = value;

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_room[Length..], value);
        Length += sizeof(ushort);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_room[Length..], value);
        Length += sizeof(uint);
    }

    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_room[Length..]);
        Length += bytes.Length;
    }

    /// <summary>4 or 16 bytes; of which family it is must stand elsewhere.</summary>
    public void Address(IPAddress address)
    {
        address.TryWriteBytes(_room[Length..], out int written);
        Length += written;
    }

    /// <summary>4 or 6, the address, the port.</summary>
    public void EndPoint(IPAddress address, int port)
    {
        Byte(FamilyOf(address));
        Address(address);
        UInt16((ushort)port);
    }

    public static byte FamilyOf(IPAddress address) => (byte)(address.AddressFamily == AddressFamily.InterNetwork ? 4 : 6);
}

/// <summary>Takes an entry apart. Reading beyond its end gives zeros, and <see cref="IsWhole"/> says so in the end.</summary>
/// <param name="entry">Whatever somebody sent.</param>
internal ref struct EntryReader(ReadOnlySpan<byte> entry)
{
    private ReadOnlySpan<byte> _rest = entry;
    private bool _isShort;

    /// <summary>Whether all was there, and nothing else.</summary>
    public readonly bool IsWhole => !_isShort && _rest.IsEmpty;

    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    public ushort UInt16() => Take(sizeof(ushort)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public uint UInt32() => Take(sizeof(uint)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    /// <summary>So many bytes; none when there are fewer.</summary>
    public ReadOnlySpan<byte> Take(int length)
    {
        if (_rest.Length < length)
        {
            _isShort = true;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    /// <summary>An address.</summary>
    /// <param name="family">4, or another number for IPv6.</param>
    public IPAddress Address(byte family)
    {
        ReadOnlySpan<byte> bytes = Take(family == 4 ? 4 : 16);
        return bytes.IsEmpty ? IPAddress.None : new(bytes);
    }

    /// <summary>4 or 6, the address, the port.</summary>
    public (IPAddress Address, ushort Port) EndPoint()
    {
        byte family = Byte();
        _isShort |= family is not (4 or 6);
        return (Address(family), UInt16());
    }
}
