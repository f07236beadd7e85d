using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

public sealed class RequestWriterTests
{
    private const string OurFields = "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n";

    [Fact]
    public void A_request_arrives_with_host_first_its_fields_in_order_and_ours_last() =>
        Assert.Equal(
            "GET /x?y HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nCookie: b=c\r\n" + OurFields + "\r\n",
            Heads.Forwarded("GET /x?y HTTP/1.1\r\nAccept: */*\r\nHost: a\r\nCookie: b=c\r\n\r\n"));

    [Fact]
    public void Whitespace_around_values_is_put_right_and_bytes_within_are_untouched() =>
        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2 \t 3\r\nC: caf\u00e9\r\nD: \r\nE: 5\r\n" + OurFields + "\r\n",
            Heads.Forwarded("GET / HTTP/1.1\r\nHost:a\r\nA:1\r\nB: \t2 \t 3\t \r\nC: caf\u00e9\r\nD:\r\nE: 5\r\n\r\n"));

    [Theory]
    [InlineData("Connection: keep-alive\r\n")]
    [InlineData("Connection: close\r\n")]
    [InlineData("Keep-Alive: timeout=5\r\n")]
    [InlineData("Proxy-Connection: keep-alive\r\n")]
    [InlineData("TE: trailers\r\n")]
    [InlineData("Trailer: X-Sum\r\n")]
    [InlineData("Upgrade: websocket\r\n")]
    [InlineData("Connection: x-mine, X-Other\r\nX-Mine: 1\r\nx-other: 2\r\nX-MINE: 3\r\n")]
    [InlineData("Connection: , ,X-Mine ,\r\nConnection:\r\nX-Mine: 1\r\n")]
    [InlineData("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")]
    [InlineData("Expect: 100-continue\r\n")]
    public void What_concerns_one_connection_ends_here(string fields) =>
        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: a\r\n" + OurFields + "\r\n",
            Heads.Forwarded($"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));

    [Fact]
    public void Connection_cannot_remove_the_fields_we_answer_for() =>
        Assert.Equal(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n",
            Heads.Forwarded(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Forwarded-For: 198.51.100.1\r\n"
                + "Connection: Host, Content-Length, X-Forwarded-For, X-Forwarded-Proto, Transfer-Encoding\r\n\r\n"));

    [Theory]
    [InlineData("Content-Length: 007\r\n", "Content-Length: 7\r\n")]
    [InlineData("content-length:0\r\n", "Content-Length: 0\r\n")]
    [InlineData("transfer-encoding: CHUNKED\r\n", "Transfer-Encoding: chunked\r\n")]
    public void The_framing_is_restated_in_our_words(string sent, string written) =>
        Assert.Equal(
            "POST / HTTP/1.1\r\nHost: a\r\n" + written + OurFields + "\r\n",
            Heads.Forwarded($"POST / HTTP/1.1\r\n{sent}Host: a\r\n\r\n"));

    [Fact]
    public void The_client_is_added_to_those_before_it_in_one_field() =>
        Assert.Contains(
            "\r\nX-Forwarded-For: 198.51.100.1, 10.0.0.1, 10.0.0.2, 2001:db8::1\r\n",
            Heads.Forwarded(
                "GET / HTTP/1.1\r\nx-forwarded-for: 198.51.100.1, 10.0.0.1\r\nHost: a\r\nX-FORWARDED-FOR:\r\nX-Forwarded-For: 10.0.0.2\r\n\r\n",
                client: "2001:db8::1"));

    [Theory]
    [InlineData("X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n")]
    [InlineData("X_Forwarded_For: 127.0.0.1\r\nX-Forwarded_Proto: https\r\nx_forwarded_host: evil\r\n")]
    [InlineData("Content_Length: 5\r\nTransfer_Encoding: chunked\r\n")]
    public void What_we_vouch_for_cannot_be_faked(string fields) =>
        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: a\r\n" + OurFields + "\r\n",
            Heads.Forwarded($"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));

    [Fact]
    public void Other_names_with_underscores_pass() =>
        Assert.Contains("\r\nmy_field: 1\r\n", Heads.Forwarded("GET / HTTP/1.1\r\nHost: a\r\nmy_field: 1\r\n\r\n"));

    [Theory]
    [InlineData("GET http://a/x?y", "GET /x?y")]
    [InlineData("GET http://a", "GET /")]
    [InlineData("GET http://a?y", "GET /?y")]
    [InlineData("OPTIONS http://a", "OPTIONS *")]
    [InlineData("OPTIONS *", "OPTIONS *")]
    public void A_whole_address_becomes_a_path(string sent, string written) =>
        Assert.Equal(
            written + " HTTP/1.1\r\nHost: a\r\n" + OurFields + "\r\n",
            Heads.Forwarded($"{sent} HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Fact]
    public void A_request_without_host_is_for_the_address_it_came_to() =>
        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: 192.0.2.10:80\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: 192.0.2.10:80\r\n\r\n",
            Heads.Forwarded("GET / HTTP/1.0\r\n\r\n"));

    [Fact]
    public void An_upgrade_is_passed_on() =>
        Assert.Equal(
            "GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Version: 13\r\n" + OurFields + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            Heads.Forwarded("GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"));

    [Fact]
    public void An_expectation_is_passed_on() =>
        Assert.EndsWith(
            "\r\nExpect: 100-continue\r\n\r\n",
            Heads.Forwarded("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nexpect: 100-Continue\r\n\r\n"));

    [Fact]
    public void Too_small_an_output_is_said_and_the_stated_size_is_enough()
    {
        byte[] input = Heads.Bytes("POST /x HTTP/1.1\r\nHost:a\r\nA:1\r\nB:2\r\nX-Forwarded-For:9\r\nContent-Length:3\r\n\r\n");
        RequestHead head = new();
        head.Parse(input, Heads.Limits);
        ClientSide client = new("203.0.113.7"u8, "http"u8, "192.0.2.10:80"u8);
        int size = RequestWriter.LargestSize(head, client);

        Assert.Equal(-1, RequestWriter.Write(head, input, client, new byte[size - 1]));
        Assert.InRange(RequestWriter.Write(head, input, client, new byte[size]), 1, size);
    }
}
