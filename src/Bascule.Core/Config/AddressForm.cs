using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>An address as written; the port may be left to what surrounds it.</summary>
internal sealed record WrittenAddress(IPAddress Ip, int? Port)
{
    /// <summary>With the port it has, or this one.</summary>
    public IPEndPoint WithPort(int otherwise) => new(Ip, Port ?? otherwise);
}

/// <summary>An IP address with a port: <c>192.0.2.10:80</c>, <c>[2001:db8::1]:80</c>. Names are not resolved.</summary>
internal sealed class AddressForm : ValueForm<WrittenAddress>
{
    private readonly bool _isListener;

    private AddressForm(bool isListener) => _isListener = isListener;

    /// <summary>Where clients connect: the port is required, and every address of a family is possible.</summary>
    public static AddressForm Listener { get; } = new(isListener: true);

    /// <summary>Where the director connects: the port may be left out.</summary>
    public static AddressForm RealServer { get; } = new(isListener: false);

    public override string Words => _isListener
        ? "an IP address and a port, such as 192.0.2.10:80 or \"[2001:db8::1]:80\""
        : "an IP address with or without a port, such as 10.0.0.11:8080 or \"[2001:db8::11]:8080\"";

    public override Complaint? Parse(string name, string text, [MaybeNull] out WrittenAddress value)
    {
        value = null;
        if (WrongShape(text) is { } wrong)
            return wrong;
        (string host, string? port) = Split(text);
        if (ParseHost(host, text, out IPAddress? ip) is { } wrongHost)
            return wrongHost;
        if (Unusable(ip!) is { } unusable)
            return new($"{Show.Quoted(text)} {unusable}", _isListener ? "write an address of this machine" : "write the address of one machine");
        if (ParsePort(port, text, out int? number) is { } wrongPort)
            return wrongPort;
        value = new(ip!, number);
        return null;
    }

    public override string Write(WrittenAddress value) =>
        value.Port switch
        {
            null => value.Ip.ToString(),
            0 => $"{new IPEndPoint(value.Ip, 0).ToString()[..^1]}*",
            { } port => new IPEndPoint(value.Ip, port).ToString(),
        };

    public override JsonObject Schema() => new()
    {
        ["type"] = "string",
        ["pattern"] = _isListener ? @"^(\*|[0-9.]+|\[[0-9A-Fa-f:.]+\]):([0-9]+|\*)$" : @"^([0-9.]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$",
    };

    /// <summary>Complaints about the whole text, before it is taken apart.</summary>
    private Complaint? WrongShape(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
            return new($"{Show.Quoted(text)} is a URL", "write only the IP address and the port, such as 192.0.2.10:80");
        if (text.Contains('%', StringComparison.Ordinal))
            return new($"{Show.Quoted(text)} has a zone, the part after `%`", "addresses with a zone are not supported; use one that is not link-local");
        if (text.Contains('/', StringComparison.Ordinal))
            return new($"{Show.Quoted(text)} has a `/` in it", "write one address, without prefix length or path");
        if (text.StartsWith('['))
            return text.Contains(']', StringComparison.Ordinal) ? null : new($"{Show.Quoted(text)} has no closing bracket", "write \"[2001:db8::1]:80\"");
        return text.Count(c => c == ':') > 1 ? WithoutBrackets(text) : null;
    }

    private Complaint WithoutBrackets(string text)
    {
        string what = $"{Show.Quoted(text)} is an IPv6 address without brackets, so its port cannot be told";
        if (IPAddress.TryParse(text, out _))
            return new(what, _isListener ? $"write \"[{text}]:80\"" : $"write \"[{text}]\" or \"[{text}]:80\"");
        int last = text.LastIndexOf(':');
        return IPAddress.TryParse(text[..last], out _)
            ? new(what, $"write \"[{text[..last]}]{Show.Safe(text[last..])}\"")
            : new($"{Show.Quoted(text)} is not an address", $"expected: {Words}");
    }

    /// <summary>Takes off the port. Only for texts of the right shape.</summary>
    private static (string Host, string? Port) Split(string text)
    {
        int colon = text.IndexOf(':', text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : 0);
        return colon < 0 ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }

