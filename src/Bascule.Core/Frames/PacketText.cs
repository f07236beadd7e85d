using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Bascule.Core.Frames;

/// <summary>What a packet carries, as far as a director looks.</summary>
public enum PacketProtocol
{
    /// <summary>A TCP segment.</summary>
    Tcp,

    /// <summary>A UDP datagram.</summary>
    Udp,

    /// <summary>An ICMP or ICMPv6 echo request.</summary>
    Icmp,
}

/// <summary>Flags of a TCP segment, as they stand in its header. RFC 9293 §3.1.</summary>
[Flags]
public enum TcpFlags
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>No more data from the sender.</summary>
    Fin = 1,

    /// <summary>Begins a connection.</summary>
    Syn = 2,

    /// <summary>Resets it.</summary>
    Rst = 4,

    /// <summary>Hands what is there to the receiver at once.</summary>
    Psh = 8,

    /// <summary>Acknowledges.</summary>
    Ack = 16,
}

/// <summary>A packet as a person writes it: <c>tcp 198.51.100.7:4242 > 192.0.2.10:80</c>.</summary>
/// <param name="Protocol">What it carries.</param>
/// <param name="Source">Who sends it; port 0 for ICMP.</param>
/// <param name="Destination">To whom, of the same family; port 0 for ICMP.</param>
/// <param name="Flags">TCP's flags; none for the others.</param>
public sealed record PacketText(PacketProtocol Protocol, IPEndPoint Source, IPEndPoint Destination, TcpFlags Flags)
{
    /// <summary>What to write, for sentences about what was written.</summary>
    public const string Example = "\"tcp 198.51.100.7:4242 > 192.0.2.10:80\"";

    private const int Longest = 200;

    /// <summary>Understands the text of a packet and the list of its flags.</summary>
    /// <param name="text">Protocol, source, <c>&gt;</c>, destination. White space is free.</param>
    /// <param name="flags">TCP flags such as <c>syn</c> or <c>syn,ack</c>; null: <c>syn</c> for tcp, none for the others.</param>
    /// <param name="complaint">What is wrong and what to write instead, when the result is null.</param>
    public static PacketText? Parse(string text, string? flags, out string? complaint)
    {
        string[] words = text.Length > Longest ? [] : text.Replace(">", " > ", StringComparison.Ordinal).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 4 || words[2] != ">")
        {
            complaint = $"a packet is written as PROTOCOL SOURCE > DESTINATION, such as {Example}";
            return null;
        }

        if (ProtocolOf(words[0]) is not { } protocol)
        {
            complaint = $"there is no protocol {Quoted(words[0])} (there are tcp, udp and icmp)";
            return null;
        }

        IPEndPoint? destination = null;
        TcpFlags set = TcpFlags.None;
        complaint = Read(words[1], "source", protocol, out IPEndPoint? source) ?? Read(words[3], "destination", protocol, out destination) ?? ReadFlags(flags, protocol, out set);
        if (complaint is not null)
            return null;
        if (source!.AddressFamily == destination!.AddressFamily)
            return new(protocol, source, destination, set);
        complaint = $"{source.Address} is {FamilyOf(source)} and {destination.Address} is {FamilyOf(destination)} (one packet has addresses of one family)";
        return null;
    }

    /// <summary>As <see cref="Parse"/> reads it, with the flags in brackets where there are any.</summary>
    public override string ToString()
    {
        string flags = Flags == TcpFlags.None ? "" : $" [{Flags.ToString().ToLowerInvariant()}]";
        return Protocol == PacketProtocol.Icmp
            ? $"icmp {Source.Address} > {Destination.Address}"
            : $"{(Protocol == PacketProtocol.Tcp ? "tcp" : "udp")} {Source} > {Destination}{flags}";
    }

    private static PacketProtocol? ProtocolOf(string word) => word.ToLowerInvariant() switch
    {
        "tcp" => PacketProtocol.Tcp,
        "udp" => PacketProtocol.Udp,
        "icmp" or "icmp6" or "icmpv6" => PacketProtocol.Icmp,
        _ => null,
    };

    private static string? Read(string text, string what, PacketProtocol protocol, out IPEndPoint? endPoint)
    {
        endPoint = null;
        bool hasPort = protocol != PacketProtocol.Icmp;
        if (text.Contains('%', StringComparison.Ordinal))
            return $"the {what} {Quoted(text)} has a zone, which no packet carries (leave it out)";
        if (!hasPort)
        {
            if (!IPAddress.TryParse(text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text, out IPAddress? ip) || text.All(char.IsAsciiDigit))
                return $"the {what} {Quoted(text)} is not an IP address (icmp has no ports: write {(what == "source" ? "198.51.100.7" : "192.0.2.10")})";
            endPoint = new(ip, 0);
            return null;
        }

        int colon = text.LastIndexOf(':');
        if (colon < 0 || (text.Contains(']', StringComparison.Ordinal) ? text[colon - 1] != ']' : text.Count(c => c == ':') > 1))
            return $"the {what} {Quoted(text)} has no port (write {(text.Contains(':', StringComparison.Ordinal) && !text.StartsWith('[') ? $"[{text}]" : text)}:80, or another port)";
        string host = text[..colon];
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
            return $"the {what} {Quoted(text)} has no port that exists (ports are 1 to 65535)";
        bool isIPv6 = host.StartsWith('[') && host.EndsWith(']');
        if (!IPAddress.TryParse(isIPv6 ? host[1..^1] : host, out IPAddress? address)
            || (isIPv6 ? address.AddressFamily != AddressFamily.InterNetworkV6 : address.ToString() != host))
            return $"the {what} {Quoted(text)} is not an IP address with a port (names are not resolved)";
        endPoint = new(address, port);
        return null;
    }

    private static string? ReadFlags(string? text, PacketProtocol protocol, out TcpFlags flags)
    {
        flags = text is null && protocol == PacketProtocol.Tcp ? TcpFlags.Syn : TcpFlags.None;
        if (text is null)
            return null;
        if (protocol != PacketProtocol.Tcp)
            return "only tcp has flags (leave --flags out)";
        foreach (string word in text.Split([',', '+', '|'], StringSplitOptions.TrimEntries))
        {
            if (word.Length == 0 || word.Any(char.IsAsciiDigit) || !Enum.TryParse(word, ignoreCase: true, out TcpFlags one))
                return $"there is no flag {Quoted(word)} (there are syn, ack, fin, rst, psh and none; several with commas: syn,ack)";
            flags |= one;
        }

        return null;
    }

    private static string Quoted(string text) => $"`{new string([.. text.Take(60).Select(c => char.IsControl(c) ? '?' : c)])}`";

    private static string FamilyOf(IPEndPoint endPoint) => endPoint.AddressFamily == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
}
