using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class KeepAliveTests
{
    [Fact]
    public async Task What_a_request_moved_is_not_counted_again_for_the_next_one_that_fails()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            while (await client.ReadHeadAsync() is { } head && !head.StartsWith("GET /last", StringComparison.Ordinal))
                await client.WriteAsync(Webs.Ok);
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.AskAsync(Webs.Get);
        Answer failed = await client.AskAsync("GET /last HTTP/1.1\r\nHost: s\r\n\r\n");

        Assert.Equal(502, failed.Status);
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerBrokeOff));
        Assert.Equal(Webs.Ok.Length, director.RealServer(0).Counters[0].BytesOut);
    }

    [Fact]
    public async Task Serves_many_requests_over_one_connection_on_each_side()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 50; i++)
            Assert.Equal("ok", (await client.AskAsync(Webs.Get)).Body);

        Assert.Equal(1, web.Accepted);
        await director.IsAtRestAsync();
        RealServerCounters counters = director.RealServer(0).Counters[0];
        Assert.Equal((1, 50, 0), (counters.Connections, counters.Requests, counters.Failures));
        Assert.Equal(50 * Webs.Ok.Length, counters.BytesOut);
        Assert.Equal(web.Requests.Sum(r => r.Length), counters.BytesIn);
        Assert.Equal(50, await director.CountAsync(ForwardOutcome.Completed));
        Assert.Equal(50, await director.EndingsAsync());
        Assert.Equal(1, director.VirtualServer.Counters[0].OpenConnections);
    }

    [Fact]
    public async Task Chooses_the_real_server_for_each_request_not_for_each_connection()
    {
        await using FakeRealServer alpha = Webs.Named("alpha");
        await using FakeRealServer beta = Webs.Named("beta");
        await using Director director = Director.Start(Director.Http(alpha.Address, beta.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        List<string> names = [];
        for (int i = 0; i < 6; i++)
            names.Add((await client.AskAsync(Webs.Get)).Body);

        Assert.Equal(3, names.Count(n => n == "alpha"));
        Assert.All(names.Zip(names.Skip(1)), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.Equal((1, 1), (alpha.Accepted, beta.Accepted));
    }

    [Fact]
    public async Task Clients_share_the_connections_to_a_real_server()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));

        for (int i = 0; i < 10; i++)
        {
            using HttpTalk client = await HttpTalk.WithAsync(director);
            await client.AskAsync(Webs.Get);
        }

        Assert.Equal(1, web.Accepted);
    }

    [Fact]
    public async Task Takes_the_connection_that_was_used_last()
    {
        int connection = 0;
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            string number = $"{Interlocked.Increment(ref connection)}";
            while (await client.ReadHeadAsync() is { } head)
            {
                if (head.StartsWith("GET /slow", StringComparison.Ordinal))
                    await Eventually.HoldsAsync(() => Volatile.Read(ref connection) == 2);
                await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
            }
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk slow = await HttpTalk.WithAsync(director);
        using HttpTalk quick = await HttpTalk.WithAsync(director);

        await slow.SendAsync("GET /slow HTTP/1.1\r\nHost: s\r\n\r\n");
        await Eventually.HoldsAsync(() => web.Requests.Count == 1);
        Assert.Equal("2", (await quick.AskAsync(Webs.Get)).Body);
        Assert.Equal("1", (await slow.ReadAnswerAsync()).Body);

        for (int i = 0; i < 4; i++)
            Assert.Equal("1", (await quick.AskAsync(Webs.Get)).Body);
    }

    [Fact]
    public async Task Keeps_no_more_idle_connections_than_the_limit()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            while (await client.ReadHeadAsync() is not null)
                await client.WriteAsync(Webs.Ok);
        });
        await using Director director = Director.Start(Director.Limits with { PooledPerRealServer = 2 }, Director.Http(web.Address));
        HttpTalk[] clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => HttpTalk.WithAsync(director)));

        await Task.WhenAll(clients.Select(c => c.AskAsync(Webs.Get)));

        await Eventually.HoldsAsync(() => web.Open <= 2);
        Assert.InRange(await director.IdleServerConnectionsAsync(), 1, 2);
        foreach (HttpTalk client in clients)
            client.Dispose();
    }

    [Fact]
    public async Task Closes_a_pooled_connection_that_nobody_used_for_the_pool_timeout()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address) with
        {
            Timeouts = Director.Timeouts with { Pool = TimeSpan.FromMilliseconds(100) },
        });
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.AskAsync(Webs.Get);

        await Eventually.HoldsAsync(() => web.Open == 0 && director.RealServer(0).Connections == 0);
        Assert.Equal(200, (await client.AskAsync(Webs.Get)).Status);
        Assert.Equal(2, web.Accepted);
    }

    [Fact]
    public async Task A_connection_that_the_real_server_closes_leaves_the_pool()
    {
        using SemaphoreSlim closes = new(0);
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(Webs.Ok);
            await closes.WaitAsync();
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);
        await client.AskAsync(Webs.Get);
        Assert.Equal(1, await director.IdleServerConnectionsAsync());

        closes.Release();

        await Eventually.HoldsAsync(() => director.RealServer(0).Connections == 0);
        Assert.Equal(0, await director.IdleServerConnectionsAsync());
    }

    [Fact]
    public async Task A_connection_on_which_a_real_server_said_more_than_it_should_is_not_used_again()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 5; i++)
            Assert.Equal("ok", (await client.AskAsync(Webs.Get)).Body);

        Assert.Equal(5, web.Accepted);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")]
    public async Task A_real_server_that_wants_to_close_is_not_asked_again_and_the_client_need_not_know(string answer)
    {
        await using FakeRealServer web = Webs.Saying(answer);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 3; i++)
            Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", (await client.AskAsync(Webs.Get)).Head);

        Assert.Equal(3, web.Accepted);
    }

    [Fact]
    public async Task A_connection_is_used_again_after_a_large_answer()
    {
        string body = Webs.Text(2_000_000);
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 3; i++)
            Webs.AssertSame(body, (await client.AskAsync(Webs.Get)).Body);

        Assert.Equal(1, web.Accepted);
    }

    [Fact]
    public async Task Closes_an_idle_client_without_a_word_after_the_keep_alive_timeout()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address) with
        {
            Timeouts = Director.Timeouts with { KeepAlive = TimeSpan.FromMilliseconds(100) },
        });
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.AskAsync(Webs.Get);

        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(1, await director.EndingsAsync());
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters[0].OpenConnections == 0);
    }

    [Fact]
    public async Task Idle_connections_hold_no_buffers()
    {
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address));
        HttpTalk[] clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => HttpTalk.WithAsync(director)));
        foreach (HttpTalk client in clients)
            await client.AskAsync($"POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n{Webs.InChunks("hello", 2)}");

        await director.IsAtRestAsync();

        foreach (HttpTalk client in clients)
            client.Dispose();
    }
}
