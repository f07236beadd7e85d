using Bascule.Core.Model;

namespace Bascule.Proxy.Http1;

/// <summary>What a client is told when it gets no answer from a real server.</summary>
/// <param name="Status">400 to 505.</param>
/// <param name="Sentence">What happened, and what to do about it.</param>
internal readonly record struct Refusal(int Status, string Sentence);

/// <summary>The one place where results and outcomes become statuses and sentences.</summary>
internal static class Refusals
{
    /// <summary>Null for <see cref="ParseResult.Complete"/> and <see cref="ParseResult.Incomplete"/>.</summary>
    public static Refusal? Refusal(this ParseResult result) => result switch
    {
        ParseResult.Incomplete or ParseResult.Complete => null,
        ParseResult.BareLineFeed => BadRequest("a line ends in LF without CR"),
        ParseResult.BareCarriageReturn => BadRequest("a CR is not followed by LF"),
        ParseResult.ControlCharacter => BadRequest("there is a control character in its head, as in protocols other than HTTP"),
        ParseResult.MalformedRequestLine => BadRequest("its first line is not 'METHOD target HTTP/1.1' with single spaces"),
        ParseResult.MalformedTarget => BadRequest("its target must be a path, or http:// and a path, percent-encoded and without fragment"),
        ParseResult.MalformedStatusLine => BadRequest("its first line is a status line, and a malformed one"),
        ParseResult.MalformedFieldName => BadRequest("a header line does not begin with a name and a colon"),
        ParseResult.WhitespaceBeforeColon => BadRequest("there is a space between a header's name and its colon"),
        ParseResult.FoldedLine => BadRequest("a header line begins with a space; folded lines are no longer part of HTTP"),
        ParseResult.NoHost => BadRequest("it has no Host header"),
        ParseResult.SeveralHosts => BadRequest("it has more than one Host header"),
        ParseResult.MalformedHost => BadRequest("its Host header is not 'host' or 'host:port'"),
        ParseResult.HostDisagreesWithTarget => BadRequest("its Host header and its target name different hosts"),
        ParseResult.SeveralContentLengths => BadRequest("it has more than one Content-Length header"),
        ParseResult.MalformedContentLength => BadRequest("its Content-Length is not a plain number"),
        ParseResult.LengthAndTransferEncoding => BadRequest("it has both Content-Length and Transfer-Encoding, so its end is ambiguous"),
        ParseResult.SeveralTransferEncodings => BadRequest("it has more than one Transfer-Encoding header"),
        ParseResult.MalformedTransferEncoding => BadRequest("its Transfer-Encoding does not end in one 'chunked'"),
        ParseResult.TransferEncodingInHttp10 => BadRequest("it is HTTP/1.0 and has a Transfer-Encoding, which HTTP/1.0 does not know"),
        ParseResult.MalformedConnection => BadRequest("its Connection header is not a short list of names"),
        ParseResult.TraceWithBody => BadRequest("it is a TRACE with a body"),
        ParseResult.UnaskedUpgrade => BadRequest("it switches protocols unasked"),
        ParseResult.RequestLineTooLong => new(414, "The address of this request is longer than this server accepts."),
        ParseResult.HeadTooLarge => new(431, "The headers of this request are larger than this server accepts. Deleting cookies may help."),
        ParseResult.TooManyFields => new(431, "This request has more headers than this server accepts."),
        ParseResult.UnsupportedVersion => new(505, "This server speaks HTTP/1.1 and HTTP/1.0 here, and no other version."),
        ParseResult.UnsupportedMethod => new(501, "CONNECT is for forward proxies; this server is none."),
        ParseResult.UnsupportedTransferCoding => new(501, "The only Transfer-Encoding this server knows is 'chunked'."),
        ParseResult.UnsupportedExpectation => new(417, "The only Expect header this server knows is '100-continue'."),
    };

    /// <summary>Null when there is nothing to say, or nobody left to say it to.</summary>
    public static Refusal? Refusal(this ForwardOutcome outcome) => outcome switch
    {
        ForwardOutcome.Completed or ForwardOutcome.CompletedBySorryServer => null,
        ForwardOutcome.ClientLeft or ForwardOutcome.ClientSentNoProxyHeader or ForwardOutcome.ShutDown => null,
        ForwardOutcome.DatagramTooLarge or ForwardOutcome.DatagramNotSent => null,
        ForwardOutcome.ClientSentBadRequest => new(400, "This request could not be understood, or could be understood in two ways."),
        ForwardOutcome.ClientSentLongRequestLine => ParseResult.RequestLineTooLong.Refusal(),
        ForwardOutcome.ClientSentLargeHead => ParseResult.HeadTooLarge.Refusal(),
        ForwardOutcome.ClientSentUnsupported => new(501, "This request needs something that this server does not know."),
        ForwardOutcome.ClientTimedOut => new(408, "This request took too long to arrive."),
        ForwardOutcome.NoRealServer => new(503, "No server can take this request right now. Please try again in a moment."),
        ForwardOutcome.WorkerFull => new(503, "This server has as many connections as it may. Please try again in a moment."),
        ForwardOutcome.RealServerRefused => new(502, "The server behind this one could not be reached."),
        ForwardOutcome.RealServerBrokeOff => new(502, "The server behind this one broke off before its answer was complete."),
        ForwardOutcome.RealServerSentBadResponse => new(502, "The server behind this one sent an answer that could not be understood."),
        ForwardOutcome.RealServerTimedOut => new(504, "The server behind this one did not answer in time."),
    };

    /// <summary>The outcome of a request whose head was refused; null when it was not. (A response whose head is refused is
    /// always <see cref="ForwardOutcome.RealServerSentBadResponse"/>.)</summary>
    public static ForwardOutcome? RequestOutcome(this ParseResult result) => result.Refusal()?.Status switch
    {
        null => null,
        400 => ForwardOutcome.ClientSentBadRequest,
        414 => ForwardOutcome.ClientSentLongRequestLine,
        431 => ForwardOutcome.ClientSentLargeHead,
        _ => ForwardOutcome.ClientSentUnsupported,
    };

    private static Refusal BadRequest(string because) => new(400, $"This request was refused: {because}.");
}
