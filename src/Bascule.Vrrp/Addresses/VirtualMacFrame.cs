using System.Buffers.Binary;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Addresses;

/// <summary>
/// The frame of a multicast advertisement from the virtual MAC: what tells switches where it is. RFC 9568 §7.2. Sent past the kernel's own stack,
/// which would send it from the MAC of the interface.
/// <code>
/// | to the group's MAC 6 | virtual MAC 6 | EtherType 2 | IPv4 20 or IPv6 40 | message |
/// </code>
/// </summary>
internal static class VirtualMacFrame
{
    /// <summary>The longest there is around a message.</summary>
    public const int MaxOverhead = 14 + 40;

    private const byte Protocol = 112, HopLimit = 255; // RFC 9568 §5.1
    private const byte InternetworkControl = 0xC0;     // class selector 6, as keepalived and routers send it

    /// <summary>Writes it. Allocates nothing.</summary>
    /// <param name="mac">The six bytes of the virtual MAC.</param>
    /// <param name="source">Four or sixteen bytes.</param>
    /// <param name="group">224.0.0.18 or ff02::12.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(ReadOnlySpan<byte> mac, ReadOnlySpan<byte> source, ReadOnlySpan<byte> group, ReadOnlySpan<byte> message, Span<byte> frame)
    {
        bool isIpv6 = source.Length == 16;
        ReadOnlySpan<byte> prefix = isIpv6 ? [0x33, 0x33] : [0x01, 0x00, 0x5E]; // RFC 2464 §7, RFC 1112 §6.4
        prefix.CopyTo(frame);
        group[^(6 - prefix.Length)..].CopyTo(frame[prefix.Length..]);
        mac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], isIpv6 ? PacketSocket.Ipv6 : PacketSocket.Ipv4);
        Span<byte> packet = frame[14..];
        int header = isIpv6 ? WriteIpv6(packet, message.Length, source, group) : WriteIpv4(packet, message.Length, source, group);
        message.CopyTo(packet[header..]);
        return 14 + header + message.Length;
    }

    private static int WriteIpv4(Span<byte> packet, int length, ReadOnlySpan<byte> source, ReadOnlySpan<byte> group)
    {
        packet[..20].Clear();
        packet[0] = 0x45;
        packet[1] = InternetworkControl;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(20 + length));
        packet[6] = 0x40; // do not fragment: then the identification may be 0, RFC 6864 §4.1
        packet[8] = HopLimit;
        packet[9] = Protocol;
        source.CopyTo(packet[12..]);
        group.CopyTo(packet[16..]);
        uint sum = 0;
        for (int i = 0; i < 20; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        sum = (sum & 0xFFFF) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~(sum + (sum >> 16)));
        return 20;
    }

    private static int WriteIpv6(Span<byte> packet, int length, ReadOnlySpan<byte> source, ReadOnlySpan<byte> group)
    {
        packet[..8].Clear();
        packet[0] = 0x60 | (InternetworkControl >> 4);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)length);
        packet[6] = Protocol;
        packet[7] = HopLimit;
        source.CopyTo(packet[8..]);
        group.CopyTo(packet[24..]);
        return 40;
    }
}
