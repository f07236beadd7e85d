using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bascule.Packets.Xdp;

/// <summary>16 bits in the order of the wire (<c>__be16</c>): a port.</summary>
public readonly record struct Wire16
{
    private readonly ushort _bytes;

    private Wire16(ushort value) => _bytes = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>The number it stands for.</summary>
    public ushort Value => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_bytes) : _bytes;

    /// <summary>A number, put into the order of the wire.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Value is the way back")]
    public static implicit operator Wire16(ushort value) => new(value);

    /// <inheritdoc />
    public override string ToString() => $"{Value}";
}

/// <summary>32 bits in the order of the wire (<c>__be32</c>): an IPv4 address.</summary>
public readonly record struct Wire32
{
    private readonly uint _bytes;

    private Wire32(uint value) => _bytes = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>The number it stands for: 192.0.2.1 is 0xC0000201.</summary>
    public uint Value => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_bytes) : _bytes;

    /// <summary>A number, put into the order of the wire.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Value is the way back")]
    public static implicit operator Wire32(uint value) => new(value);

    /// <summary>An IPv4 address.</summary>
    public static Wire32 Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (!address.TryWriteBytes(bytes, out _))
            throw new ArgumentException($"{address} is not an IPv4 address", nameof(address));
        return new(BinaryPrimitives.ReadUInt32BigEndian(bytes));
    }

    /// <summary>As an address.</summary>
    public IPAddress ToAddress()
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Value);
        return new(bytes);
    }

    /// <inheritdoc />
    public override string ToString() => ToAddress().ToString();
}

/// <summary>Twin of <c>struct address</c>: 16 bytes as on the wire; an IPv4 address stands in the first four, the others are 0.</summary>
public readonly record struct Address
{
    private readonly Words _word;

    private Address(ReadOnlySpan<byte> bytes) => bytes.CopyTo(MemoryMarshal.AsBytes((Span<uint>)_word));

    /// <summary>An address of either family; IPv4 mapped into IPv6 counts as IPv4.</summary>
    public static Address Of(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        Span<byte> bytes = stackalloc byte[16];
        plain.TryWriteBytes(bytes, out int length);
        return new(bytes[..length]);
    }

    /// <summary>Which family it is of is not in it.</summary>
    public IPAddress ToAddress(AddressFamily family) =>
        new(MemoryMarshal.AsBytes((ReadOnlySpan<uint>)_word)[..(family == AddressFamily.InterNetwork ? 4 : 16)]);

    /// <inheritdoc />
    public bool Equals(Address other) => ((ReadOnlySpan<uint>)_word).SequenceEqual(other._word);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(_word[0], _word[1], _word[2], _word[3]);

    /// <inheritdoc />
    public override string ToString() => ToAddress(_word[1] == 0 && _word[2] == 0 && _word[3] == 0 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6).ToString();

    [InlineArray(4)]
    private struct Words
    {
        private uint _first;
    }
}

/// <summary>Six bytes of a MAC address.</summary>
public readonly record struct Mac
{
    private readonly Bytes _bytes;

    private Mac(ReadOnlySpan<byte> bytes) => bytes[..6].CopyTo(_bytes);

    /// <summary>From six bytes.</summary>
    public static Mac Of(ReadOnlySpan<byte> bytes) => new(bytes);

    /// <summary>From text such as 02:00:00:00:00:01.</summary>
    public static Mac Parse(string text) => new(PhysicalAddress.Parse(text).GetAddressBytes());

    /// <summary>Its bytes.</summary>
    public byte[] ToBytes() => ((ReadOnlySpan<byte>)_bytes).ToArray();

    /// <inheritdoc />
    public bool Equals(Mac other) => ((ReadOnlySpan<byte>)_bytes).SequenceEqual(other._bytes);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(_bytes[0], _bytes[1], _bytes[2], _bytes[3], _bytes[4], _bytes[5]);

    /// <inheritdoc />
    public override string ToString() => string.Join(':', ToBytes().Select(part => part.ToString("x2", null)));

    [InlineArray(6)]
    private struct Bytes
    {
        private byte _first;
    }
}
