using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>One IP address without a port: <c>10.0.0.1</c>, <c>2001:db8::1</c>.</summary>
internal sealed class IpForm : ValueForm<IPAddress>
{
    public override string Words => "an IP address, such as 10.0.0.1 or \"2001:db8::1\"";

    public override Complaint? Parse(string name, string text, [MaybeNull] out IPAddress value)
    {
        value = Read(text);
        if (value is null)
            return new($"`{name}: {Show.Safe(text)}` is not an IP address", $"expected: {Words}, without a port");
        return value.Equals(IPAddress.Any) || value.Equals(IPAddress.IPv6Any) || IPAddress.IsLoopback(value) || value.IsIPv6Multicast || value.IsIPv6LinkLocal
            ? new($"`{name}: {Show.Safe(text)}` cannot be the source of a packet to another machine", "write an address of one of this machine's interfaces")
            : null;
    }

    /// <summary>The address, or null when it is not exactly one. IPv6 may stand in brackets.</summary>
    public static IPAddress? Read(string text)
    {
        string bare = text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text;
        if (bare.Contains('%', StringComparison.Ordinal) || !IPAddress.TryParse(bare, out IPAddress? ip) || ip.IsIPv4MappedToIPv6)
            return null;
        // IPAddress.Parse takes 10.1 for 10.0.0.1 and 010 for 8: both are more likely mistakes.
        return ip.AddressFamily == AddressFamily.InterNetworkV6 || ip.ToString() == text ? ip : null;
    }

    public override string Write(IPAddress value) => value.ToString();

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = @"^([0-9.]+|\[?[0-9A-Fa-f:.]+\]?)$" };
}

/// <summary>Addresses that begin alike: <c>10.0.0.0/8</c>, <c>2001:db8::/32</c>, or one address.</summary>
internal sealed class PrefixForm : ValueForm<IPNetwork>
{
    public override string Words => "a prefix, such as 10.0.0.0/8 or \"2001:db8::/32\", or one address";

    public override Complaint? Parse(string name, string text, out IPNetwork value)
    {
        value = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (IpForm.Read(slash < 0 ? text : text[..slash]) is not { } ip)
            return new($"`{name}: {Show.Safe(text)}` is not a prefix", $"expected: {Words}");
        int bits = ip.GetAddressBytes().Length * 8;
        if (slash < 0)
        {
            value = new(ip, bits);
            return null;
        }

        if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int length) || length > bits)
            return new($"`{name}: {Show.Safe(text)}` has no prefix length after the slash", $"write a number from 0 to {bits}");
        IPAddress first = Masked(ip, length);
        if (!first.Equals(ip))
            return new($"`{name}: {Show.Safe(text)}` has bits set after the first {length}", $"write {first}/{length}, or {ip} for the one address");
        value = new(ip, length);
        return null;
    }

    private static IPAddress Masked(IPAddress ip, int length)
    {
        byte[] bytes = ip.GetAddressBytes();
        for (int i = 0; i < bytes.Length; i++)
        {
            int kept = int.Clamp(length - (8 * i), 0, 8);
            bytes[i] &= (byte)(0xFF00 >> kept);
        }

        return new(bytes);
    }

    public override string Write(IPNetwork value) => value.ToString();

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = @"^([0-9.]+|\[?[0-9A-Fa-f:.]+\]?)(/[0-9]{1,3})?$" };
}

/// <summary>Ports from one to another, both included.</summary>
internal readonly record struct PortRange(int First, int Last);

/// <summary>A range of ports: <c>1024-32767</c>.</summary>
internal sealed class PortRangeForm : ValueForm<PortRange>
{
    public override string Words => "a range of ports, such as 1024-32767";

    public override Complaint? Parse(string name, string text, out PortRange value)
    {
        value = default;
        string[] ends = text.Split('-');
        if (ends.Length != 2 || !TryPort(ends[0], out int first) || !TryPort(ends[1], out int last))
            return new($"`{name}: {Show.Safe(text)}` is not a range of ports", $"expected: {Words}; ports are 1 to 65535");
        if (last < first)
            return new($"`{name}: {Show.Safe(text)}` is empty: it ends before it begins", $"write {last}-{first}");
        value = new(first, last);
        return null;
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65_536;

    public override string Write(PortRange value) => $"{value.First}-{value.Last}";

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = "^[0-9]{1,5}-[0-9]{1,5}$" };
}

/// <summary><c>true</c> or <c>false</c>.</summary>
internal sealed class SwitchForm : ValueForm<bool>
{
    public override string Words => "true or false";

    public override Complaint? Parse(string name, string text, out bool value)
    {
        value = text == "true";
        if (text is "true" or "false")
            return null;
        string? meant = text.ToUpperInvariant() switch
        {
            "TRUE" or "YES" or "ON" or "1" => "true",
            "FALSE" or "NO" or "OFF" or "0" => "false",
            _ => null,
        };
        return new($"`{name}: {Show.Safe(text)}` is neither true nor false", meant is null ? $"expected: {Words}" : $"write {meant}");
    }

    public override string Write(bool value) => value ? "true" : "false";

    public override JsonNode WriteJson(bool value) => JsonValue.Create(value);

    public override JsonObject Schema() => new() { ["type"] = "boolean" };
}
