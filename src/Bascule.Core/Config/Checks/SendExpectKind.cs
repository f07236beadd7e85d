using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>A conversation over TCP, word for word.</summary>
internal static class SendExpectKind
{
    public static readonly Setting<ImmutableArray<Fields>> Steps = new("steps", new ListForm<Fields>(
        TalkStepSection.Section, new("`steps` is empty, so nothing would be said", "write what is sent and what is expected, such as `- send: \"PING\\r\\n\"`")))
    {
        Doc = "send-expect: what is said, in order. It has passed when the last step is done.",
        Otherwise = "send-expect needs them",
        Source = "HAProxy tcp-check: send and expect",
        Example = "steps: [{ send: \"PING\\r\\n\" }, { expect: \"+PONG\" }]",
        AlsoCalled = ["script", "sendExpect", "tcp-check"],
        MayBeSecret = true,
    };

    public static readonly CheckKind Kind = new("send-expect", "Does it answer in a conversation over TCP as expected, word for word?", "send", "expect", "negotiate", "tcp_check_send")
    {
        TakesProxyHeader = true,
        Settings = [Steps],
        Tls = [TlsBegin.Implicit],
        Meant = fields => new SendExpectCheck { Steps = [.. fields.Get(Steps).Select(TalkStepSection.Meant)] },
        Rule = (fields, problems) => CheckSection.Require(Steps, fields, problems),
    };
}

/// <summary>One step of a conversation.</summary>
internal static class TalkStepSection
{
    private const int Longest = 4096;

    public static readonly Setting<ValueList<byte>> Send = new("send", new BytesForm(Longest))
    {
        Doc = "Text to send, as UTF-8. In double quotes `\\r\\n` ends a line and `\\x00` is a byte.",
        Otherwise = "nothing is sent",
        Source = "HAProxy tcp-check send",
        Example = "send: \"PING\\r\\n\"",
    };

    public static readonly Setting<ValueList<byte>> SendHex = new("sendHex", new HexForm(Longest))
    {
        Doc = "Bytes to send.",
        Otherwise = "nothing is sent",
        Source = "HAProxy tcp-check send-binary",
        Example = "sendHex: 0d0a",
        AlsoCalled = ["send-binary"],
    };

    public static readonly Setting<ValueList<byte>> Expect = new("expect", new BytesForm(Longest))
    {
        Doc = "Text that must come. What came before it is skipped; what follows it is for the next step.",
        Otherwise = "nothing is waited for",
        Source = "HAProxy tcp-check expect string",
        Example = "expect: +PONG",
        AlsoCalled = ["string", "receive"],
    };

    public static readonly Setting<ValueList<byte>> ExpectHex = new("expectHex", new HexForm(Longest))
    {
        Doc = "Bytes that must come.",
        Otherwise = "nothing is waited for",
        Source = "HAProxy tcp-check expect binary",
        Example = "expectHex: 2b50",
        AlsoCalled = ["binary"],
    };

    public static readonly Setting<string> ExpectMatches = new("expectMatches", new TextForm("a regular expression", 1024, HttpText.Expression))
    {
        Doc = "Regular expression that what comes must match. It is .NET's language without back-references and look-around; each byte is one character (Latin-1).",
        Otherwise = "nothing is waited for",
        Source = "HAProxy tcp-check expect rstring",
        Example = "expectMatches: '^220[ -]'",
        AlsoCalled = ["rstring", "regex"],
    };

    public static readonly Section Section = new("talkStep", Send, SendHex, Expect, ExpectHex, ExpectMatches)
    {
        Doc = "One step of a conversation: one of `send`, `sendHex`, `expect`, `expectHex` and `expectMatches`. At most 64 KiB are read while an `expect` waits.",
        Place = "in `steps` of a check",
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static TalkStep Meant(Fields fields)
    {
        if (fields.Find(Send) is { } text)
            return new SendStep(text);
        if (fields.Find(SendHex) is { } bytes)
            return new SendStep(bytes);
        if (fields.Find(ExpectMatches) is { } pattern)
            return new ExpectMatchStep(pattern);
        return new ExpectBytesStep(fields.Find(Expect) ?? fields.Get(ExpectHex));
    }

    private static void Relate(Fields fields, ProblemList problems)
    {
        Setting[] said = [.. Section.Settings.Where(fields.IsWritten)];
        if (said.Length == 0 && !problems.IsPartial)
            problems.Add(fields.At, "this step does nothing", $"write one of {Show.OneOf([.. Section.Settings.Select(s => $"`{s.Name}`")])}");
        foreach (Setting second in said.Skip(1))
            problems.Add(fields.AtOf(second), $"`{second.Name}` and `{said[0].Name}` are two steps", "write an item of `steps` for each");
    }
}
