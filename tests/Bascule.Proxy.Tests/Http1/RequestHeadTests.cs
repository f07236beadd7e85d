using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

public sealed class RequestHeadTests
{
    private const string Host = "Host: a\r\n";

    [Fact]
    public void A_browsers_request_is_understood_wherever_it_is_split()
    {
        Assert.Equal(ParseResult.Complete, Heads.RequestResult(Heads.Browser));

        byte[] input = Heads.Bytes(Heads.Browser);
        RequestHead head = Heads.Request(Heads.Browser);

        Assert.Equal(input.Length, head.Length);
        Assert.Equal(Method.Get, head.Method);
        Assert.Equal("/articles/2026/11/seesaw?page=2&sort=newest", Heads.Text(head.Target.In(input)));
        Assert.Equal("www.example.org", Heads.Text(head.Authority.In(input)));
        Assert.Equal(12, head.Fields.Fields.Length);
        Assert.True(head.KeepAlive);
        Assert.False(head.HasBody || head.IsUpgrade || head.ExpectsContinue);
    }

    [Fact]
    public void The_head_ends_where_the_body_or_the_next_request_begins()
    {
        RequestHead head = Heads.Request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n");

        Assert.Equal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n".Length, head.Length);
    }

    [Theory]
    [InlineData("GET", Method.Get, true)]
    [InlineData("HEAD", Method.Head, true)]
    [InlineData("POST", Method.Post, false)]
    [InlineData("PUT", Method.Put, true)]
    [InlineData("DELETE", Method.Delete, true)]
    [InlineData("OPTIONS", Method.Options, true)]
    [InlineData("PATCH", Method.Patch, false)]
    [InlineData("TRACE", Method.Trace, true)]
    [InlineData("get", Method.Other, false)]
    [InlineData("PROPFIND", Method.Other, false)]
    [InlineData("M-SEARCH", Method.Other, false)]
    public void Methods_are_tokens_and_only_idempotent_ones_may_be_tried_twice(string name, object method, bool idempotent)
    {
        RequestHead head = Heads.Request($"{name} / HTTP/1.1\r\n{Host}\r\n");

        Assert.Equal(method, head.Method);
        Assert.Equal(idempotent, head.Method.IsIdempotent());
    }

    [Theory]
    [InlineData("/", "/")]
    [InlineData("//twice/../x", "//twice/../x")]
    [InlineData("/q?a=%20&b={x|y}^`\"<>\\", "/q?a=%20&b={x|y}^`\"<>\\")]
    [InlineData("http://a/path?q", "/path?q")]
    [InlineData("HTTP://A/", "/")]
    [InlineData("http://a:80/", "/")]
    public void Targets_may_be_a_path_or_a_whole_address(string target, string path)
    {
        string request = $"GET {target} HTTP/1.1\r\n{Host}\r\n";

        Assert.Equal(path, Heads.Text(Heads.Request(request).Target.In(Heads.Bytes(request))));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("A.example:8080")]
    [InlineData("192.0.2.1:80")]
    [InlineData("[2001:db8::1]")]
    [InlineData("[::ffff:192.0.2.1]:65535")]
    [InlineData("under_score")]
    [InlineData("a:")]
    public void Host_is_a_name_or_an_address_and_maybe_a_port(string host) =>
        Assert.Equal(ParseResult.Complete, Heads.RequestResult($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));

    [Theory]
    [InlineData("HTTP/1.1", "", true)]
    [InlineData("HTTP/1.1", "Connection: close\r\n", false)]
    [InlineData("HTTP/1.1", "Connection: Keep-Alive , CLOSE\r\n", false)]
    [InlineData("HTTP/1.1", "Connection: x\r\nConnection: close\r\n", false)]
    [InlineData("HTTP/1.0", "", false)]
    [InlineData("HTTP/1.0", "Connection: keep-alive\r\n", true)]
    [InlineData("HTTP/1.0", "Connection: keep-alive, close\r\n", false)]
    [InlineData("HTTP/1.0", "Proxy-Connection: keep-alive\r\n", false)]
    public void Keep_alive_is_what_version_and_connection_say_together(string version, string fields, bool keepAlive) =>
        Assert.Equal(keepAlive, Heads.Request($"GET / {version}\r\n{Host}{fields}\r\n").KeepAlive);

