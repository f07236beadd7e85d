using System.Text;
using Bascule.Core.Model;

namespace Bascule.Proxy.Http1;

/// <summary>
/// A request's head as understood, RFC 9112 §3 to §6. One per worker, reused: valid until the next <see cref="Parse"/>, and only
/// together with the bytes that were parsed. <see cref="RequestWriter"/> writes it anew for the real server.
/// </summary>
internal sealed class RequestHead
{
    /// <summary>" HTTP/1.1": what a request line ends with.</summary>
    private const int VersionLength = 9;

    private static ReadOnlySpan<byte> HttpScheme => "http://"u8;

    /// <summary>Bytes of the head, with its empty line and a CRLF before the request line. The body begins there.</summary>
    public int Length { get; private set; }

    /// <inheritdoc cref="Http1.Method"/>
    public Method Method { get; private set; }

    /// <summary>The method as sent.</summary>
    public Slice MethodName { get; private set; }

    /// <summary>Path and query as sent, or "*". Of an absolute-form target what follows the authority: maybe nothing, maybe a query alone.</summary>
    public Slice Target { get; private set; }

    /// <summary>Whether the real server's target is a "/" and then <see cref="Target"/>: an absolute-form target had no path.</summary>
    public bool TargetLacksPath { get; private set; }

    /// <summary>Host, or the authority of an absolute-form target. Empty when an HTTP/1.0 request names none.</summary>
    public Slice Authority { get; private set; }

    /// <summary>0 or 1.</summary>
    public int MinorVersion { get; private set; }

    /// <summary>Never <see cref="BodyFraming.UntilClose"/>.</summary>
    public BodyFraming Framing { get; private set; }

    /// <summary>Bytes of the body; −1 when not stated.</summary>
    public long ContentLength { get; private set; }

    /// <summary>Whether bytes of a body follow the head.</summary>
    public bool HasBody => Framing == BodyFraming.Chunked || ContentLength > 0;

    /// <summary>What the client wants of its connection: version and Connection together. RFC 9112 §9.3.</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>The client waits for "100 Continue" before it sends its body. Not for HTTP/1.0, nor without a body. RFC 9110 §10.1.1.</summary>
    public bool ExpectsContinue { get; private set; }

    /// <summary>
    /// The client asks for another protocol (WebSocket), and its wish is passed on. RFC 9110 §7.8. Not for HTTP/1.0; not with a body, which
    /// the real server may or may not read first; not to h2c, which RFC 9113 §3.1 gave up and which would hide the requests in it from us.
    /// A wish that is not passed on is as if it was never made, which RFC 9110 allows.
    /// </summary>
    public bool IsUpgrade { get; private set; }

    /// <summary>All fields.</summary>
    public FieldSection Fields { get; } = new();

    /// <summary>Parses the head at the front of <paramref name="input"/>. Allocates nothing, and throws on no input.</summary>
    public ParseResult Parse(ReadOnlySpan<byte> input, Limits limits)
    {
        ParseResult result = SkipEmptyLine(input, out int start);
        if (result != ParseResult.Complete)
            return result;

        bool isAll = input.Length - start < limits.HeaderSize;
        ReadOnlySpan<byte> bounded = isAll ? input : input[..(start + limits.HeaderSize)];
        result = ParseLines(bounded, start, limits);
        return result == ParseResult.Incomplete && !isAll ? ParseResult.HeadTooLarge : result;
    }

    /// <summary>One CRLF before the request line is forgiven: old clients send one after a body. RFC 9112 §2.2.</summary>
    private static ParseResult SkipEmptyLine(ReadOnlySpan<byte> input, out int start)
    {
        start = 0;
        if (input.IsEmpty)
            return ParseResult.Incomplete;
        if (input[0] != '\r')
            return ParseResult.Complete;
        start = 2;
        return Grammar.FindLineEnd(input, 0, out _);
    }

    private ParseResult ParseLines(ReadOnlySpan<byte> input, int start, Limits limits)
    {
        ReadOnlySpan<byte> window = input[..(int)Math.Min(input.Length, (long)start + limits.RequestLineSize + 2)];
        ParseResult result = Grammar.FindLineEnd(window, start, out int lineEnd);
        if (lineEnd - start > limits.RequestLineSize)
            return ParseResult.RequestLineTooLong;
        if (result != ParseResult.Complete)
            return result;

        result = ParseRequestLine(input, start, lineEnd);
        if (result != ParseResult.Complete)
            return result;
        result = Fields.Parse(input, lineEnd + 2, limits.HeaderCount, out int end);
        if (result != ParseResult.Complete)
            return result;
        Length = end;
        return Understand(input);
    }

    private ParseResult ParseRequestLine(ReadOnlySpan<byte> input, int start, int end)
    {
        ReadOnlySpan<byte> line = input[start..end];
        int methodLength = Grammar.Token.EndOfRun(input, start) - start;
        int targetLength = line.Length - methodLength - 1 - VersionLength;
        if (methodLength == 0 || targetLength <= 0 || line[methodLength] != ' ')
            return ParseResult.MalformedRequestLine;

        ParseResult result = ParseVersion(line[^VersionLength..]);
        if (result != ParseResult.Complete)
            return result;

        MethodName = new(start, methodLength);
        Method = Methods.Recognise(line[..methodLength]);
        if (Method == Method.Connect)
            return ParseResult.UnsupportedMethod;
        return ParseTarget(input, new(start + methodLength + 1, targetLength));
    }