    private Complaint? ParsePort(string? port, string text, out int? number)
    {
        number = null;
        if (port is null)
            return _isListener ? new($"{Show.Quoted(text)} has no port", $"write {Show.Safe(text)}:80, or another port") : null;
        if (port.Length == 0)
            return new($"{Show.Quoted(text)} ends with a colon but no port", "write a number from 1 to 65535 after it");
        if (port == "*" && _isListener)
        {
            number = 0; // every port
            return null;
        }

        if (!port.All(char.IsAsciiDigit))
            return new($"{Show.Quoted(text)} has the port {Show.Quoted(port)}, which is not a number", "write a number from 1 to 65535");
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) || parsed is 0 or > 65535)
            return new($"{Show.Quoted(text)} has the port {Show.Safe(port)}, which does not exist", "write a number from 1 to 65535");
        number = parsed;
        return null;
    }

    private Complaint? ParseHost(string host, string text, out IPAddress? ip)
    {
        ip = null;
        if (host == "*")
        {
            ip = IPAddress.Any;
            return _isListener ? null : new($"{Show.Quoted(text)} is every address", "write the address of one machine");
        }

        return host.StartsWith('[') ? ParseIPv6(host, text, out ip) : ParseIPv4(host, text, out ip);
    }

    private static Complaint? ParseIPv6(string host, string text, out IPAddress? ip)
    {
        ip = null;
        int close = host.IndexOf(']', StringComparison.Ordinal);
        if (close != host.Length - 1)
            return new($"{Show.Quoted(text)} has {Show.Quoted(host[(close + 1)..])} after its bracket", "after the bracket write a colon and the port");
        if (!IPAddress.TryParse(host.AsSpan(1, close - 1), out ip) || ip.AddressFamily != AddressFamily.InterNetworkV6)
            return new($"{Show.Quoted(text)} is not an IPv6 address", "write \"[2001:db8::1]:80\"; only IPv6 addresses have brackets");
        return ip.IsIPv4MappedToIPv6
            ? new($"{Show.Quoted(text)} is an IPv4 address written as IPv6", $"write {ip.MapToIPv4()} without brackets")
            : null;
    }

    private static Complaint? ParseIPv4(string host, string text, out IPAddress? ip)
    {
        ip = null;
        if (host.Length == 0)
            return new($"{Show.Quoted(text)} has no address before the port", "write \"*:80\" for every IPv4 address of this machine");
        if (text.All(char.IsAsciiDigit))
            return new($"{Show.Quoted(text)} is only a number", $"write an IP address and a port, such as 192.0.2.10:{Show.Safe(text)}");
        if (host.All(c => char.IsAsciiDigit(c) || c == '.'))
        {
            // IPAddress.Parse takes 10.1 for 10.0.0.1 and 010 for 8: both are more likely mistakes.
            return IPAddress.TryParse(host, out ip) && ip.ToString() == host
                ? null
                : new($"{Show.Quoted(text)} is not an IPv4 address", "write four numbers from 0 to 255 with dots between them, without leading zeros");
        }

        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return new($"{Show.Quoted(text)} is a name, and names are not resolved", "write 127.0.0.1 instead of localhost");
        return host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? new($"{Show.Quoted(text)} is a name, and names are not resolved", "write the IP address; `getent hosts NAME` shows it")
            : new($"{Show.Quoted(text)} is not an address", "write an IP address and a port, such as 192.0.2.10:80");
    }

    /// <summary>Why nothing can listen on, or connect to, this address; null when it can.</summary>
    private string? Unusable(IPAddress ip)
    {
        ImmutableArray<byte> bytes = [.. ip.GetAddressBytes()];
        bool isIPv4 = ip.AddressFamily == AddressFamily.InterNetwork;
        if (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any))
            return _isListener ? null : "is every address, which is nobody's";
        if (isIPv4 ? bytes[0] is >= 224 and < 240 : ip.IsIPv6Multicast)
            return "is a multicast address, and TCP does not speak multicast";
        if (ip.Equals(IPAddress.Broadcast))
            return "is the broadcast address, and TCP does not speak broadcast";
        if (isIPv4 && bytes[0] == 0)
            return "is in 0.0.0.0/8, which is nobody's by RFC 1122 §3.2.1.3";
        return ip.IsIPv6LinkLocal ? "is link-local, which needs a zone, and zones are not supported" : null;
    }
}
