using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does it answer a datagram, or at least not refuse it?</summary>
internal static class UdpKind
{
    private const int Longest = 1400; // fits a packet, so that no fragment can be lost

    public static readonly Setting<ValueList<byte>> Payload = new("payload", new BytesForm(Longest))
    {
        Doc = "udp: text to send, as UTF-8. In double quotes `\\r\\n` ends a line and `\\x00` is a byte.",
        Otherwise = "an empty datagram",
        Source = "nginx udp health checks: send",
        Example = "payload: \"\\xff\\xff\\xff\\xffgetstatus\"",
    };

    public static readonly Setting<ValueList<byte>> PayloadHex = new("payloadHex", new HexForm(Longest))
    {
        Doc = "udp: bytes to send, in place of `payload`.",
        Otherwise = "an empty datagram",
        Source = "keepalived UDP_CHECK payload",
        Example = "payloadHex: 0001 0100",
    };

    public static readonly Setting<ValueList<byte>> Reply = new("reply", new BytesForm(Longest))
    {
        Doc = "udp: text that the answer must contain.",
        Otherwise = "any answer passes",
        Source = "keepalived UDP_CHECK: any reply",
        Example = "reply: statusResponse",
    };

    public static readonly Setting<ValueList<byte?>> ReplyHex = new("replyHex", new WildcardForm(Longest))
    {
        Doc = "udp: bytes with which the answer must begin; `XX` is any byte.",
        Otherwise = "any answer passes",
        Source = "keepalived UDP_CHECK require_reply",
        Example = "replyHex: 0001 81XX",
        AlsoCalled = ["require_reply"],
    };

    public static readonly Setting<bool> ReplyRequired = new("replyRequired", new SwitchForm())
    {
        Doc = "udp: an answer must come. Otherwise it is enough that within half of `timeout` no word comes that nobody listens (ICMP port unreachable); a machine that is gone, or a firewall that keeps silent, then passes too.",
        Default = true,
        Source = "ours; keepalived takes silence for an answer, which finds little",
        Example = "replyRequired: false",
    };

    public static readonly CheckKind Kind = new("udp", "Does it answer a datagram, or at least not refuse it?", "udp_check")
    {
        Settings = [Payload, PayloadHex, Reply, ReplyHex, ReplyRequired],
        Meant = fields => new UdpCheck
        {
            Payload = fields.Find(Payload) ?? fields.Find(PayloadHex) ?? [],
            Reply = fields.Find(Reply),
            ReplyPattern = fields.Find(ReplyHex),
            RequiresReply = fields.Get(ReplyRequired),
        },
        Rule = Relate,
    };

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Payload) && fields.IsWritten(PayloadHex))
            problems.Add(fields.AtOf(PayloadHex), "`payload` and `payloadHex` are two things to send", "keep one");
    }
}

/// <summary>Bytes written as hexadecimal digits, with or without spaces, of which <c>XX</c> is any.</summary>
/// <param name="longest">Bytes at most.</param>
internal sealed class WildcardForm(int longest) : ValueForm<ValueList<byte?>>
{
    public override string Words => "bytes as pairs of hexadecimal digits, or XX for any byte, such as 00 01 81XX";

    public override Complaint? Parse(string name, string text, [MaybeNull] out ValueList<byte?> value)
    {
        string digits = text.Replace(" ", "", StringComparison.Ordinal);
        string[] pairs = [.. digits.Chunk(2).Select(pair => new string(pair))];
        bool isRead = digits.Length > 0 && pairs.All(pair => pair is "XX" or "xx" || (pair.Length == 2 && pair.All(char.IsAsciiHexDigit)));
        value = isRead ? new([.. pairs.Select(ByteOf)]) : [];
        if (!isRead)
            return new($"`{name}: {Show.Safe(text)}` is not a row of bytes", $"expected: {Words}");
        return pairs.Length > longest ? new($"`{name}` is {pairs.Length} bytes long", $"at most {longest} are possible") : null;
    }

    private static byte? ByteOf(string pair) => pair is "XX" or "xx" ? null : Convert.FromHexString(pair)[0];

    public override string Write(ValueList<byte?> value) => string.Concat(value.Select(one => one is { } known ? $"{known:x2}" : "XX"));

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number"), ["pattern"] = "^ *(([0-9A-Fa-f] *[0-9A-Fa-f]|X *X|x *x) *)+$" };
}
