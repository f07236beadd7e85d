namespace Bascule.Proxy.Http1;

/// <summary>Writes the head of a response for the client, from what was understood and nothing else.</summary>
internal static class ResponseWriter
{
    /// <summary>More than all names, separators and numbers that are ours.</summary>
    private const int OwnText = 192;

    /// <summary>Everything but what concerns one connection and what we restate. Fields that mean something in requests only pass.</summary>
    private static readonly uint EndToEnd = FieldSection.SetOf(
        KnownField.Other, KnownField.Host, KnownField.Expect, KnownField.LookAlike,
        KnownField.XForwardedFor, KnownField.XForwardedHost, KnownField.XForwardedProto);

    /// <summary>Writes the head, body framed as <see cref="ResponseHead.FramingToward"/> says.</summary>
    /// <param name="input">The bytes that <paramref name="head"/> was parsed from.</param>
    /// <param name="clientMinorVersion">0 or 1. Do not send interim responses to 0. RFC 9110 §15.2.</param>
    /// <param name="keepAlive">Whether the client's connection stays open after the body. A body until close closes it in any case.</param>
    /// <param name="setCookie">A Set-Cookie field of the director's with its CRLF; may be empty. Left out where it does not fit: an answer without it is better than none.</param>
    /// <returns>Bytes written; −1 when <paramref name="output"/> might be too small, which it is not at <see cref="LargestSize"/>.</returns>
    public static int Write(ResponseHead head, ReadOnlySpan<byte> input, int clientMinorVersion, bool keepAlive, ReadOnlySpan<byte> setCookie, Span<byte> output)
    {
        int room = output.Length - LargestSize(head);
        if (room < 0)
            return -1;
        if (room < setCookie.Length)
            setCookie = [];

        ByteWriter writer = new(output);
        BodyFraming framing = head.FramingToward(clientMinorVersion);
        WriteStatusLine(ref writer, head, input);
        head.Fields.CopyTo(ref writer, input, EndToEnd);
        writer.Append(setCookie);
        WriteFraming(ref writer, head, framing);
        if (head.KeepsUpgrade)
            Upgrades.Write(ref writer, head.Fields, input);
        if (head.Status >= 200)
            WriteConnection(ref writer, clientMinorVersion, keepAlive && framing != BodyFraming.UntilClose);
        writer.Append("\r\n"u8);
        return writer.Length;
    }

    /// <summary>Bytes that the head is sure to fit in: every byte of the input once at most, and a space more for each field.</summary>
    public static int LargestSize(ResponseHead head) => head.Length + head.Fields.Fields.Length + OwnText;

    private static void WriteStatusLine(ref ByteWriter writer, ResponseHead head, ReadOnlySpan<byte> input)
    {
        writer.Append("HTTP/1.1 "u8);
        writer.Append(head.StatusText.In(input));
        writer.Append(head.StatusText.Length > 3 ? "\r\n"u8 : " \r\n"u8); // the space belongs there even without a reason
    }

    /// <summary>Content-Length as stated, also where it says what a body would have been (HEAD, 304).</summary>
    private static void WriteFraming(ref ByteWriter writer, ResponseHead head, BodyFraming framing)
    {
        if (framing == BodyFraming.Chunked)
            writer.AppendFraming(framing, -1);
        else if (head.ContentLength >= 0 && head.MayStateLength)
            writer.AppendContentLength(head.ContentLength);
    }

    /// <summary>Says only what the version does not say already. RFC 9112 §9.3.</summary>
    private static void WriteConnection(ref ByteWriter writer, int clientMinorVersion, bool keepAlive)
    {
        if (!keepAlive)
            writer.Append("Connection: close\r\n"u8);
        else if (clientMinorVersion == 0)
            writer.Append("Connection: keep-alive\r\n"u8);
    }
}
