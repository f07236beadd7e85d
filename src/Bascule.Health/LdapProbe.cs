using System.Net;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a directory let us bind, and has it an entry? RFC 4511.</summary>
internal sealed class LdapProbe(LdapCheck check, string? password, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private const byte BindRequest = 0x60, BindResponse = 0x61, UnbindRequest = 0x42, SearchRequest = 0x63, SearchEntry = 0x64, SearchDone = 0x65, SearchReference = 0x73, ExtendedRequest = 0x77, ExtendedResponse = 0x78;
    private const byte SimpleAuthentication = 0x80, PresentFilter = 0x87, RequestName = 0x80, Version = 3;
    private const int HeadLength = 6; // of a message, and the longest one of its length

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        if (StartsTls && await StartTlsAsync(talk, cancellation) is { } noTls)
            return noTls;

        await SendAsync(1, Ber.Write(BindRequest, Ber.Write(Ber.Integer, Version), Text(check.User ?? ""), Ber.Write(SimpleAuthentication, Encoding.UTF8.GetBytes(password ?? ""))), talk, cancellation);
        (byte kind, byte[] content) = await ReadAsync(1, talk, cancellation);
        if (kind != BindResponse)
            throw NotLdap(content);
        if (LdapResult.Read(content) is { Code: not 0 } refused)
            return Verdict.Failed($"the bind was refused: {refused}");

        if (check.Base is { } name && await SearchAsync(name, talk, cancellation) is { } failed)
            return failed;
        await SendAsync(3, [UnbindRequest, 0], talk, cancellation);
        return Verdict.Pass(check.Base is null ? "bound" : "bound, and the entry is there");
    }

    /// <summary>RFC 4511 §4.14.</summary>
    /// <returns>Null when it has begun.</returns>
    private async ValueTask<Verdict?> StartTlsAsync(Conversation talk, CancellationToken cancellation)
    {
        await SendAsync(4, Ber.Write(ExtendedRequest, Ber.Write(RequestName, "1.3.6.1.4.1.1466.20037"u8.ToArray())), talk, cancellation);
        (byte kind, byte[] content) = await ReadAsync(4, talk, cancellation);
        if (kind != ExtendedResponse)
            throw NotLdap(content);
        if (LdapResult.Read(content) is { Code: not 0 } refused)
            return NoTls("StartTLS", $"{refused}");
        await EncryptAsync(talk, cancellation);
        return null;
    }

    /// <summary>Asks for the entry itself, and no attribute of it.</summary>
    /// <returns>Null when it is there.</returns>
    private static async ValueTask<Verdict?> SearchAsync(string name, Conversation talk, CancellationToken cancellation)
    {
        byte[] baseObject = Ber.Write(Ber.Enumerated, 0), neverDeref = Ber.Write(Ber.Enumerated, 0), one = Ber.Write(Ber.Integer, 1), seconds = Ber.Write(Ber.Integer, 0);
        byte[] noAttribute = Ber.Write(Ber.Sequence, Text("1.1")); // RFC 4511 §4.5.1.8
        await SendAsync(2, Ber.Write(SearchRequest, Text(name), baseObject, neverDeref, one, seconds, Ber.Write(Ber.Boolean, 0), Ber.Write(PresentFilter, "objectClass"u8.ToArray()), noAttribute), talk, cancellation);
        bool found = false;
        while (true)
        {
            (byte kind, byte[] content) = await ReadAsync(2, talk, cancellation);
            switch (kind)
            {
                case SearchEntry:
                    found = true;
                    break;
                case SearchReference:
                    break;
                case SearchDone:
                    LdapResult result = LdapResult.Read(content);
                    return result.Code != 0 ? Verdict.Failed($"the search failed: {result}") : found ? null : Verdict.Failed("the entry is not there, or not for us to see");
                default:
                    throw NotLdap(content);
            }
        }
    }

    private static ValueTask SendAsync(byte number, byte[] operation, Conversation talk, CancellationToken cancellation) =>
        talk.SendAsync(Ber.Write(Ber.Sequence, Ber.Write(Ber.Integer, number), operation), cancellation);

    /// <summary>Takes a message to this question. One to question 0 is a word of farewell (§4.4.1).</summary>
    private static async ValueTask<(byte Kind, byte[] Content)> ReadAsync(byte number, Conversation talk, CancellationToken cancellation)
    {
        while (Ber.TotalLength(talk.Heard) is null)
        {
            if (talk.Heard.Length >= HeadLength || (talk.Heard.Length > 0 && talk.Heard[0] != Ber.Sequence))
                throw NotLdap(talk.Heard);
            await talk.HearMoreAsync(cancellation);
        }

        if (talk.Heard[0] != Ber.Sequence)
            throw NotLdap(talk.Heard);
        (int head, int length) = Ber.TotalLength(talk.Heard)!.Value;
        byte[] message = await talk.ReadBytesAsync(head + length, cancellation);
        return Open(message, number) ?? throw NotLdap(message);
    }

    private static (byte Kind, byte[] Content)? Open(ReadOnlySpan<byte> message, byte number) =>
        Ber.TryRead(ref message, out _, out ReadOnlySpan<byte> inside)
        && Ber.TryRead(ref inside, out byte tag, out ReadOnlySpan<byte> answered) && tag == Ber.Integer && answered is [var to] && (to == number || to == 0)
        && Ber.TryRead(ref inside, out byte kind, out ReadOnlySpan<byte> content)
            ? (kind, content.ToArray()) : null;

    private static byte[] Text(string text) => Ber.Write(Ber.OctetString, Encoding.UTF8.GetBytes(text));

    private static ConversationException NotLdap(ReadOnlySpan<byte> heard) => new($"it does not speak LDAP: {Conversation.Show(heard)}");
}

/// <summary>How an operation ended. RFC 4511 §4.1.9.</summary>
/// <param name="Code">0: well; -1: it cannot be read.</param>
internal readonly record struct LdapResult(int Code, string Message)
{
    /// <summary>For a sentence.</summary>
    public override string ToString() => Message.Length > 0 ? $"{Word(Code)}, {Conversation.Show(Message)}" : Word(Code);

    public static LdapResult Read(ReadOnlySpan<byte> content) =>
        Ber.TryRead(ref content, out byte tag, out ReadOnlySpan<byte> code) && tag == Ber.Enumerated && code is [var number]
        && Ber.TryRead(ref content, out _, out _) && Ber.TryRead(ref content, out _, out ReadOnlySpan<byte> message)
            ? new(number, Encoding.UTF8.GetString(message)) : new(-1, "");

    // RFC 4511 appendix A.
    private static string Word(int code) => code switch
    {
        -1 => "a broken answer",
        2 => "a protocol error",
        8 => "a stronger authentication is required",
        13 => "encryption is required",
        32 => "no such object",
        34 => "not a name",
        48 => "not this kind of authentication",
        49 => "invalid credentials",
        50 => "insufficient rights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwilling to perform",
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"result {code}"),
    };
}
