using System.Buffers.Binary;
using System.Numerics;
using Bascule.Core.Scheduling;

namespace Bascule.Core.ProxyHeaders;

/// <summary>Reads headers of the PROXY protocol, of either version. No input throws, none allocates.</summary>
/// <remarks>
/// <code>
/// version 1:  PROXY TCP4 203.0.113.7 192.0.2.10 51234 443\r\n
///
/// version 2:  | signature 12 | version 4 bits | command 4 bits | family 4 bits | transport 4 bits | length 2 |
///             | source | destination | source port 2 | destination port 2 |     4 or 16 bytes an address
///             | type 1 | length 2 | value | …                                   TLVs up to the length
/// </code>
/// </remarks>
public static class ProxyHeaderReader
{
    private const int FixedPart = 16;
    private const int TlvHead = 3;
    private const byte Crc32c = 0x03; // PP2_TYPE_CRC32C

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> Word => "PROXY "u8;

    /// <summary>Reads the header at the front of what a peer has sent so far.</summary>
    public static ProxyHeaderResult Read(ReadOnlySpan<byte> bytes, out ProxyHeader header)
    {
        header = default;
        if (bytes.IsEmpty)
            return ProxyHeaderResult.Incomplete;
        bool isBinary = bytes[0] == Signature[0];
        ReadOnlySpan<byte> beginning = isBinary ? Signature : Word;
        int known = Math.Min(bytes.Length, beginning.Length);
        if (!bytes[..known].SequenceEqual(beginning[..known]))
            return ProxyHeaderResult.Missing;
        if (known < beginning.Length)
            return ProxyHeaderResult.Incomplete;
        return isBinary ? ReadV2(bytes, out header) : ReadV1(bytes, out header);
    }

    private static ProxyHeaderResult ReadV1(ReadOnlySpan<byte> bytes, out ProxyHeader header)
    {
        header = default;
        int end = bytes[..Math.Min(bytes.Length, ProxyHeader.LongestV1)].IndexOf("\r\n"u8);
        if (end < 0)
            return bytes.Length < ProxyHeader.LongestV1 ? ProxyHeaderResult.Incomplete : ProxyHeaderResult.TooLong;
        ReadOnlySpan<byte> rest = bytes[Word.Length..end];
        ReadOnlySpan<byte> family = Take(ref rest);
        header = new(end + 2);
        if (family.SequenceEqual("UNKNOWN"u8))
            return ProxyHeaderResult.Complete; // whatever follows is to be ignored
        bool isIpv4 = family.SequenceEqual("TCP4"u8);
        if (!isIpv4 && !family.SequenceEqual("TCP6"u8))
            return ProxyHeaderResult.Malformed;
        if (!AddressText.TryRead(Take(ref rest), isIpv4, out ulong sourceHigh, out ulong sourceLow)
            || !AddressText.TryRead(Take(ref rest), isIpv4, out ulong destinationHigh, out ulong destinationLow)
            || !TryReadPort(Take(ref rest), out ushort sourcePort)
            || !TryReadPort(rest, out ushort destinationPort))
            return ProxyHeaderResult.Malformed;
        header = header with
        {
            HasAddresses = true,
            Source = Plain(new(sourceHigh, sourceLow, sourcePort, isIpv4)),
            Destination = Plain(new(destinationHigh, destinationLow, destinationPort, isIpv4)),
        };
        return ProxyHeaderResult.Complete;
    }

    /// <summary>What stands before the next space; the whole rest where there is none.</summary>
    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest)
    {
        int space = rest.IndexOf((byte)' ');
        ReadOnlySpan<byte> field = space < 0 ? rest : rest[..space];
        rest = space < 0 ? [] : rest[(space + 1)..];
        return field;
    }

    private static bool TryReadPort(ReadOnlySpan<byte> text, out ushort port)
    {
        bool isNumber = AddressText.TryReadDecimal(text, most: ushort.MaxValue, out uint number);
        port = (ushort)number;
        return isNumber;
    }

    private static ProxyHeaderResult ReadV2(ReadOnlySpan<byte> bytes, out ProxyHeader header)
    {
        header = default;
        if (bytes.Length < FixedPart)
            return ProxyHeaderResult.Incomplete;
        (int version, int command) = (bytes[12] >> 4, bytes[12] & 0xF);
        (int family, int transport) = (bytes[13] >> 4, bytes[13] & 0xF);
        if (version != 2 || command > 1 || family > 3 || transport > 2)
            return ProxyHeaderResult.Malformed;
        int length = FixedPart + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (length > ProxyHeader.LongestV2)
            return ProxyHeaderResult.TooLong;
        if (bytes.Length < length)
            return ProxyHeaderResult.Incomplete;

        header = new(length);
        if (command == 0)
            return ProxyHeaderResult.Complete; // LOCAL: the peer speaks for itself, and what it says of addresses is to be ignored
        int addresses = family switch { 1 => 12, 2 => 36, 3 => 216, _ => 0 };
        if (length < FixedPart + addresses)
            return ProxyHeaderResult.Malformed;
        ProxyHeaderResult tlvs = Skip(bytes[..length], FixedPart + addresses);
        if (tlvs == ProxyHeaderResult.Complete && (family is 1 or 2) && transport == 1)
            header = WithAddresses(header, bytes[FixedPart..], isIpv4: family == 1);
        return tlvs;
    }

    private static ProxyHeader WithAddresses(ProxyHeader header, ReadOnlySpan<byte> block, bool isIpv4)
    {
        int size = isIpv4 ? 4 : 16;
        return header with
        {
            HasAddresses = true,
            Source = At(block, size, block[(2 * size)..]),
            Destination = At(block[size..], size, block[((2 * size) + 2)..]),
        };
    }

    private static ClientAddress At(ReadOnlySpan<byte> address, int size, ReadOnlySpan<byte> port) =>
        Plain(ClientAddress.Of(address[..size], BinaryPrimitives.ReadUInt16BigEndian(port)));

    /// <summary>Goes over the TLVs. §2.2.4: a checksum, if there is one, must fit.</summary>
    private static ProxyHeaderResult Skip(ReadOnlySpan<byte> header, int at)
    {
        while (at < header.Length)
        {
            if (header.Length - at < TlvHead)
                return ProxyHeaderResult.Malformed;
            int size = BinaryPrimitives.ReadUInt16BigEndian(header[(at + 1)..]);
            int value = at + TlvHead;
            if (header.Length - value < size)
                return ProxyHeaderResult.Malformed;
            if (header[at] == Crc32c && (size != 4 || Checksum(header, value) != BinaryPrimitives.ReadUInt32BigEndian(header[value..])))
                return ProxyHeaderResult.WrongChecksum;
            at = value + size;
        }

        return ProxyHeaderResult.Complete;
    }

    /// <summary>Of the whole header, with zeros where the checksum itself stands.</summary>
    private static uint Checksum(ReadOnlySpan<byte> header, int itself)
    {
        uint checksum = uint.MaxValue;
        for (int i = 0; i < header.Length; i++)
            checksum = BitOperations.Crc32C(checksum, i >= itself && i < itself + 4 ? (byte)0 : header[i]);
        return ~checksum;
    }

    private static ClientAddress Plain(in ClientAddress address) =>
        address is { IsIpv4: false, High: 0 } && address.Low >> 32 == AddressText.MappedIpv4 ? new(0, (uint)address.Low, address.Port, IsIpv4: true) : address;
}
