using System.Buffers.Binary;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Checksums;

/// <summary>
/// Every checksum in a frame, of all layers and of what an ICMP error quotes, compared with one computed from all its bytes. Allocates nothing. Knows
/// the packets of <see cref="RandomPackets" /> and what the datapath makes of them.
/// </summary>
internal static class FullRecomputation
{
    private const byte Icmp = 1, Ipip = 4, Tcp = 6, Udp = 17, Ipv6 = 41, Gre = 47, Icmpv6 = 58;
    private const ushort GuePort = 6080;

    /// <summary>What is wrong with a frame; null: every checksum is right.</summary>
    public static string? WhatIsWrong(ReadOnlySpan<byte> frame) => OfPacket(frame[14..], isQuoted: false);

    private static string? OfPacket(ReadOnlySpan<byte> packet, bool isQuoted)
    {
        if (packet[0] >> 4 == 6)
            return OfIpv6(packet, isQuoted);
        int header = (packet[0] & 15) * 4, length = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (InternetChecksum.Of(packet[..header]) != 0)
            return isQuoted ? "the quoted IPv4 header's" : "the IPv4 header's";
        if (length > packet.Length)
            return isQuoted ? null : "the IPv4 length";
        return OfSegment(packet[9], packet[12..20], packet[header..length]);
    }

    private static string? OfIpv6(ReadOnlySpan<byte> packet, bool isQuoted)
    {
        int length = 40 + BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        if (length > packet.Length)
            return isQuoted ? null : "the IPv6 length";
        return OfSegment(packet[6], packet[8..40], packet[40..length]);
    }

    private static string? OfSegment(byte protocol, ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> segment)
    {
        switch (protocol)
        {
            case Tcp:
                return InternetChecksum.OfTransport(addresses, Tcp, segment) == 0 ? null : "TCP's";
            case Udp:
                return OfUdp(addresses, segment);
            case Icmp:
                return InternetChecksum.Of(segment) != 0 ? "ICMP's" : segment[0] is 3 or 11 ? OfPacket(segment[8..], isQuoted: true) : null;
            case Icmpv6:
                return InternetChecksum.OfTransport(addresses, Icmpv6, segment) != 0 ? "ICMPv6's" : segment[0] < 128 ? OfPacket(segment[8..], isQuoted: true) : null;
            case Ipip or Ipv6:
                return OfPacket(segment, isQuoted: false);
            case Gre:
                return OfPacket(segment[4..], isQuoted: false);
            default:
                return $"protocol {protocol} is not one of ours";
        }
    }

    private static string? OfUdp(ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> segment)
    {
        bool hasNone = segment[6] == 0 && segment[7] == 0;
        if (hasNone && addresses.Length > 8)
            return "UDP over IPv6 without one";
        if (!hasNone && InternetChecksum.OfTransport(addresses, Udp, segment) != 0)
            return "UDP's";
        return BinaryPrimitives.ReadUInt16BigEndian(segment[2..]) == GuePort ? OfPacket(segment[8..], isQuoted: false) : null;
    }
}
