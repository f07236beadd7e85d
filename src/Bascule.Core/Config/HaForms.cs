using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>The address of one machine, without a port: <c>10.0.0.2</c>, <c>fe80::2</c>.</summary>
/// <param name="takesLinkLocal">Whether the interface is known by other means, so that a link-local IPv6 address says enough.</param>
internal sealed class MachineForm(bool takesLinkLocal) : ValueForm<IPAddress>
{
    public override string Words => "an IP address, such as 10.0.0.2 or \"2001:db8::2\"";

    public override Complaint? Parse(string name, string text, [MaybeNull] out IPAddress value)
    {
        value = IpForm.Read(text);
        if (value is null)
            return new($"`{name}: {Show.Safe(text)}` is not an IP address", $"expected: {Words}, without port and prefix length");
        if (value.IsIPv6LinkLocal && !takesLinkLocal)
            return new($"{value} is link-local, and nothing says on which interface", "write an address that is known on every interface");
        return WhyNobodys(value) is { } why ? new($"{value} {why}", "write the address of one machine") : null;
    }

    /// <summary>Why no single machine has this address; null when one may.</summary>
    public static string? WhyNobodys(IPAddress ip)
    {
        if (ip.AddressFamily == AddressFamily.InterNetworkV6)
            return ip.Equals(IPAddress.IPv6Any) ? "is every address" : ip.IsIPv6Multicast ? "is a multicast address" : IPAddress.IsLoopback(ip) ? "never leaves this machine" : null;
        return ip.GetAddressBytes()[0] switch
        {
            0 => "is in 0.0.0.0/8, which is nobody's by RFC 1122 §3.2.1.3",
            127 => "never leaves this machine",
            >= 224 and < 240 => "is a multicast address",
            >= 240 => "is in 240.0.0.0/4, which is nobody's by RFC 1112 §4",
            _ => null,
        };
    }

    public override string Write(IPAddress value) => value.ToString();

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = @"^([0-9.]+|\[?[0-9A-Fa-f:.]+\]?)$" };
}

/// <summary>An address and the length of its network's prefix.</summary>
internal readonly record struct PrefixedAddress(IPAddress Ip, int Length);

/// <summary>An address that is put on an interface: <c>192.0.2.10/24</c>. Without a length it is alone: /32, /128.</summary>
internal sealed class PrefixedAddressForm : ValueForm<PrefixedAddress>
{
    public override string Words => "an IP address with the prefix length of its network, such as 192.0.2.10/24 or \"2001:db8::10/64\"";

    public override Complaint? Parse(string name, string text, out PrefixedAddress value)
    {
        value = default;
        string[] parts = text.Split('/');
        if (parts.Length > 2 || IpForm.Read(parts[0]) is not { } ip)
            return new($"{Show.Quoted(text)} is not an address with a prefix length", $"expected: {Words}");
        int bits = ip.GetAddressBytes().Length * 8;
        int length = bits;
        if (parts.Length == 2 && (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out length) || length is 0 || length > bits))
            return new($"{Show.Quoted(text)} has no prefix length after the slash", $"write a number from 1 to {bits}, as `ip address` shows it for the other addresses of the network");
        value = new(ip, length);
        return Unusable(value) is { } why ? new($"{Show.Quoted(text)} {why}", "write the address that clients use, with the prefix length of its network") : null;
    }

    private static string? Unusable(PrefixedAddress address)
    {
        if (MachineForm.WhyNobodys(address.Ip) is { } why)
            return why;
        byte[] bytes = address.Ip.GetAddressBytes();
        // RFC 3021: in a /31 both are machines; a /32 is alone.
        if (bytes.Length != 4 || address.Length > 30)
            return null;
        uint host = ((uint)bytes[0] << 24 | (uint)bytes[1] << 16 | (uint)bytes[2] << 8 | bytes[3]) & (uint.MaxValue >> address.Length);
        return host == 0 ? "is the network itself, not an address in it" : host == uint.MaxValue >> address.Length ? "is the network's broadcast address" : null;
    }

    public override string Write(PrefixedAddress value) => $"{value.Ip}/{value.Length}";

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = @"^([0-9.]+|\[?[0-9A-Fa-f:.]+\]?)(/[0-9]{1,3})?$" };
}

