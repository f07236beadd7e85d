using System.Buffers.Binary;

namespace Bascule.Testing.Packets;

/// <summary>The Internet checksum, RFC 1071, computed from all the bytes.</summary>
public static class InternetChecksum
{
    /// <summary>Over bytes in which the checksum's field is 0; over bytes with a right one it is 0.</summary>
    public static ushort Of(ReadOnlySpan<byte> bytes) => Folded(Sum(bytes));

    /// <summary>The same with the pseudo header of TCP, UDP and ICMPv6.</summary>
    /// <param name="addresses">Source and destination, as they stand in the header.</param>
    /// <param name="protocol">Its number.</param>
    /// <param name="bytes">From the transport header on.</param>
    public static ushort OfTransport(ReadOnlySpan<byte> addresses, byte protocol, ReadOnlySpan<byte> bytes) =>
        Folded(Sum(addresses) + protocol + (ulong)bytes.Length + Sum(bytes));

    private static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (; bytes.Length >= 2; bytes = bytes[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return bytes.IsEmpty ? sum : sum + ((ulong)bytes[0] << 8);
    }

    private static ushort Folded(ulong sum)
    {
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
