using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

public sealed class ResponseTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\n";

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n", 200, "OK")]
    [InlineData("HTTP/1.1 404 Not Found here\r\n", 404, "Not Found here")]
    [InlineData("HTTP/1.0 200 \r\n", 200, "")]
    [InlineData("HTTP/1.1 200\r\n", 200, "")]
    [InlineData("HTTP/1.1 500 caf\u00e9\t!\r\n", 500, "caf\u00e9\t!")]
    [InlineData("HTTP/1.1 999 Request denied\r\n", 999, "Request denied")]
    public void Status_lines_are_rewritten_with_their_reason(string line, int status, string reason)
    {
        string response = line + "Content-Length: 0\r\n\r\n";

        Assert.Equal(ParseResult.Complete, Heads.ResponseResult(response, Heads.Limits));
        Assert.StartsWith($"HTTP/1.1 {status} {reason}\r\n", Heads.Returned(response));
    }

    [Theory]
    [InlineData(Ok + "Content-Length: 5\r\n", Method.Get, BodyFraming.Length, true)]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n", Method.Get, BodyFraming.Chunked, true)]
    [InlineData(Ok, Method.Get, BodyFraming.UntilClose, false)]
    [InlineData(Ok + "Connection: close\r\nContent-Length: 5\r\n", Method.Get, BodyFraming.Length, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", Method.Get, BodyFraming.Length, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n", Method.Get, BodyFraming.Length, true)]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", Method.Get, BodyFraming.UntilClose, false)]
    [InlineData(Ok + "Content-Length: 5\r\n", Method.Head, BodyFraming.None, true)]
    [InlineData(Ok, Method.Head, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n", Method.Get, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", Method.Get, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n", Method.Get, BodyFraming.None, true)]
    public void The_body_is_framed_and_the_connection_kept_as_the_rfc_says(string head, object method, object framing, bool keepAlive)
    {
        ResponseHead response = Heads.Response(head + "\r\n", (Method)method);

        Assert.Equal(framing, response.Framing);
        Assert.Equal(keepAlive, response.KeepAlive);
    }

    [Theory]
    [InlineData(Ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ParseResult.LengthAndTransferEncoding)]
    [InlineData(Ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", ParseResult.SeveralContentLengths)]
    [InlineData(Ok + "Content-Length: 5 \u00e9\r\n\r\n", ParseResult.MalformedContentLength)]
    [InlineData(Ok + "Transfer-Encoding: gzip, chunked\r\n\r\n", ParseResult.UnsupportedTransferCoding)]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ParseResult.TransferEncodingInHttp10)]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5\n\n", ParseResult.BareLineFeed)]
    [InlineData(Ok + "X: a\rb\r\n\r\n", ParseResult.BareCarriageReturn)]
    [InlineData(Ok + "X: a\0b\r\n\r\n", ParseResult.ControlCharacter)]
    [InlineData(Ok + " folded\r\n\r\n", ParseResult.FoldedLine)]
    [InlineData(Ok + "X : y\r\n\r\n", ParseResult.WhitespaceBeforeColon)]
    [InlineData(Ok + "nocolon\r\n\r\n", ParseResult.MalformedFieldName)]
    [InlineData("HTTP/1.1 099 Low\r\n\r\n", ParseResult.MalformedStatusLine)]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n", ParseResult.MalformedStatusLine)]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", ParseResult.MalformedStatusLine)]
    [InlineData("HTTP/1.1 +20 OK\r\n\r\n", ParseResult.MalformedStatusLine)]
    [InlineData("HTTP/1.1  200 OK\r\n\r\n", ParseResult.MalformedStatusLine)]
    [InlineData("ICY 200 OK\r\n\r\n", ParseResult.MalformedStatusLine)]
    [InlineData("\r\nHTTP/1.1 200 OK\r\n\r\n", ParseResult.MalformedStatusLine)]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n", ParseResult.UnsupportedVersion)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", ParseResult.UnaskedUpgrade)]
    public void What_is_no_clear_response_is_refused(string response, object result) =>
        Assert.Equal(result, Heads.ResponseResult(response, Heads.Limits));

    [Fact]
    public void Limits_hold_for_responses_too()
    {
        const string Head = Ok + "X: y\r\n\r\n";

        Assert.Equal(ParseResult.Complete, Heads.ResponseResult(Head, Heads.Limits with { HeaderSize = Head.Length }));
        Assert.Equal(ParseResult.HeadTooLarge, Heads.ResponseResult(Head, Heads.Limits with { HeaderSize = Head.Length - 1 }));
        Assert.Equal(ParseResult.TooManyFields, Heads.ResponseResult(Ok + "X: y\r\nX: y\r\n\r\n", Heads.Limits with { HeaderCount = 1 }));
    }

    [Fact]
    public void What_concerns_one_connection_ends_here() =>
        Assert.Equal(
            Ok + "Server: x\r\nTrail: 1\r\nContent-Length: 5\r\n\r\n",
            Heads.Returned(
                Ok + "Server: x\r\nContent-Length: 5\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: timeout=5\r\nX-Mine: 1\r\n"
                + "Proxy-Connection: x\r\nTrailer: x\r\nUpgrade: h2\r\nTrail:1\r\n\r\n"));

    [Theory]
    [InlineData("Content-Length: 5\r\n", 1, true, "Content-Length: 5\r\n")]
    [InlineData("Content-Length: 5\r\n", 1, false, "Content-Length: 5\r\nConnection: close\r\n")]
    [InlineData("Content-Length: 5\r\n", 0, true, "Content-Length: 5\r\nConnection: keep-alive\r\n")]
    [InlineData("Content-Length: 5\r\n", 0, false, "Content-Length: 5\r\nConnection: close\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", 1, true, "Transfer-Encoding: chunked\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", 0, true, "Connection: close\r\n")]
    [InlineData("", 1, true, "Transfer-Encoding: chunked\r\n")]
    [InlineData("", 0, true, "Connection: close\r\n")]
    public void Framing_and_connection_are_what_the_client_understands(string sent, int minor, bool keepAlive, string written) =>
        Assert.Equal(Ok + written + "\r\n", Heads.Returned(Ok + sent + "\r\n", clientMinorVersion: minor, keepAlive: keepAlive));

    [Theory]
    [InlineData(Ok + "Content-Length: 5\r\n\r\n", Method.Head)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n", Method.Get)]
    public void A_length_that_says_what_a_body_would_have_been_is_kept(string response, object method) =>
        Assert.Equal(response, Heads.Returned(response, (Method)method));

    [Theory]
    [InlineData("HTTP/1.1 204 No Content\r\n", "Content-Length: 0\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n", "Content-Length: 0\r\nConnection: close\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: x\r\n", "Transfer-Encoding: chunked\r\n")]
    public void A_response_that_cannot_have_a_body_states_no_framing(string kept, string dropped) =>
        Assert.Equal(kept + "\r\n", Heads.Returned(kept + dropped + "\r\n"));

    [Fact]
    public void An_upgrade_that_was_asked_for_is_passed_on()
    {
        const string Switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";

        ResponseHead head = Heads.Response(Switch, upgrading: true);

        Assert.True(head.IsSwitching && !head.IsInterim && !head.KeepAlive && !head.HasBody);
        Assert.Equal(
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            Heads.Returned(Switch, upgrading: true));
    }

    [Fact]
    public void Upgrade_required_names_the_protocol() =>
        Assert.Contains(
            "\r\nConnection: upgrade\r\nUpgrade: TLS/1.2\r\n",
            Heads.Returned("HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: TLS/1.2\r\nContent-Length: 0\r\n\r\n"));

    [Theory]
    [InlineData(100, true)]
    [InlineData(103, true)]
    [InlineData(200, false)]
    public void Only_1xx_is_followed_by_another_head(int status, bool interim) =>
        Assert.Equal(interim, Heads.Response($"HTTP/1.1 {status} X\r\n\r\n").IsInterim);

    [Fact]
    public void Too_small_an_output_is_said_and_the_stated_size_is_enough()
    {
        byte[] input = Heads.Bytes("HTTP/1.1 426\r\nA:1\r\nB:2\r\nUpgrade:x\r\nUpgrade:y\r\nContent-Length:3\r\n\r\n");
        ResponseHead head = new();
        head.Parse(input, Heads.Limits, Method.Get, upgrading: false);
        int size = ResponseWriter.LargestSize(head);

        Assert.Equal(-1, ResponseWriter.Write(head, input, 0, keepAlive: true, setCookie: [], new byte[size - 1]));
        Assert.InRange(ResponseWriter.Write(head, input, 0, keepAlive: true, setCookie: [], new byte[size]), 1, size);
    }

    [Fact]
    public void A_cookie_that_does_not_fit_is_left_out()
    {
        byte[] input = Heads.Bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
        byte[] cookie = Heads.Bytes("Set-Cookie: a=b\r\n");
        ResponseHead head = new();
        head.Parse(input, Heads.Limits, Method.Get, upgrading: false);
        byte[] output = new byte[ResponseWriter.LargestSize(head) + cookie.Length];

        int whole = ResponseWriter.Write(head, input, 1, keepAlive: true, cookie, output);
        Assert.Contains("Set-Cookie: a=b\r\n", Heads.Text(output.AsSpan(0, whole)), StringComparison.Ordinal);
        int bare = ResponseWriter.Write(head, input, 1, keepAlive: true, cookie, output.AsSpan(1));

        Assert.Equal(whole - cookie.Length, bare);
    }
}
