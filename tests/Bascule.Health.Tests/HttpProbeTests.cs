using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class HttpProbeTests : IAsyncLifetime
{
    private const string Fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly Bench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.StopAsync();

    [Fact]
    public async Task Sends_the_request_as_configured_and_nothing_else()
    {
        await using FakeRealServer web = FakeRealServer.Answering(Fine);
        await AnswerAsync(web, Checks.Http with
        {
            Method = "OPTIONS",
            Path = "/a/../b?c=%20",
            Host = "shop.example",
            Headers = [new("X-Probe", "1"), new("x-probe", "2")],
        });

        Assert.Equal(
            ["OPTIONS /a/../b?c=%20 HTTP/1.1\r\nHost: shop.example\r\nX-Probe: 1\r\nx-probe: 2\r\nUser-Agent: bascule-check\r\nConnection: close\r\n\r\n"],
            web.Requests);
    }

    [Fact]
    public async Task Names_the_address_it_asks_as_host_and_lets_the_configuration_choose_the_user_agent()
    {
        await using FakeRealServer web = FakeRealServer.Answering(Fine);
        await AnswerAsync(web, Checks.Http with { Headers = [new("user-agent", "me")] });

        Assert.Equal([$"GET /healthz HTTP/1.1\r\nHost: {web.Address}\r\nuser-agent: me\r\nConnection: close\r\n\r\n"], web.Requests);
    }

    [Theory]
    [InlineData(Fine)]
    [InlineData("HTTP/1.0 200 OK\r\n\r\nuntil it closes")]
    [InlineData("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;why=not\r\nyes\r\n0\r\nTrailer: 1\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")]
    public async Task Passes_on_a_full_answer_of_an_expected_status(string bytes) => Assert.Equal("200 in 0 ms", await AnswerAsync(bytes, Checks.Http));

    [Theory]
    [InlineData(200, true)]
    [InlineData(299, true)]
    [InlineData(302, true)]
    [InlineData(300, false)]
    [InlineData(503, false)]
    public async Task Expects_any_of_the_listed_ranges(int status, bool passes)
    {
        HttpCheck check = Checks.Http with { Expect = [new(200, 299), new(302, 302)] };

        string why = await AnswerAsync($"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n", check);

        Assert.Equal(passes ? $"{status} in 0 ms" : $"status {status}, expected 200-299, 302", why);
    }

    [Fact]
    public async Task Does_not_follow_redirects()
    {
        await using FakeRealServer elsewhere = FakeRealServer.Answering(Fine);

        string why = await AnswerAsync($"HTTP/1.1 302 Found\r\nLocation: http://{elsewhere.Address}/\r\nContent-Length: 0\r\n\r\n", Checks.Http);

        Assert.Equal("status 302, expected 200", why);
        Assert.Equal(0, elsewhere.Accepted);
    }

    [Fact]
    public async Task Does_not_wait_for_the_body_of_an_answer_to_HEAD()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");

        Assert.Equal("200 in 0 ms", await AnswerAsync(web, Checks.Http with { Method = "HEAD" }));
    }

    [Fact]
    public async Task Does_not_wait_for_a_real_server_that_keeps_the_connection_open_after_its_answer()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Fine);

        Assert.Equal("200 in 0 ms", await AnswerAsync(web, Checks.Http));
    }

    [Theory]
    [InlineData("all is ok here", "200 in 0 ms")]
    [InlineData("all is OK here", "body does not contain \"is ok\"")]
    public async Task Looks_for_a_text_in_the_body(string body, string expected) =>
        Assert.Equal(expected, await AnswerAsync("HTTP/1.1 200 OK\r\n\r\n" + body, Checks.Http with { BodyContains = "is ok" }));

    [Fact]
    public async Task Finds_a_text_that_lies_across_chunks() => Assert.Equal("200 in 0 ms", await AnswerAsync(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nis o\r\n1\r\nk\r\n0\r\n\r\n", Checks.Http with { BodyContains = "is ok" }));

    [Theory]
    [InlineData("replicas: 12", "200 in 0 ms")]
    [InlineData("replicas: none", "body does not match \"replicas: \\d+\"")]
    public async Task Matches_the_body_against_a_regular_expression(string body, string expected) =>
        Assert.Equal(expected, await AnswerAsync("HTTP/1.1 200 OK\r\n\r\n" + body, Checks.Http with { BodyMatches = @"replicas: \d+" }));

    [Fact]
    public async Task Looks_at_the_first_64_KiB_of_a_body_only()
    {
        string padding = new('.', (64 * 1024) - 2);
        string answer = $"HTTP/1.1 200 OK\r\nContent-Length: {padding.Length + 4}\r\n\r\n{padding}abcd";

        Assert.Equal("200 in 0 ms", await AnswerAsync(answer, Checks.Http with { BodyContains = "ab" }));
        Assert.Equal("body does not contain \"bc\"", await AnswerAsync(answer, Checks.Http with { BodyContains = "bc" }));
    }

    [Theory]
    [InlineData("", "closed before a full answer")]
    [InlineData("HTTP/1", "closed before a full answer")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", "closed before a full answer")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "closed before a full answer")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "closed before a full answer")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "closed before a full answer")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n", "not an HTTP answer: a chunk is longer than its size")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", "not an HTTP answer: bad chunk size")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n", "not an HTTP answer: bad chunk size")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", "not an HTTP answer: bad chunk size")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "not an HTTP answer: bad Content-Length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not an HTTP answer: bad Content-Length")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP answer")]
    [InlineData("\0\u0001\u0002 no line at all", "not an HTTP answer")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", "not an HTTP answer")]
    [InlineData("HTTP/1.1 abc\r\n\r\n", "not an HTTP answer")]
    [InlineData("HTTP/2 200\r\n\r\n", "not an HTTP answer")]
    [InlineData("\r\n", "not an HTTP answer")]
    public async Task Says_what_is_wrong_with_an_answer(string bytes, string expected) => Assert.Equal(expected, await AnswerAsync(bytes, Checks.Http));

    [Fact]
    public async Task Has_a_verdict_on_any_garbage()
    {
        const string Answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n2\r\nok\r\nA;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n";
        Random chance = new(7);
        for (int i = 0; i < 200; i++)
        {
            char[] bytes = Answer.ToCharArray();
            for (int change = 0; change <= i % 4; change++)
                bytes[chance.Next(bytes.Length)] = chance.Next(3) == 0 ? "\r\n:; 0Fx"[chance.Next(8)] : (char)chance.Next(256);

            string why = await AnswerAsync(new string(bytes, 0, chance.Next(bytes.Length + 1)), Checks.Http);

            Assert.Matches("^(200 in 0 ms|status [0-9]{3}, expected 200|closed before a full answer|connection reset|not an HTTP answer.*)$", why);
        }
    }

    [Fact]
    public async Task Says_when_the_connection_is_reset_in_the_middle()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            client.Reset();
        });

        Assert.Equal("connection reset", await AnswerAsync(web, Checks.Http));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n", "X-Endless: again\r\n", "the head of the answer does not end")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Endless: ", "no line ending", "the head of the answer does not end")]
    [InlineData("", "HTTP/1.1 100 Continue\r\n\r\n", "the head of the answer does not end")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "endless chunk extension", "the head of the answer does not end")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", "an endless body", "200 in 0 ms")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFFFFFF\r\n", "one endless chunk", "200 in 0 ms")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "200 in 0 ms")]
    public async Task Stops_reading_an_answer_without_end(string beginning, string again, string expected)
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(beginning);
            string more = string.Concat(Enumerable.Repeat(again, 500));
            while (true)
                await client.WriteAsync(more); // until the check has had enough and closes
        });

        Assert.Equal(expected, await AnswerAsync(web, Checks.Http));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nX: ")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")]
    public async Task Gives_up_on_a_real_server_that_drips(string beginning)
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(beginning);
            await client.DripAsync(new string('x', 1000), TimeSpan.FromMilliseconds(300), _bench.Clock);
        });
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(Checks.Http, web.Address)), RoleSet.Alone);
        HealthRecord record = _bench.Board.Find(Checks.Http, web.Address)!;

        for (int drip = 0; drip < 4; drip++)
        {
            await Eventually.HoldsAsync(() => _bench.Clock.ArmedTimers == 2); // the timeout, and the next drop
            Assert.Null(record.Last);
            _bench.Clock.Advance(TimeSpan.FromMilliseconds(300));
        }

        await Eventually.HoldsAsync(() => record.Last is not null);
        Assert.Equal("no answer within 1s", record.Last!.Why);
    }

    [Fact]
    public async Task Fails_with_the_timeout_as_it_is_written_in_the_configuration()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        HttpCheck check = Checks.Http with { Timeout = TimeSpan.FromMilliseconds(250) };
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(check, web.Address)), RoleSet.Alone);
        await Eventually.HoldsAsync(() => web.Accepted == 1 && _bench.Clock.ArmedTimers == 1);

        _bench.Clock.Advance(check.Timeout);

        HealthRecord record = _bench.Board.Find(check, web.Address)!;
        await Eventually.HoldsAsync(() => record.Last is not null);
        Assert.Equal(new(false, "no answer within 250ms", check.Timeout), record.Last);
    }

    private static async Task<string> AnswerAsync(string bytes, HttpCheck check)
    {
        await using FakeRealServer web = FakeRealServer.Answering(bytes);
        return await AnswerAsync(web, check);
    }

    private static async Task<string> AnswerAsync(FakeRealServer web, HttpCheck check)
    {
        Bench bench = new();
        HealthRecord record = await bench.FirstAnswerAsync(check, web.Address);
        await bench.StopAsync();
        return record.Last!.Why;
    }
}
