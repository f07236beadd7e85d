namespace Bascule.Proxy.Http1;

/// <summary>What the director knows about the client's side of a request and tells the real server.</summary>
/// <param name="address">The client's address as text, "203.0.113.7" or "2001:db8::1".</param>
/// <param name="scheme">"http".</param>
/// <param name="authority">
/// Where the client connected, "192.0.2.10:80": stands in for the Host that an HTTP/1.0 request may lack. RFC 9112 §3.3.
/// </param>
internal readonly ref struct ClientSide(ReadOnlySpan<byte> address, ReadOnlySpan<byte> scheme, ReadOnlySpan<byte> authority)
{
    /// <summary>The client's address as text.</summary>
    public ReadOnlySpan<byte> Address { get; } = address;

    /// <summary>"http".</summary>
    public ReadOnlySpan<byte> Scheme { get; } = scheme;

    /// <summary>Where the client connected.</summary>
    public ReadOnlySpan<byte> Authority { get; } = authority;
}

/// <summary>Writes the head of a request for the real server, from what was understood and nothing else.</summary>
/// <remarks>
/// <para>Always HTTP/1.1 and origin-form, Host first; end-to-end fields in order; then framing restated.</para>
/// <para>X-Forwarded-For keeps what the client sent and adds its address at the end: who reads it trusts from the right.
/// X-Forwarded-Proto and X-Forwarded-Host are replaced, as nginx and HAProxy are set up in practice: they hold one value, and
/// links are built from it.</para>
/// <para>No Via, though RFC 9110 §7.6.3 asks gateways for one: real servers (nginx among them) turn compression off when they see it.</para>
/// </remarks>
internal static class RequestWriter
{
    /// <summary>More than all names, separators and numbers that are ours.</summary>
    private const int OwnText = 320;

    private static readonly uint EndToEnd = FieldSection.SetOf(KnownField.Other);

    /// <summary>Writes the head.</summary>
    /// <param name="input">The bytes that <paramref name="head"/> was parsed from.</param>
    /// <returns>Bytes written; −1 when <paramref name="output"/> might be too small, which it is not at
    /// <see cref="LargestSize"/>.</returns>
    public static int Write(RequestHead head, ReadOnlySpan<byte> input, in ClientSide client, Span<byte> output)
    {
        if (output.Length < LargestSize(head, client))
            return -1;

        ByteWriter writer = new(output);
        ReadOnlySpan<byte> authority = head.Authority.Length > 0 ? head.Authority.In(input) : client.Authority;
        WriteRequestLine(ref writer, head, input);
        writer.Append(authority);
        writer.Append("\r\n"u8);
        head.Fields.CopyTo(ref writer, input, EndToEnd);
        writer.AppendFraming(head.Framing, head.ContentLength);
        WriteForwarded(ref writer, head.Fields, input, client, authority);
        if (head.IsUpgrade)
            Upgrades.Write(ref writer, head.Fields, input);
        if (head.ExpectsContinue)
            writer.Append("Expect: 100-continue\r\n"u8);
        writer.Append("\r\n"u8);
        return writer.Length;
    }

    /// <summary>Bytes that the head is sure to fit in.</summary>
    /// <remarks>Every byte of the input is written once at most, the authority twice, and a field gains a space at most.</remarks>
    public static int LargestSize(RequestHead head, in ClientSide client)
    {
        int authority = Math.Max(head.Authority.Length, client.Authority.Length);
        return head.Length + head.Fields.Fields.Length + 2 * authority + client.Address.Length + client.Scheme.Length + OwnText;
    }

    private static void WriteRequestLine(ref ByteWriter writer, RequestHead head, ReadOnlySpan<byte> input)
    {
        writer.Append(head.MethodName.In(input));
        writer.Append(" "u8);
        if (head.TargetLacksPath) // "OPTIONS http://host" asks about the server as a whole: RFC 9112 §3.2.4
            writer.Append(head.Method == Method.Options && head.Target.Length == 0 ? "*"u8 : "/"u8);
        writer.Append(head.Target.In(input));
        writer.Append(" HTTP/1.1\r\nHost: "u8);
    }

    private static void WriteForwarded(
        ref ByteWriter writer, FieldSection fields, ReadOnlySpan<byte> input, in ClientSide client, ReadOnlySpan<byte> authority)
    {
        writer.Append("X-Forwarded-For: "u8);
        if (fields.Has(KnownField.XForwardedFor))
            WriteEarlierHops(ref writer, fields, input);
        writer.Append(client.Address);
        writer.Append("\r\nX-Forwarded-Proto: "u8);
        writer.Append(client.Scheme);
        writer.Append("\r\nX-Forwarded-Host: "u8);
        writer.Append(authority);
        writer.Append("\r\n"u8);
    }

    private static void WriteEarlierHops(ref ByteWriter writer, FieldSection fields, ReadOnlySpan<byte> input)
    {
        foreach (ref readonly Field field in fields.Fields)
        {
            if (field.Known != KnownField.XForwardedFor || field.Value.Length == 0)
                continue;
            writer.Append(field.Value.In(input));
            writer.Append(", "u8);
        }
    }
}
