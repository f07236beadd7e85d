namespace Bascule.Proxy.Http1;

/// <summary>What came of parsing a head. Everything but the first two is a refusal, named after what was wrong.</summary>
/// <remarks>Status, outcome and sentence of each are in <see cref="Refusals"/>.</remarks>
internal enum ParseResult
{
    /// <summary>So far so good: parse again from the start when more bytes have come.</summary>
    Incomplete,

    /// <summary>A whole head, understood in only one way.</summary>
    Complete,

    /// <summary>A line ends in LF without CR. RFC 9112 §2.2 lets us accept it; two parsers that differ on it is how smuggling works.</summary>
    BareLineFeed,

    /// <summary>A CR that is not followed by LF. RFC 9112 §2.2.</summary>
    BareCarriageReturn,

    /// <summary>A control character other than HTAB, NUL included. RFC 9110 §5.5.</summary>
    ControlCharacter,

    /// <summary>Not "method SP target SP version" with single spaces. RFC 9112 §3.</summary>
    MalformedRequestLine,

    /// <summary>A target in none of the four forms, or with a fragment, a space or bytes outside ASCII. RFC 9112 §3.2.</summary>
    MalformedTarget,

    /// <summary>Not "version SP three digits SP reason". RFC 9112 §4.</summary>
    MalformedStatusLine,

    /// <summary>A field name that is empty or not a token, or no colon. RFC 9112 §5.</summary>
    MalformedFieldName,

    /// <summary>Whitespace between a field name and its colon. RFC 9112 §5.1.</summary>
    WhitespaceBeforeColon,

    /// <summary>A line that begins with whitespace: the obsolete folding of RFC 9112 §5.2.</summary>
    FoldedLine,

    /// <summary>HTTP/1.1 without Host. RFC 9112 §3.2.</summary>
    NoHost,

    /// <summary>More than one Host. RFC 9112 §3.2.</summary>
    SeveralHosts,

    /// <summary>Host is not "host" or "host:port", or is empty. RFC 9110 §4.2.1 and §7.2.</summary>
    MalformedHost,

    /// <summary>Host and an absolute-form target name two authorities. RFC 9112 §3.2.2 would let the target win; the real server might not.</summary>
    HostDisagreesWithTarget,

    /// <summary>More than one Content-Length field, be they equal. RFC 9112 §6.3.</summary>
    SeveralContentLengths,

    /// <summary>Content-Length is not one decimal number below 2^63. RFC 9110 §8.6.</summary>
    MalformedContentLength,

    /// <summary>Both Content-Length and Transfer-Encoding. RFC 9112 §6.1.</summary>
    LengthAndTransferEncoding,

    /// <summary>More than one Transfer-Encoding field.</summary>
    SeveralTransferEncodings,

    /// <summary>Transfer-Encoding is no list of codings, or has "chunked" twice or not at its end. RFC 9112 §6.1.</summary>
    MalformedTransferEncoding,

    /// <summary>Transfer-Encoding in an HTTP/1.0 message, whose sender cannot know it. RFC 9112 §6.1.</summary>
    TransferEncodingInHttp10,

    /// <summary>Connection is not a list of tokens, or is a list of more than <see cref="FieldSection.MaxConnectionOptions"/>. RFC 9110 §7.6.1.</summary>
    MalformedConnection,

    /// <summary>TRACE with a body. RFC 9110 §9.3.8.</summary>
    TraceWithBody,

    /// <summary>A real server switches protocols though nobody asked for it. RFC 9110 §15.2.2.</summary>
    UnaskedUpgrade,

    /// <summary>The request line is longer than the limit.</summary>
    RequestLineTooLong,

    /// <summary>The head is larger than the limit.</summary>
    HeadTooLarge,

    /// <summary>The head has more fields than the limit.</summary>
    TooManyFields,

    /// <summary>Neither HTTP/1.1 nor HTTP/1.0. The preface of HTTP/2 is one of these.</summary>
    UnsupportedVersion,

    /// <summary>CONNECT: we stand before real servers and are no tunnel to anywhere.</summary>
    UnsupportedMethod,

    /// <summary>A transfer coding besides chunked. RFC 9112 §6.1.</summary>
    UnsupportedTransferCoding,

    /// <summary>An expectation other than 100-continue. RFC 9110 §10.1.1.</summary>
    UnsupportedExpectation,
}
