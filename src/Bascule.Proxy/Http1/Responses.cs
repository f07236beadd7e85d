using System.Text;
using Bascule.Core.Model;

namespace Bascule.Proxy.Http1;

/// <summary>Complete answers of our own, ready-made: status, one sentence, and the end of the connection.</summary>
/// <remarks>Always "Connection: close": after a request that was refused nobody knows where the next one begins.</remarks>
internal static class Responses
{
    private static readonly Ready[] ByResult = [.. Enum.GetValues<ParseResult>().Select(result => Make(result.Refusal()))];
    private static readonly Ready[] ByOutcome = [.. Enum.GetValues<ForwardOutcome>().Select(outcome => Make(outcome.Refusal()))];

    /// <summary>The answer to a request whose head was refused; empty when it was not.</summary>
    public static ReadOnlySpan<byte> For(ParseResult result) => ByResult[(int)result].Bytes;

    /// <summary>The answer to a request that ended so; empty when there is nothing to say.</summary>
    /// <param name="method">Of the request: the answer to HEAD has no body.</param>
    public static ReadOnlySpan<byte> For(ForwardOutcome outcome, Method method)
    {
        Ready ready = ByOutcome[(int)outcome];
        return method == Method.Head ? ready.Bytes.AsSpan(0, ready.HeadLength) : ready.Bytes;
    }

    private static Ready Make(Refusal? refusal)
    {
        if (refusal is not { } told)
            return new([], 0);
        string body = told.Sentence + "\n";
        string head = $"HTTP/1.1 {told.Status} {ReasonOf(told.Status)}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n";
        return new(Encoding.UTF8.GetBytes(head + body), Encoding.UTF8.GetByteCount(head));
    }

    private static string ReasonOf(int status) => status switch
    {
        400 => "Bad Request",
        408 => "Request Timeout",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "no reason phrase: add it here"),
    };

    private readonly record struct Ready(byte[] Bytes, int HeadLength);
}