    [Theory]
    [InlineData("", BodyFraming.None, -1L)]
    [InlineData("Content-Length: 0\r\n", BodyFraming.Length, 0L)]
    [InlineData("content-length:\t0042 \r\n", BodyFraming.Length, 42L)]
    [InlineData("Content-Length: 9223372036854775807\r\n", BodyFraming.Length, long.MaxValue)]
    [InlineData("TRANSFER-ENCODING: Chunked\r\n", BodyFraming.Chunked, -1L)]
    public void The_body_is_framed_as_stated(string fields, object framing, long length)
    {
        RequestHead head = Heads.Request($"POST / HTTP/1.1\r\n{Host}{fields}\r\n");

        Assert.Equal(framing, head.Framing);
        Assert.Equal(length, head.ContentLength);
    }

    [Theory]
    [InlineData("HTTP/1.1", "Expect: 100-Continue\r\nContent-Length: 5\r\n", true)]
    [InlineData("HTTP/1.1", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", true)]
    [InlineData("HTTP/1.1", "Expect: 100-continue\r\n", false)]
    [InlineData("HTTP/1.0", "Expect: 100-continue\r\nContent-Length: 5\r\n", false)]
    [InlineData("HTTP/1.0", "Expect: a-pony\r\nContent-Length: 5\r\n", false)]
    public void Only_a_client_of_version_1_1_with_a_body_waits_for_100(string version, string fields, bool expects) =>
        Assert.Equal(expects, Heads.Request($"PUT / {version}\r\n{Host}{fields}\r\n").ExpectsContinue);

    [Theory]
    [InlineData("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true)]
    [InlineData("GET / HTTP/1.1", "Upgrade: websocket\r\n", false)]
    [InlineData("GET / HTTP/1.1", "Connection: upgrade\r\n", false)]
    [InlineData("GET / HTTP/1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n", false)]
    [InlineData("POST / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n", false)]
    [InlineData("POST / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n", true)]
    [InlineData("GET / HTTP/1.1", "Connection: upgrade, HTTP2-Settings\r\nUpgrade: websocket, H2C\r\n", false)]
    public void An_upgrade_is_passed_on_only_when_it_is_clear(string line, string fields, bool upgrade) =>
        Assert.Equal(upgrade, Heads.Request($"{line}\r\n{Host}{fields}\r\n").IsUpgrade);

    [Fact]
    public void One_empty_line_before_the_request_is_forgiven()
    {
        const string Request = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";

        Assert.Equal(ParseResult.Complete, Heads.RequestResult(Request));
        Assert.Equal(Request.Length, Heads.Request(Request).Length);
    }

    [Fact]
    public void Http_1_0_may_leave_out_host() =>
        Assert.Equal(ParseResult.Complete, Heads.RequestResult("GET / HTTP/1.0\r\n\r\n"));

    [Fact]
    public void Nothing_of_a_head_shows_in_the_next()
    {
        RequestHead head = new();
        head.Parse(Heads.Bytes("POST http://b HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\nX-Forwarded-For: x\r\n\r\n"), Heads.Limits);

        byte[] second = Heads.Bytes("GET /x HTTP/1.0\r\n\r\n");
        Assert.Equal(ParseResult.Complete, head.Parse(second, Heads.Limits));

        Assert.False(head.HasBody || head.ExpectsContinue || head.Fields.AsksToClose || head.TargetLacksPath);
        Assert.Equal(0, head.Authority.Length);
        Assert.Equal(-1, head.ContentLength);
        Assert.False(head.Fields.Has(KnownField.XForwardedFor));
    }
}