/// <summary>A word or a duration.</summary>
/// <param name="Word">Null: the duration.</param>
/// <param name="Duration">Means nothing beside a word.</param>
internal readonly record struct WordOrDuration(string? Word, TimeSpan Duration);

/// <summary>One of some words, or a duration: <c>auto</c>, <c>off</c>, <c>3s</c>.</summary>
internal sealed class WordOrDurationForm(DurationForm duration, params ImmutableArray<string> words) : ValueForm<WordOrDuration>
{
    public override string Words => $"{string.Join(", ", words)} or {duration.Words}";

    public override Complaint? Parse(string name, string text, out WordOrDuration value)
    {
        value = new(text, default);
        if (words.Contains(text))
            return null;
        Complaint? complaint = duration.Parse(name, text, out TimeSpan read);
        value = new(null, read);
        return complaint is not null && text.All(char.IsAsciiLetter) ? new($"`{name}: {Show.Safe(text)}` is not a duration", $"expected: {Words}") : complaint;
    }

    public override string Write(WordOrDuration value) => value.Word ?? duration.Write(value.Duration);

    public override JsonObject Schema() => new() { ["anyOf"] = new JsonArray(new JsonObject { ["enum"] = new JsonArray([.. words.Select(w => (JsonNode)w)]) }, duration.Schema()) };
}

/// <summary>The name of something that is described elsewhere in the file, with its place.</summary>
internal sealed record Reference(string Name, Location At);

/// <summary>A name that must exist elsewhere.</summary>
/// <param name="words">What it is the name of.</param>
internal sealed class ReferenceForm(string words) : Form<Reference>
{
    private static readonly TextForm Text = new("a name", NameRule.Longest, (_, _) => null);

    public override string Words => words;

    public override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out Reference value)
    {
        bool isRead = Text.TryRead(node, name, problems, out string? text);
        value = isRead ? new(text!, node.At) : null;
        return isRead;
    }

    public override string Write(Reference value) => value.Name;

    public override JsonObject Schema() => Text.Schema();
}

/// <summary>Some names under a name.</summary>
internal sealed record Group(string Name, ImmutableArray<Reference> Members);

/// <summary>A map from names that the operator chooses to lists of names.</summary>
internal sealed class GroupsForm(ListForm<Reference> members, Complaint nothing) : Form<ImmutableArray<Group>>
{
    public override string Words => $"a map from names to lists: {members.Words}";

    public override bool TryRead(Node node, string name, ProblemList problems, out ImmutableArray<Group> value)
    {
        value = [];
        switch (node)
        {
            case BrokenNode:
                return false;
            case MapNode { Entries: [] } or ValueNode { IsEmpty: true }:
                if (!problems.IsPartial)
                    problems.Add(node.At, nothing);
                return false;
            case MapNode map:
                value = [.. map.Entries.Select(e => ReadOne(e, problems)).OfType<Group>()];
                return true;
            default:
                problems.Add(node.At, ValueForm<Group>.WrongKind(node, name, Words));
                return false;
        }
    }

    private Group? ReadOne(MapEntry entry, ProblemList problems)
    {
        if (NameRule.Any.Check(entry.Key.Text) is { } complaint)
            problems.Add(entry.Key.At, complaint);
        return members.TryRead(entry.Value, Show.Safe(entry.Key.Text), problems, out ImmutableArray<Reference> names) ? new(entry.Key.Text, names) : null;
    }

    public override string Write(ImmutableArray<Group> value) => "{}";

    public override JsonObject Schema() => new()
    {
        ["type"] = "object",
        ["minProperties"] = 1,
        ["propertyNames"] = new JsonObject { ["pattern"] = NameRule.Any.Pattern },
        ["additionalProperties"] = members.Schema(),
    };
}
