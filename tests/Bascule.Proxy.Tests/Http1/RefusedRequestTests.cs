using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class RefusedRequestTests
{
    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("GET / HTTP/1.1\nHost: s\n\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\nA: b\r\n c\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\nHost: t\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\nA : b\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx")]
    [InlineData("POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003")]
    public async Task An_ambiguous_request_gets_400_and_reaches_nobody(string request)
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        Answer answer = await client.AskAsync(request);

        Assert.Equal(400, answer.Status);
        Assert.Contains("\r\nConnection: close\r\n", answer.Head);
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Empty(web.Requests);
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.ClientSentBadRequest));
        Assert.Equal(1, await director.EndingsAsync());
        client.Dispose();
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_bad_chunk_later_in_a_request_gets_400_and_the_real_server_never_sees_its_end()
    {
        TaskCompletionSource<Exception?> end = new();
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            string head = (await client.ReadHeadAsync())!;
            end.SetResult(await Record.ExceptionAsync(() => Webs.ReadBodyAsync(client, head)));
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        await Eventually.HoldsAsync(() => web.Requests.Count == 1);
        await client.SendAsync("zz\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadToEndAsync());
        Assert.NotNull(await end.Task.WaitAsync(TimeSpan.FromSeconds(15)));
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.ClientSentBadRequest));
        Assert.Equal(0, director.RealServer(0).Counters[0].Failures);
    }

    [Fact]
    public async Task The_refusal_is_read_even_by_a_client_that_goes_on_sending()
    {
        await using Director director = Director.Start(Director.Http(Director.FreeAddress()));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: s\r\nHost: t\r\n\r\n" + new string('x', 3_000_000));
        string answer = await client.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 400 ", answer);
    }

    [Fact]
    public async Task Requests_before_a_bad_one_in_the_pipeline_are_answered()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync(Webs.Get + Webs.Get + "BAD\r\n\r\n" + Webs.Get);

        Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
        Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
        Assert.Equal(400, (await client.ReadAnswerAsync()).Status);
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(2, web.Requests.Count);
    }

    [Fact]
    public async Task A_request_line_over_the_limit_gets_414_and_a_head_over_it_431()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(
            Director.Limits with { HeaderSize = 2048, RequestLineSize = 1024, HeaderCount = 10 }, Director.Http(web.Address));

        string line = await director.AskAsync($"GET /{new string('a', 1100)} HTTP/1.1\r\nHost: s\r\n\r\n");
        string head = await director.AskAsync($"GET / HTTP/1.1\r\nHost: s\r\nCookie: {new string('a', 3000)}\r\n\r\n");
        string fields = await director.AskAsync($"GET / HTTP/1.1\r\nHost: s\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", 20))}\r\n");

        Assert.StartsWith("HTTP/1.1 414 ", line);
        Assert.StartsWith("HTTP/1.1 431 ", head);
        Assert.StartsWith("HTTP/1.1 431 ", fields);
        Assert.Empty(web.Requests);
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.ClientSentLongRequestLine));
        Assert.Equal(2, await director.CountAsync(ForwardOutcome.ClientSentLargeHead));
    }

    [Fact]
    public async Task A_head_that_drips_gets_408_when_the_request_timeout_is_over_however_often_it_drips()
    {
        await using Director director = Director.Start(Director.Http(Director.FreeAddress()) with
        {
            Timeouts = Director.Timeouts with { Request = TimeSpan.FromMilliseconds(1500) }, // long enough that no pause of a busy machine between two drips lasts as long
        });
        using HttpTalk client = await HttpTalk.WithAsync(director);
        using CancellationTokenSource over = new();

        Task dripping = DripAsync(client, "GET /" + new string('a', 4000), over.Token);
        Answer answer = await client.ReadAnswerAsync();
        await over.CancelAsync();
        await dripping;

        Assert.Equal(408, answer.Status);
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.ClientTimedOut));
    }

    [Fact]
    public async Task A_body_that_stops_coming_gets_408_after_the_body_timeout()
    {
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address) with
        {
            Timeouts = Director.Timeouts with { Body = TimeSpan.FromMilliseconds(150) },
        });
        using HttpTalk client = await HttpTalk.WithAsync(director);

        Assert.Equal(408, (await client.AskAsync("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 10\r\n\r\nhalf")).Status);
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.ClientTimedOut));
        Assert.Equal(0, director.RealServer(0).Counters[0].Failures);
    }

    [Fact]
    public async Task A_client_that_connects_and_says_nothing_is_closed_without_a_word()
    {
        await using Director director = Director.Start(Director.Http(Director.FreeAddress()) with
        {
            Timeouts = Director.Timeouts with { Request = TimeSpan.FromMilliseconds(100) },
        });
        using HttpTalk client = await HttpTalk.WithAsync(director);

        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(0, await director.EndingsAsync());
    }

    [Fact]
    public async Task A_worker_with_all_its_connections_answers_503_and_has_room_again_when_one_leaves()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Limits with { ConnectionsPerWorker = 2 }, Director.Http(web.Address));
        using HttpTalk first = await HttpTalk.WithAsync(director);
        using HttpTalk second = await HttpTalk.WithAsync(director);
        await first.AskAsync(Webs.Get);
        await second.AskAsync(Webs.Get);

        for (int i = 0; i < 10; i++)
        {
            using HttpTalk third = await HttpTalk.WithAsync(director);
            Assert.Equal(503, (await third.AskAsync(Webs.Get)).Status);
        }

        Assert.Equal(10, await director.CountAsync(ForwardOutcome.WorkerFull));
        second.Dispose();
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters[0].OpenConnections == 1);
        using HttpTalk fourth = await HttpTalk.WithAsync(director);
        Assert.Equal(200, (await fourth.AskAsync(Webs.Get)).Status);
    }

    private static async Task DripAsync(HttpTalk client, string text, CancellationToken until)
    {
        foreach (char c in text)
        {
            if (until.IsCancellationRequested)
                return;
            await client.SendAsync(c.ToString());
            await Task.Delay(5, CancellationToken.None);
        }
    }
}