    private ParseResult ParseVersion(ReadOnlySpan<byte> version)
    {
        MinorVersion = 1;
        if (version.SequenceEqual(" HTTP/1.1"u8))
            return ParseResult.Complete;
        MinorVersion = 0;
        if (version.SequenceEqual(" HTTP/1.0"u8))
            return ParseResult.Complete;
        bool isVersion = version.StartsWith(" HTTP/"u8) && char.IsAsciiDigit((char)version[6]) && version[7] == '.' && char.IsAsciiDigit((char)version[8]);
        return isVersion ? ParseResult.UnsupportedVersion : ParseResult.MalformedRequestLine;
    }

    /// <summary>The four forms of RFC 9112 §3.2; the third, authority-form, is only for CONNECT.</summary>
    private ParseResult ParseTarget(ReadOnlySpan<byte> input, Slice target)
    {
        Target = target;
        TargetLacksPath = false;
        Authority = default;
        if (Grammar.Target.EndOfRun(input, target.Start) < target.End)
            return ParseResult.MalformedTarget;
        if (input[target.Start] == '/')
            return ParseResult.Complete;

        ReadOnlySpan<byte> text = target.In(input);
        if (text.Length > HttpScheme.Length && Ascii.EqualsIgnoreCase(text[..HttpScheme.Length], HttpScheme))
            return ParseAbsoluteForm(input, target.Start + HttpScheme.Length);
        return Method == Method.Options && text.SequenceEqual("*"u8) ? ParseResult.Complete : ParseResult.MalformedTarget;
    }

    /// <summary>"http://authority", and then nothing, a path or a query. A secure one ("https") did not come this way.</summary>
    private ParseResult ParseAbsoluteForm(ReadOnlySpan<byte> input, int authorityStart)
    {
        int length = input[authorityStart..Target.End].IndexOfAny("/?"u8);
        int pathStart = length < 0 ? Target.End : authorityStart + length;
        Authority = new(authorityStart, pathStart - authorityStart);
        if (!Grammar.IsAuthority(input, Authority))
            return ParseResult.MalformedTarget;

        Target = new(pathStart, Target.End - pathStart);
        TargetLacksPath = Target.Length == 0 || input[pathStart] == '?';
        return ParseResult.Complete;
    }

    /// <summary>What the fields mean together, once all are there.</summary>
    private ParseResult Understand(ReadOnlySpan<byte> input)
    {
        ParseResult result = UnderstandHost(input);
        if (result != ParseResult.Complete)
            return result;

        result = Http1.Framing.Read(Fields, input, MinorVersion, out BodyFraming framing, out long contentLength);
        if (result != ParseResult.Complete)
            return result;
        Framing = framing;
        ContentLength = contentLength;
        if (Method == Method.Trace && HasBody)
            return ParseResult.TraceWithBody;

        KeepAlive = !Fields.AsksToClose && (MinorVersion == 1 || Fields.AsksToKeepAlive);
        IsUpgrade = Fields.AsksToUpgrade && MinorVersion == 1 && !HasBody && !NamesClearTextHttp2(input);
        return UnderstandExpect(input);
    }

    private ParseResult UnderstandHost(ReadOnlySpan<byte> input)
    {
        if (!Fields.Has(KnownField.Host))
            return MinorVersion == 1 ? ParseResult.NoHost : ParseResult.Complete;
        if (Fields.IsRepeated(KnownField.Host))
            return ParseResult.SeveralHosts;

        Slice host = Fields.First(KnownField.Host);
        if (!Grammar.IsAuthority(input, host))
            return ParseResult.MalformedHost;
        if (Authority.Length > 0 && !Grammar.IsSameAuthority(Authority.In(input), host.In(input)))
            return ParseResult.HostDisagreesWithTarget;
        if (Authority.Length == 0)
            Authority = host;
        return ParseResult.Complete;
    }

    private ParseResult UnderstandExpect(ReadOnlySpan<byte> input)
    {
        ExpectsContinue = false;
        if (!Fields.Has(KnownField.Expect) || MinorVersion == 0)
            return ParseResult.Complete;
        if (Fields.IsRepeated(KnownField.Expect) || !Ascii.EqualsIgnoreCase(Fields.First(KnownField.Expect).In(input), "100-continue"u8))
            return ParseResult.UnsupportedExpectation;
        ExpectsContinue = HasBody;
        return ParseResult.Complete;
    }

    private bool NamesClearTextHttp2(ReadOnlySpan<byte> input)
    {
        foreach (ref readonly Field field in Fields.Fields)
        {
            if (field.Known != KnownField.Upgrade)
                continue;
            ReadOnlySpan<byte> list = field.Value.In(input);
            while (Grammar.TakeElement(ref list, out ReadOnlySpan<byte> protocol))
            {
                if (Ascii.EqualsIgnoreCase(protocol, "h2c"u8))
                    return true;
            }
        }

        return false;
    }
}
