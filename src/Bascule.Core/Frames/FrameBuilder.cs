using System.Buffers.Binary;
using System.Net.Sockets;

namespace Bascule.Core.Frames;

/// <summary>Makes the whole frame of a packet, checksums included, as it would come in on an Ethernet interface.</summary>
public static class FrameBuilder
{
    private const int EthernetLength = 14;
    private const int TtlOfOthers = 63; // as if one router had been passed

    /// <summary>The frame, without payload.</summary>
    /// <param name="destination">MAC address of the interface it comes in on: 6 bytes.</param>
    /// <param name="source">MAC address of who sent it last: 6 bytes.</param>
    public static byte[] Build(PacketText packet, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> source)
    {
        bool isIPv4 = packet.Source.AddressFamily == AddressFamily.InterNetwork;
        byte[] transport = Transport(packet, isIPv4);
        byte[] network = isIPv4 ? IPv4(packet, transport.Length) : IPv6(packet, transport.Length);
        byte[] ethernet = new byte[EthernetLength];
        destination.CopyTo(ethernet);
        source.CopyTo(ethernet.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(ethernet.AsSpan(12), isIPv4 ? (ushort)0x0800 : (ushort)0x86DD);
        return [.. ethernet, .. network, .. transport];
    }

    private static byte[] IPv4(PacketText packet, int length)
    {
        byte[] header = new byte[20];
        header[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(header.Length + length));
        header[6] = 0x40; // don't fragment
        header[8] = TtlOfOthers;
        header[9] = ProtocolNumber(packet.Protocol, isIPv4: true);
        packet.Source.Address.TryWriteBytes(header.AsSpan(12), out _);
        packet.Destination.Address.TryWriteBytes(header.AsSpan(16), out _);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), Checksum(0, header));
        return header;
    }

    private static byte[] IPv6(PacketText packet, int length)
    {
        byte[] header = new byte[40];
        header[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)length);
        header[6] = ProtocolNumber(packet.Protocol, isIPv4: false);
        header[7] = TtlOfOthers;
        packet.Source.Address.TryWriteBytes(header.AsSpan(8), out _);
        packet.Destination.Address.TryWriteBytes(header.AsSpan(24), out _);
        return header;
    }

    private static byte[] Transport(PacketText packet, bool isIPv4)
    {
        (byte[] header, int checksumAt) = packet.Protocol switch
        {
            PacketProtocol.Tcp => (Tcp(packet), 16),
            PacketProtocol.Udp => (Udp(packet), 6),
            PacketProtocol.Icmp => (Echo(isIPv4), 2),
        };
        // ICMP for IPv4 alone has no pseudo-header. RFC 792, RFC 4443 §2.3.
        uint pseudo = packet.Protocol == PacketProtocol.Icmp && isIPv4 ? 0 : PseudoHeader(packet, header.Length, isIPv4);
        ushort checksum = Checksum(pseudo, header);
        if (packet.Protocol == PacketProtocol.Udp && checksum == 0)
            checksum = 0xFFFF; // 0 would say "none". RFC 768
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(checksumAt), checksum);
        return header;
    }

    private static byte[] Tcp(PacketText packet)
    {
        byte[] header = new byte[20];
        WritePorts(packet, header);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), 1);
        header[12] = 0x50;
        header[13] = (byte)packet.Flags;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(14), 65_535);
        return header;
    }

    private static byte[] Udp(PacketText packet)
    {
        byte[] header = new byte[8];
        WritePorts(packet, header);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)header.Length);
        return header;
    }

    private static byte[] Echo(bool isIPv4) => [isIPv4 ? (byte)8 : (byte)128, 0, 0, 0, 0, 1, 0, 1]; // identifier 1, number 1

    private static void WritePorts(PacketText packet, Span<byte> header)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)packet.Source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)packet.Destination.Port);
    }

    private static byte ProtocolNumber(PacketProtocol protocol, bool isIPv4) => protocol switch
    {
        PacketProtocol.Tcp => 6,
        PacketProtocol.Udp => 17,
        PacketProtocol.Icmp => isIPv4 ? (byte)1 : (byte)58,
    };

    private static uint PseudoHeader(PacketText packet, int length, bool isIPv4)
    {
        Span<byte> addresses = stackalloc byte[32];
        packet.Source.Address.TryWriteBytes(addresses, out int size);
        packet.Destination.Address.TryWriteBytes(addresses[size..], out _);
        return Sum(0, addresses[..(2 * size)]) + (uint)length + ProtocolNumber(packet.Protocol, isIPv4);
    }

    /// <summary>The Internet checksum. RFC 1071.</summary>
    private static ushort Checksum(uint sum, ReadOnlySpan<byte> bytes)
    {
        sum = Sum(sum, bytes);
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    // Headers have even lengths, so no last byte is left over.
    private static uint Sum(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        return sum;
    }
}
