using System.Buffers.Binary;

namespace Bascule.Kernel.Tests.Fuzz;

/// <summary>
/// Whether the lengths and versions in a frame agree with each other and with the frame, down to TCP, UDP and ICMP. Written from the RFCs,
/// not from bpf/parse.h: what is unsound by this must not change any state there.
/// </summary>
internal static class Soundness
{
    private const byte HopByHop = 0, Icmp = 1, Tcp = 6, Udp = 17, Routing = 43, Fragment = 44, Icmpv6 = 58, DestinationOptions = 60;

    public static bool IsUnsound(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 14)
            return true;
        int at = 12;
        int type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        for (int tags = 0; tags < 2 && type is 0x8100 or 0x88A8; tags++, at += 4)
        {
            if (frame.Length < at + 6)
                return true;
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[(at + 4)..]);
        }

        ReadOnlySpan<byte> packet = frame[(at + 2)..];
        return type switch
        {
            0x0800 => Ipv4IsUnsound(packet),
            0x86DD => Ipv6IsUnsound(packet),
            _ => true, // not ours in any case
        };
    }

    private static bool Ipv4IsUnsound(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 20 || packet[0] >> 4 != 4)
            return true;
        int header = (packet[0] & 15) * 4, length = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (header < 20 || length < header || length > packet.Length)
            return true;
        int fragment = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        bool later = (fragment & 0x1FFF) != 0, whole = (fragment & 0x3FFF) == 0;
        return !later && TransportIsUnsound(packet[9], packet[header..length], whole, Icmp);
    }

    private static bool Ipv6IsUnsound(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 40 || packet[0] >> 4 != 6)
            return true;
        int length = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        if (40 + length > packet.Length)
            return true;
        ReadOnlySpan<byte> rest = packet.Slice(40, length);
        byte next = packet[6];
        bool whole = true;
        while (next is HopByHop or Routing or Fragment or DestinationOptions)
        {
            if (rest.Length < 8)
                return true;
            int size = next == Fragment ? 8 : (rest[1] + 1) * 8;
            if (next == Fragment)
            {
                int offset = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
                if ((offset & 0xFFF8) != 0)
                    return false; // a later fragment: all that can be asked
                whole &= (offset & 1) == 0;
            }

            if (size > rest.Length)
                return true;
            next = rest[0];
            rest = rest[size..];
        }

        return TransportIsUnsound(next, rest, whole, Icmpv6);
    }

    private static bool TransportIsUnsound(byte protocol, ReadOnlySpan<byte> segment, bool whole, byte icmp)
    {
        if (protocol == Tcp)
            return segment.Length < 20 || (segment[12] >> 4) * 4 < 20 || ((segment[12] >> 4) * 4 > segment.Length && whole);
        if (protocol == Udp)
            return segment.Length < 8 || BinaryPrimitives.ReadUInt16BigEndian(segment[4..]) is var length && (length < 8 || (whole && length > segment.Length));
        return protocol != icmp || segment.Length < 8;
    }
}
