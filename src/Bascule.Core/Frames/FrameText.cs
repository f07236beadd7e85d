using System.Buffers.Binary;
using System.Net;

namespace Bascule.Core.Frames;

/// <summary>Says what a frame is, header by header, from the outside in. Any bytes have an answer; what is cut short says so.</summary>
public static class FrameText
{
    private const int MostHeaders = 12;

    /// <summary>One line a header: <c>Ethernet 02:00:00:00:00:01 > 02:00:00:00:00:02</c>, <c>IPv4 198.51.100.7 > 192.0.2.10 ttl 62</c>, <c>TCP 4242 > 80 [syn]</c>.</summary>
    /// <param name="guePort">UDP port behind which a bare IP packet follows; 0: none.</param>
    public static IReadOnlyList<string> Describe(ReadOnlySpan<byte> frame, int guePort)
    {
        List<string> lines = [];
        Header next = Header.Ethernet;
        while (next != Header.End && lines.Count < MostHeaders)
            next = Take(next, ref frame, guePort, lines);
        return lines;
    }

    /// <summary>What comes next.</summary>
    private enum Header
    {
        End,
        Ethernet,
        Vlan,
        IPv4,
        IPv6,
        Gre,
        Tcp,
        Udp,
        Icmp,
        BareIp,
    }

    private static Header Take(Header header, ref ReadOnlySpan<byte> rest, int guePort, List<string> lines)
    {
        (string name, int length) = header switch
        {
            Header.Ethernet => ("Ethernet", 14),
            Header.Vlan => ("VLAN", 4),
            Header.IPv4 => ("IPv4", 20),
            Header.IPv6 => ("IPv6", 40),
            Header.Gre => ("GRE", 4),
            Header.Tcp => ("TCP", 20),
            Header.Udp => ("UDP", 8),
            Header.Icmp => ("ICMP", 8),
            Header.BareIp => ("IP", 1),
            Header.End => ("", 0),
        };
        if (rest.Length < length)
        {
            lines.Add($"{name}, cut short after {rest.Length} bytes");
            return Header.End;
        }

        ReadOnlySpan<byte> bytes = rest;
        switch (header)
        {
            case Header.Ethernet:
                lines.Add($"Ethernet {Mac(bytes[6..])} > {Mac(bytes)}");
                rest = rest[length..];
                return OfEtherType(Word(bytes, 12));
            case Header.Vlan:
                lines.Add($"VLAN {Word(bytes, 0) & 0xFFF}");
                rest = rest[length..];
                return OfEtherType(Word(bytes, 2));
            case Header.IPv4:
                return TakeIPv4(ref rest, lines);
            case Header.IPv6:
                lines.Add($"IPv6 {new IPAddress(bytes[8..24])} > {new IPAddress(bytes[24..40])} hop limit {bytes[7]}");
                rest = rest[length..];
                return OfProtocol(bytes[6]);
            case Header.Gre:
                lines.Add("GRE");
                rest = rest[length..];
                return OfEtherType(Word(bytes, 2));
            case Header.Tcp:
                lines.Add($"TCP {Word(bytes, 0)} > {Word(bytes, 2)} [{((TcpFlags)(bytes[13] & 0x1F)).ToString().ToLowerInvariant()}]");
                return Header.End;
            case Header.Udp:
                bool isGue = guePort != 0 && Word(bytes, 2) == guePort;
                lines.Add($"UDP {Word(bytes, 0)} > {Word(bytes, 2)}{(isGue ? " (GUE)" : "")}");
                rest = rest[length..];
                return isGue ? Header.BareIp : Header.End;
            case Header.Icmp:
                lines.Add($"ICMP type {bytes[0]} code {bytes[1]}");
                return Header.End;
            case Header.BareIp:
                return (bytes[0] >> 4) switch { 4 => Header.IPv4, 6 => Header.IPv6, _ => Header.End };
            default:
                return Header.End;
        }
    }

    private static Header TakeIPv4(ref ReadOnlySpan<byte> rest, List<string> lines)
    {
        ReadOnlySpan<byte> bytes = rest;
        int length = (bytes[0] & 0xF) * 4;
        lines.Add($"IPv4 {new IPAddress(bytes[12..16])} > {new IPAddress(bytes[16..20])} ttl {bytes[8]}");
        if (length < 20 || length > bytes.Length)
            return Header.End;
        rest = rest[length..];
        return (Word(bytes, 6) & 0x1FFF) == 0 ? OfProtocol(bytes[9]) : Header.End;
    }

    private static Header OfEtherType(int type) => type switch
    {
        0x0800 => Header.IPv4,
        0x86DD => Header.IPv6,
        0x8100 or 0x88A8 => Header.Vlan,
        _ => Header.End,
    };

    private static Header OfProtocol(int protocol) => protocol switch
    {
        1 or 58 => Header.Icmp,
        4 => Header.IPv4,
        6 => Header.Tcp,
        17 => Header.Udp,
        41 => Header.IPv6,
        47 => Header.Gre,
        _ => Header.End,
    };

    private static int Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);

    private static string Mac(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes[..6]).Insert(10, ":").Insert(8, ":").Insert(6, ":").Insert(4, ":").Insert(2, ":");
}
