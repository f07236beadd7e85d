using Bascule.Core.Model;
using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>Every way to be refused. Each vector is parsed whole and byte by byte.</summary>
public sealed class RequestRefusalTests
{
    private const string Ok = "GET / HTTP/1.1\r\nHost: a\r\n";

    [Theory]
    [InlineData("GET / HTTP/1.1\nHost: a\n\n", ParseResult.BareLineFeed)]
    [InlineData("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ParseResult.BareLineFeed)]
    [InlineData(Ok + "X: y\n\r\n", ParseResult.BareLineFeed)]
    [InlineData(Ok + "\n", ParseResult.BareLineFeed)]
    [InlineData("GET / HTTP/1.1\rHost: a\r\n\r\n", ParseResult.BareCarriageReturn)]
    [InlineData("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", ParseResult.BareCarriageReturn)]
    [InlineData(Ok + "X: a\rb\r\n\r\n", ParseResult.BareCarriageReturn)]
    [InlineData(Ok + "X: a\r\r\n\r\n", ParseResult.BareCarriageReturn)]
    [InlineData(Ok + "\rX", ParseResult.BareCarriageReturn)]
    [InlineData(Ok + "X: a\0b\r\n\r\n", ParseResult.ControlCharacter)]
    [InlineData(Ok + "X: a\u0001b\r\n\r\n", ParseResult.ControlCharacter)]
    [InlineData(Ok + "X: a\u000bb\r\n\r\n", ParseResult.ControlCharacter)]
    [InlineData(Ok + "X: a\u001bb\r\n\r\n", ParseResult.ControlCharacter)]
    [InlineData(Ok + "X: a\u007fb\r\n\r\n", ParseResult.ControlCharacter)]
    [InlineData(Ok + "X\0: a\r\n\r\n", ParseResult.ControlCharacter)]
    [InlineData("GET /\0 HTTP/1.1\r\n", ParseResult.ControlCharacter)]
    [InlineData("\u0016\u0003\u0001\u0002\0", ParseResult.ControlCharacter)] // the hello of TLS
    public void Line_endings_and_control_characters(string request, object result) => AssertRefused(request, result, 400);

    [Theory]
    [InlineData("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET /\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET\r\n", ParseResult.MalformedRequestLine)]
    [InlineData(" GET / HTTP/1.1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET  HTTP/1.1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET\t/ HTTP/1.1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GE(T / HTTP/1.1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET / http/1.1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET / HTTP/1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET / HTTP/1.1 \r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET / HTTP/1.10\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET / HTTP/1,1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET /HTTP/1.1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET / HTTPS/1.1\r\n", ParseResult.MalformedRequestLine)]
    [InlineData("GET  / HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET /  HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET /a b HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET /a\tb HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET /#top HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET /caf\u00e9 HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET path HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET ?q HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET * HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("OPTIONS *x HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET a:80 HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET http:///x HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET http://user@a/ HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET http://a:b/ HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET http://a\\@b/ HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET ftp://a/ HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    [InlineData("GET https://a/ HTTP/1.1\r\n", ParseResult.MalformedTarget)]
    public void Request_lines(string request, object result) => AssertRefused(request, result, 400);

    [Theory]
    [InlineData(Ok + "X : y\r\n", ParseResult.WhitespaceBeforeColon)]
    [InlineData(Ok + "X\t: y\r\n", ParseResult.WhitespaceBeforeColon)]
    [InlineData(Ok + "Transfer-Encoding : chunked\r\n", ParseResult.WhitespaceBeforeColon)]
    [InlineData(Ok + "X y\r\n", ParseResult.WhitespaceBeforeColon)]
    [InlineData(Ok + " folded\r\n", ParseResult.FoldedLine)]
    [InlineData(Ok + "\tfolded: x\r\n", ParseResult.FoldedLine)]
    [InlineData(Ok + " \r\n", ParseResult.FoldedLine)]
    [InlineData("GET / HTTP/1.1\r\n Host: a\r\n", ParseResult.FoldedLine)]
    [InlineData(Ok + ": empty\r\n", ParseResult.MalformedFieldName)]
    [InlineData(Ok + "nocolon\r\n", ParseResult.MalformedFieldName)]
    [InlineData(Ok + "X[]: y\r\n", ParseResult.MalformedFieldName)]
    [InlineData(Ok + "X\u00e9: y\r\n", ParseResult.MalformedFieldName)]
    [InlineData(Ok + "\"X\": y\r\n", ParseResult.MalformedFieldName)]
    [InlineData(Ok + "Connection: a b\r\n\r\n", ParseResult.MalformedConnection)]
    [InlineData(Ok + "Connection: keep-alive;\r\n\r\n", ParseResult.MalformedConnection)]
    [InlineData(Ok + "Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\r\n\r\n", ParseResult.MalformedConnection)]
    public void Field_lines(string request, object result) => AssertRefused(request, result, 400);

    [Theory]
    [InlineData("", ParseResult.NoHost)]
    [InlineData("Host: a\r\nHost: a\r\n", ParseResult.SeveralHosts)]
    [InlineData("Host: a\r\nhost: b\r\n", ParseResult.SeveralHosts)]
    [InlineData("Host:\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a b\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a, b\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a,b\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a/b\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: http://a\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: u@a\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a:8x\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a:-1\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a:65536\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: a:1:2\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: :80\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: ::1\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: [::1\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: [::1]x\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: [a.example]\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: []\r\n", ParseResult.MalformedHost)]
    [InlineData("Host: caf\u00e9\r\n", ParseResult.MalformedHost)]
    public void Hosts(string fields, object result) => AssertRefused($"GET / HTTP/1.1\r\n{fields}\r\n", result, 400);

    [Theory]
    [InlineData("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET http://b/ HTTP/1.0\r\nHost: a\r\n\r\n")]
    public void A_target_that_names_another_host(string request) =>
        AssertRefused(request, ParseResult.HostDisagreesWithTarget, 400);

    [Fact]
    public void Two_hosts_in_http_1_0() =>
        AssertRefused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", ParseResult.SeveralHosts, 400);

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 5\r\n", ParseResult.SeveralContentLengths)]
    [InlineData("Content-Length: 5\r\ncontent-length: 6\r\n", ParseResult.SeveralContentLengths)]
    [InlineData("Content-Length: 5, 5\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: +5\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: -5\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: 0x5\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: 5.0\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: 1_000\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: 5 5\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length:\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: 9223372036854775808\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: 18446744073709551621\r\n", ParseResult.MalformedContentLength)]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ParseResult.LengthAndTransferEncoding)]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", ParseResult.LengthAndTransferEncoding)]
    [InlineData("Transfer-Encoding: nonsense\r\nContent-Length: 0\r\n", ParseResult.LengthAndTransferEncoding)]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ParseResult.SeveralTransferEncodings)]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", ParseResult.SeveralTransferEncodings)]
    [InlineData("Transfer-Encoding: chunked, chunked\r\n", ParseResult.MalformedTransferEncoding)]
    [InlineData("Transfer-Encoding: chunked, gzip\r\n", ParseResult.MalformedTransferEncoding)]
    [InlineData("Transfer-Encoding: chunked,\r\n", ParseResult.UnsupportedTransferCoding)]
    [InlineData("Transfer-Encoding: ,chunked\r\n", ParseResult.MalformedTransferEncoding)]
    [InlineData("Transfer-Encoding: \"chunked\"\r\n", ParseResult.MalformedTransferEncoding)]
    [InlineData("Transfer-Encoding: chunked;q=1\r\n", ParseResult.MalformedTransferEncoding)]
    [InlineData("Transfer-Encoding:\r\n", ParseResult.MalformedTransferEncoding)]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n", ParseResult.UnsupportedTransferCoding)]
    [InlineData("Transfer-Encoding: identity\r\n", ParseResult.UnsupportedTransferCoding)]
    [InlineData("Transfer-Encoding: xchunked\r\n", ParseResult.UnsupportedTransferCoding)]
    public void Framings_that_are_wrong_or_could_be_read_in_two_ways(string fields, object result) =>
        AssertRefused($"POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n", result, (ParseResult)result == ParseResult.UnsupportedTransferCoding ? 501 : 400);

