using Bascule.Core.Model;

namespace Bascule.Proxy.Http1;

/// <summary>
/// A response's head as understood, RFC 9112 §4 to §6. One per worker, reused: valid until the next <see cref="Parse"/>, and only
/// together with the bytes that were parsed. <see cref="ResponseWriter"/> writes it anew for the client.
/// </summary>
internal sealed class ResponseHead
{
    /// <summary>After "HTTP/1.1 ".</summary>
    private const int StatusStart = 9;

    /// <summary>After "HTTP/1.1 200".</summary>
    private const int StatusEnd = 12;

    private const int SwitchingProtocols = 101;
    private const int NoContent = 204;
    private const int NotModified = 304;
    private const int UpgradeRequired = 426;

    /// <summary>Bytes of the head, with its empty line. The body begins there.</summary>
    public int Length { get; private set; }

    /// <summary>100 to 999.</summary>
    public int Status { get; private set; }

    /// <summary>The status and the reason, as in "404 Not Found". The reason may be missing, and in practice the space before it too.</summary>
    public Slice StatusText { get; private set; }

    /// <summary>0 or 1.</summary>
    public int MinorVersion { get; private set; }

    /// <summary>How the real server frames the body that follows.</summary>
    public BodyFraming Framing { get; private set; }

    /// <summary>Content-Length as stated, also where no body follows (HEAD, 304); −1 when not stated.</summary>
    public long ContentLength { get; private set; }

    /// <summary>Whether bytes of a body may follow the head.</summary>
    public bool HasBody => Framing switch
    {
        BodyFraming.None => false,
        BodyFraming.Length => ContentLength > 0,
        BodyFraming.Chunked or BodyFraming.UntilClose => true,
    };

    /// <summary>Whether the real server will take another request on this connection after the body. RFC 9112 §9.3.</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>1xx but 101: another head follows, the final one. RFC 9110 §15.2.</summary>
    public bool IsInterim => Status < 200 && !IsSwitching;

    /// <summary>101: what follows the head is no longer HTTP. RFC 9110 §15.2.2.</summary>
    public bool IsSwitching => Status == SwitchingProtocols;

    /// <summary>Upgrade is passed on with 101 and with "426 Upgrade Required", which must have it. RFC 9110 §15.5.22.</summary>
    public bool KeepsUpgrade => Status is SwitchingProtocols or UpgradeRequired && Fields.Has(KnownField.Upgrade);

    /// <summary>Whether Content-Length has a meaning here: not in 1xx and 204. RFC 9110 §8.6.</summary>
    public bool MayStateLength => Status >= 200 && Status != NoContent;

    /// <summary>All fields.</summary>
    public FieldSection Fields { get; } = new();

    /// <summary>Parses the head at the front of <paramref name="input"/>. Allocates nothing, and throws on no input.</summary>
    /// <param name="method">Of the request that this answers: HEAD decides that no body follows.</param>
    /// <param name="upgrading">Whether that request was passed on as an upgrade, so that 101 may answer it.</param>
    public ParseResult Parse(ReadOnlySpan<byte> input, Limits limits, Method method, bool upgrading)
    {
        bool isAll = input.Length < limits.HeaderSize;
        ReadOnlySpan<byte> bounded = isAll ? input : input[..limits.HeaderSize];
        ParseResult result = ParseLines(bounded, limits, method, upgrading);
        return result == ParseResult.Incomplete && !isAll ? ParseResult.HeadTooLarge : result;
    }

    /// <summary>How we frame the body toward the client: chunks only for who knows them, and never a close that a client of HTTP/1.1 cannot tell from a failure.</summary>
    /// <param name="clientMinorVersion">0 or 1.</param>
    public BodyFraming FramingToward(int clientMinorVersion) => Framing switch
    {
        BodyFraming.None => BodyFraming.None,
        BodyFraming.Length => BodyFraming.Length,
        BodyFraming.Chunked or BodyFraming.UntilClose => clientMinorVersion == 0 ? BodyFraming.UntilClose : BodyFraming.Chunked,
    };

    private ParseResult ParseLines(ReadOnlySpan<byte> input, Limits limits, Method method, bool upgrading)
    {
        ParseResult result = Grammar.FindLineEnd(input, 0, out int lineEnd);
        if (result != ParseResult.Complete)
            return result;
        result = ParseStatusLine(input[..lineEnd]);
        if (result != ParseResult.Complete)
            return result;
        result = Fields.Parse(input, lineEnd + 2, limits.HeaderCount, out int end);
        if (result != ParseResult.Complete)
            return result;
        Length = end;
        return Understand(input, method, upgrading);
    }

    private ParseResult ParseStatusLine(ReadOnlySpan<byte> line)
    {
        if (line.Length < StatusEnd || !line.StartsWith("HTTP/"u8) || line[8] != ' ')
            return ParseResult.MalformedStatusLine;
        if (!line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1'))
            return ParseResult.UnsupportedVersion;
        MinorVersion = line[7] - '0';

        if (!Grammar.TryParseLength(line[StatusStart..StatusEnd], out long status) || status < 100)
            return ParseResult.MalformedStatusLine;
        if (line.Length > StatusEnd && line[StatusEnd] != ' ')
            return ParseResult.MalformedStatusLine;
        Status = (int)status;
        StatusText = new(StatusStart, line.Length - StatusStart);
        return ParseResult.Complete;
    }

    /// <summary>RFC 9112 §6.3, in its order.</summary>
    private ParseResult Understand(ReadOnlySpan<byte> input, Method method, bool upgrading)
    {
        ParseResult result = Http1.Framing.Read(Fields, input, MinorVersion, out BodyFraming stated, out long contentLength);
        if (result != ParseResult.Complete)
            return result;
        if (IsSwitching && !(upgrading && Fields.AsksToUpgrade))
            return ParseResult.UnaskedUpgrade;

        ContentLength = contentLength;
        Framing = FramingOf(method, stated);
        bool staysOpen = !Fields.AsksToClose && (MinorVersion == 1 || Fields.AsksToKeepAlive);
        KeepAlive = staysOpen && Framing != BodyFraming.UntilClose && !IsSwitching;
        return ParseResult.Complete;
    }

    private BodyFraming FramingOf(Method method, BodyFraming stated)
    {
        if (method == Method.Head || Status is < 200 or NoContent or NotModified)
            return BodyFraming.None;
        return stated == BodyFraming.None ? BodyFraming.UntilClose : stated;
    }
}
