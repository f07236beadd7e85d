using System.Buffers.Binary;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Checksums;

/// <summary>Packets with everything random that a checksum covers, and right checksums. The same seed, the same packets. Allocates nothing.</summary>
internal sealed class RandomPackets(Random random)
{
    public const byte Icmp = 1, Tcp = 6, Udp = 17, Icmpv6 = 58;
    public const byte Ack = 0x10, Syn = 0x02, SynAck = 0x12;
    private const int Ethernet = 14;

    private static ReadOnlySpan<byte> Macs => [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

    /// <summary>TCP or UDP between two ends.</summary>
    /// <param name="frame">Where it is written.</param>
    /// <param name="source">Address, 4 or 16 bytes.</param>
    /// <param name="destination">Address of the same family.</param>
    /// <param name="checksum">UDP over IPv4 only: false writes 0.</param>
    /// <param name="payload">Bytes, random.</param>
    /// <returns>The frame's length.</returns>
    public int Write(Span<byte> frame, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, byte protocol, ushort sourcePort, ushort destinationPort, byte flags, bool checksum, int payload)
    {
        int header = protocol == Tcp ? 20 : 8;
        Span<byte> segment = WriteIp(frame, source, destination, protocol, header + payload);
        random.NextBytes(segment);
        BinaryPrimitives.WriteUInt16BigEndian(segment, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(segment[2..], destinationPort);
        if (protocol == Tcp)
            (segment[12], segment[13]) = (0x50, flags);
        else
            BinaryPrimitives.WriteUInt16BigEndian(segment[4..], (ushort)segment.Length);
        Seal(segment, source, destination, protocol, protocol == Tcp ? 16 : 6, checksum || protocol != Udp || source.Length > 4);
        return Ethernet + Headers(source) + segment.Length;
    }

    /// <summary>An echo request.</summary>
    /// <inheritdoc cref="Write" />
    public int WriteEcho(Span<byte> frame, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, int payload)
    {
        bool isIpv4 = source.Length == 4;
        Span<byte> segment = WriteIp(frame, source, destination, isIpv4 ? Icmp : Icmpv6, 8 + payload);
        random.NextBytes(segment);
        (segment[0], segment[1]) = (isIpv4 ? (byte)8 : (byte)128, 0);
        Seal(segment, source, destination, isIpv4 ? Icmp : Icmpv6, 2, true);
        return Ethernet + Headers(source) + segment.Length;
    }

    /// <summary>A router's error about a packet.</summary>
    /// <param name="quoted">As much of the packet as the router quotes, from its IP header on.</param>
    /// <inheritdoc cref="Write" />
    public int WriteError(Span<byte> frame, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> quoted)
    {
        bool isIpv4 = source.Length == 4;
        Span<byte> segment = WriteIp(frame, source, destination, isIpv4 ? Icmp : Icmpv6, 8 + quoted.Length);
        BinaryPrimitives.WriteUInt32BigEndian(segment[4..], (uint)random.Next(0x10000));
        (segment[0], segment[1]) = isIpv4 ? (random.Next(2) == 0 ? (byte)3 : (byte)11, (byte)0) : ((byte)random.Next(1, 4), (byte)0);
        quoted.CopyTo(segment[8..]);
        Seal(segment, source, destination, isIpv4 ? Icmp : Icmpv6, 2, true);
        return Ethernet + Headers(source) + segment.Length;
    }

    private static int Headers(ReadOnlySpan<byte> address) => address.Length == 4 ? 20 : 40;

    private Span<byte> WriteIp(Span<byte> frame, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, byte protocol, int length)
    {
        Macs.CopyTo(frame);
        Span<byte> ip = frame[Ethernet..];
        random.NextBytes(ip[..40]);
        if (source.Length == 4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + length));
            BinaryPrimitives.WriteUInt16BigEndian(ip[6..], 0x4000);
            (ip[0], ip[8], ip[9], ip[10], ip[11]) = (0x45, (byte)random.Next(2, 256), protocol, 0, 0);
            source.CopyTo(ip[12..]);
            destination.CopyTo(ip[16..]);
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Of(ip[..20]));
            return ip.Slice(20, length);
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x86DD);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)length);
        (ip[0], ip[6], ip[7]) = ((byte)(0x60 | (ip[0] & 15)), protocol, (byte)random.Next(2, 256));
        source.CopyTo(ip[8..]);
        destination.CopyTo(ip[24..]);
        return ip.Slice(40, length);
    }

    private static void Seal(Span<byte> segment, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, byte protocol, int at, bool checksum)
    {
        Span<byte> addresses = stackalloc byte[source.Length * 2];
        source.CopyTo(addresses);
        destination.CopyTo(addresses[source.Length..]);
        segment.Slice(at, 2).Clear();
        if (!checksum)
            return;
        ushort sum = protocol == Icmp ? InternetChecksum.Of(segment) : InternetChecksum.OfTransport(addresses, protocol, segment);
        BinaryPrimitives.WriteUInt16BigEndian(segment[at..], sum == 0 && protocol == Udp ? (ushort)0xFFFF : sum);
    }
}