    [Fact]
    public void Transfer_encoding_in_http_1_0() =>
        AssertRefused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", ParseResult.TransferEncodingInHttp10, 400);

    [Fact]
    public void Trace_with_a_body() =>
        AssertRefused("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", ParseResult.TraceWithBody, 400);

    [Theory]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ParseResult.UnsupportedVersion, 505)]
    [InlineData("GET / HTTP/1.2\r\n", ParseResult.UnsupportedVersion, 505)]
    [InlineData("GET / HTTP/0.9\r\n", ParseResult.UnsupportedVersion, 505)]
    [InlineData("GET / HTTP/3.0\r\n", ParseResult.UnsupportedVersion, 505)]
    [InlineData("CONNECT a:443 HTTP/1.1\r\n", ParseResult.UnsupportedMethod, 501)]
    [InlineData(Ok + "Expect: a-pony\r\n\r\n", ParseResult.UnsupportedExpectation, 417)]
    [InlineData(Ok + "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", ParseResult.UnsupportedExpectation, 417)]
    public void What_we_do_not_speak(string request, object result, int status) => AssertRefused(request, result, status);

    [Fact]
    public void A_request_line_may_fill_its_limit_and_no_more()
    {
        Limits limits = Heads.Limits with { RequestLineSize = 100 };
        string longest = "GET /" + new string('x', 100 - "GET / HTTP/1.1".Length) + " HTTP/1.1\r\n";

        Assert.Equal(ParseResult.Complete, Heads.RequestResult(longest + "Host: a\r\n\r\n", limits));
        Assert.Equal(ParseResult.RequestLineTooLong, Heads.RequestResult(longest.Replace("/x", "/xx") + "Host: a\r\n\r\n", limits));
        Assert.Equal(ParseResult.RequestLineTooLong, Heads.RequestResult(new string('G', 101), limits));
        Assert.Equal(ParseResult.Incomplete, Heads.RequestResult(new string('G', 100), limits));
    }

    [Fact]
    public void A_head_may_fill_its_limit_and_no_more()
    {
        const string Head = Ok + "X: y\r\n\r\n";

        Assert.Equal(ParseResult.Complete, Heads.RequestResult(Head, Heads.Limits with { HeaderSize = Head.Length }));
        Assert.Equal(ParseResult.HeadTooLarge, Heads.RequestResult(Head, Heads.Limits with { HeaderSize = Head.Length - 1 }));
        Assert.Equal(ParseResult.HeadTooLarge, Heads.RequestResult(Ok + "X: " + new string('y', 20_000), Heads.Limits));
    }

    [Fact]
    public void There_may_be_as_many_fields_as_the_limit_and_no_more()
    {
        Limits limits = Heads.Limits with { HeaderCount = 3 };

        Assert.Equal(ParseResult.Complete, Heads.RequestResult(Ok + "X: 1\r\nX: 2\r\n\r\n", limits));
        Assert.Equal(ParseResult.TooManyFields, Heads.RequestResult(Ok + "X: 1\r\nX: 2\r\nX: 3\r\n\r\n", limits));
    }

    [Fact]
    public void A_limit_may_be_raised_between_two_heads()
    {
        byte[] request = Heads.Bytes(Ok + "X: 1\r\nX: 2\r\n\r\n");
        RequestHead head = new();

        Assert.Equal(ParseResult.TooManyFields, head.Parse(request, Heads.Limits with { HeaderCount = 2 }));
        Assert.Equal(ParseResult.Complete, head.Parse(request, Heads.Limits with { HeaderCount = 3 }));
    }

    private static void AssertRefused(string request, object result, int status)
    {
        Assert.Equal(result, Heads.RequestResult(request));
        Assert.Equal(status, ((ParseResult)result).Refusal()?.Status);
    }
}
