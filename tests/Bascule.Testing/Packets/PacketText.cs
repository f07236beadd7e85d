using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Bascule.Testing.Packets;

/// <summary>A frame in words, for the message of a test that failed, and whether its checksums are right.</summary>
public static class PacketText
{
    /// <summary>One line: the layers, from the outside in; a wrong checksum is named.</summary>
    public static string Describe(ReadOnlySpan<byte> frame)
    {
        StringBuilder text = new();
        if (frame.Length < 14)
            return $"{frame.Length} bytes";
        text.Append($"eth {Mac(frame[6..12])} > {Mac(frame[..6])}");
        int at = 12;
        int type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        while (type is 0x8100 or 0x88A8 && frame.Length >= at + 6)
        {
            text.Append($" / vlan {BinaryPrimitives.ReadUInt16BigEndian(frame[(at + 2)..]) & 0xFFF}");
            at += 4;
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        }

        AppendNetwork(text, type, frame[(at + 2)..]);
        return text.ToString();
    }

    /// <summary>Whether every checksum in the frame, of all layers, is that of all its bytes. UDP over IPv4 may have none.</summary>
    public static bool HasRightChecksums(ReadOnlySpan<byte> frame) => !Describe(frame).Contains("WRONG", StringComparison.Ordinal);

    private static void AppendNetwork(StringBuilder text, int type, ReadOnlySpan<byte> packet)
    {
        if (type == 0x0800 && packet.Length >= 20)
            AppendIpv4(text, packet);
        else if (type == 0x86DD && packet.Length >= 40)
            AppendIpv6(text, packet);
        else
            text.Append($" / type {type:x4}, {packet.Length} bytes");
    }

    private static void AppendIpv4(StringBuilder text, ReadOnlySpan<byte> packet)
    {
        int header = (packet[0] & 15) * 4, length = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        int flags = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]), offset = (flags & 0x1FFF) * 8;
        if (header < 20 || header > length || length > packet.Length)
        {
            text.Append($" / ipv4 CUT: header {header}, length {length} of {packet.Length} bytes");
            return;
        }

        text.Append($" / ipv4 {new IPAddress(packet[12..16])} > {new IPAddress(packet[16..20])} ttl {packet[8]} tos {packet[1]:x2} id {BinaryPrimitives.ReadUInt16BigEndian(packet[4..]):x4}");
        text.Append((flags & 0x4000) != 0 ? " df" : "").Append(header > 20 ? $" options {header - 20}" : "");
        text.Append(InternetChecksum.Of(packet[..header]) == 0 ? "" : " WRONG checksum");
        AppendTransport(text, packet[9], packet[12..20], packet[header..length], offset, (flags & 0x2000) != 0);
    }

    private static void AppendIpv6(StringBuilder text, ReadOnlySpan<byte> packet)
    {
        uint first = BinaryPrimitives.ReadUInt32BigEndian(packet);
        int length = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]), offset = 0;
        bool more = false;
        byte next = packet[6];
        text.Append($" / ipv6 {new IPAddress(packet[8..24])} > {new IPAddress(packet[24..40])} hop limit {packet[7]} class {(byte)(first >> 20):x2} label {first & 0xFFFFF:x}");
        if (40 + length > packet.Length)
        {
            text.Append($" CUT: length {length} of {packet.Length - 40} bytes");
            return;
        }

        ReadOnlySpan<byte> rest = packet.Slice(40, length);
        while (next is 0 or 43 or 44 or 60 && rest.Length >= 8)
        {
            text.Append($" / extension {next}");
            if (next == 44)
                (offset, more) = (BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) & ~7, (rest[3] & 1) != 0);
            int size = next == 44 ? 8 : (rest[1] + 1) * 8;
            next = rest[0];
            rest = rest[Math.Min(size, rest.Length)..];
        }

        AppendTransport(text, next, packet[8..40], rest, offset, more);
    }

    private static void AppendTransport(StringBuilder text, byte protocol, ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> bytes, int offset, bool more)
    {
        if (offset > 0 || more)
            text.Append($" / fragment of protocol {protocol} at {offset}{(more ? ", more follow" : "")}");
        if (offset > 0)
        {
            text.Append($" / {bytes.Length} bytes");
            return;
        }

        bool whole = !more;
        switch (protocol)
        {
            case 4:
                AppendNetwork(text, 0x0800, bytes);
                break;
            case 41:
                AppendNetwork(text, 0x86DD, bytes);
                break;
            case 6 when bytes.Length >= 20:
                text.Append($" / tcp {Ports(bytes)} [{(TcpFlag)bytes[13]}] seq {BinaryPrimitives.ReadUInt32BigEndian(bytes[4..])}");
                text.Append(whole && InternetChecksum.OfTransport(addresses, 6, bytes) != 0 ? " WRONG checksum" : "");
                text.Append($" / {bytes.Length - ((bytes[12] >> 4) * 4)} bytes");
                break;
            case 17 when bytes.Length >= 8:
                AppendUdp(text, addresses, bytes, whole);
                break;
            case 1 when bytes.Length >= 8:
                text.Append($" / icmp type {bytes[0]} code {bytes[1]} rest {BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]):x8}");
                text.Append(whole && InternetChecksum.Of(bytes) != 0 ? " WRONG checksum" : "").Append($" / {bytes.Length - 8} bytes");
                break;
            case 58 when bytes.Length >= 8:
                text.Append($" / icmpv6 type {bytes[0]} code {bytes[1]} rest {BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]):x8}");
                text.Append(whole && InternetChecksum.OfTransport(addresses, 58, bytes) != 0 ? " WRONG checksum" : "").Append($" / {bytes.Length - 8} bytes");
                break;
            case 47 when bytes.Length >= 4:
                text.Append(" / gre");
                AppendNetwork(text, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), bytes[4..]);
                break;
            default:
                text.Append($" / protocol {protocol}, {bytes.Length} bytes");
                break;
        }
    }

    private static void AppendUdp(StringBuilder text, ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> bytes, bool whole)
    {
        text.Append($" / udp {Ports(bytes)}");
        bool none = bytes[6] == 0 && bytes[7] == 0;
        if (whole && (none ? addresses.Length > 8 : InternetChecksum.OfTransport(addresses, 17, bytes) != 0))
            text.Append(" WRONG checksum");
        text.Append(none ? " no checksum" : "");
        bool isTunnel = bytes.Length >= 28 && BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) == 6080;
        if (isTunnel)
            AppendNetwork(text, bytes[8] >> 4 == 4 ? 0x0800 : 0x86DD, bytes[8..]);
        else
            text.Append($" / {bytes.Length - 8} bytes");
    }

    private static string Ports(ReadOnlySpan<byte> bytes) => $"{BinaryPrimitives.ReadUInt16BigEndian(bytes)} > {BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])}";

    private static string Mac(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
