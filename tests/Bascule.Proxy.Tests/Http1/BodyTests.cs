using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class BodyTests
{
    private const int Large = 5_000_000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(Large)]
    public async Task Carries_a_request_of_known_length(int length)
    {
        string body = Webs.Text(length);
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 2; i++)
            Webs.AssertSame(body, (await client.AskAsync($"POST / HTTP/1.1\r\nHost: s\r\nContent-Length: {length}\r\n\r\n{body}")).Body);

        Assert.Equal(1, web.Accepted);
        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(10, 3)]
    [InlineData(100_000, 999)]
    [InlineData(Large, 70_000)]
    public async Task Carries_a_request_in_chunks(int length, int chunk)
    {
        string body = Webs.Text(length);
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 2; i++)
            Webs.AssertSame(body, (await client.AskAsync($"POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n{Webs.InChunks(body, chunk)}")).Body);

        Assert.Equal(1, web.Accepted);
        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData("Content-Length: 11\r\n\r\nhello world")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n")]
    public async Task Carries_a_request_that_comes_byte_by_byte(string framingAndBody)
    {
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 2; i++)
        {
            foreach (char c in $"POST / HTTP/1.1\r\nHost: s\r\n{framingAndBody}")
            {
                await client.SendAsync(c.ToString());
                await Task.Yield();
            }

            Assert.Equal("hello world", (await client.ReadAnswerAsync()).Body);
        }

        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task Counts_the_bytes_of_each_request_once()
    {
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 1000\r\n\r\n");
        await Eventually.HoldsAsync(() => web.Requests.Count == 1);
        await client.AskAsync(Webs.Text(1000));
        await client.AskAsync("POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");

        await director.IsAtRestAsync();
        Assert.Equal(web.Requests.Sum(r => r.Length) + 1000 + "5\r\nhello\r\n0\r\n\r\n".Length, director.RealServer(0).Counters[0].BytesIn);
    }

    [Fact]
    public async Task Pipelined_requests_keep_their_own_bodies()
    {
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync(
            "POST /1 HTTP/1.1\r\nHost: s\r\nContent-Length: 3\r\n\r\none"
            + "GET /2 HTTP/1.1\r\nHost: s\r\n\r\n"
            + "POST /3 HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nth\r\n3\r\nree\r\n0\r\n\r\n"
            + "POST /4 HTTP/1.1\r\nHost: s\r\nContent-Length: 4\r\n\r\nfo");
        Assert.Equal("one", (await client.ReadAnswerAsync()).Body);
        Assert.Equal("", (await client.ReadAnswerAsync()).Body);
        Assert.Equal("three", (await client.ReadAnswerAsync()).Body);
        await client.SendAsync("ur" + Webs.Get);
        Assert.Equal("four", (await client.ReadAnswerAsync()).Body);
        Assert.Equal("", (await client.ReadAnswerAsync()).Body);

        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData("HTTP/1.1")]
    [InlineData("HTTP/1.0")]
    public async Task An_answer_until_close_arrives_whole_and_with_its_end(string version)
    {
        string body = Webs.Text(Large);
        await using FakeRealServer web = FakeRealServer.Answering($"HTTP/1.1 200 OK\r\n\r\n{body}");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        Answer answer = await client.AskAsync($"GET / {version}\r\nHost: s\r\nConnection: keep-alive\r\n\r\n");

        Webs.AssertSame(body, answer.Body);
        Assert.Equal(version == "HTTP/1.1" ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", answer.Head);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 1);
        if (version == "HTTP/1.1")
            Assert.Equal(200, (await client.AskAsync(Webs.Get)).Status);
    }

    [Fact]
    public async Task A_chunked_answer_reaches_a_client_of_http_1_0_without_chunks_and_with_a_proper_end()
    {
        await using FakeRealServer web = Webs.Saying($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{Webs.InChunks("hello world", 3)}");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

        Assert.Equal("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_client_of_http_1_0_may_keep_its_connection_when_it_asks_to()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        Answer kept = await client.AskAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        await client.SendAsync("GET / HTTP/1.0\r\n\r\n");

        Assert.Contains("\r\nConnection: keep-alive\r\n", kept.Head);
        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", await client.ReadToEndAsync());
        Assert.Contains($"\r\nHost: {director.Address}\r\n", web.Requests.First());
    }

    [Theory]
    [InlineData("HEAD", "200 OK\r\nContent-Length: 1000\r\n")]
    [InlineData("HEAD", "200 OK\r\n")]
    [InlineData("HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("GET", "204 No Content\r\n")]
    [InlineData("GET", "304 Not Modified\r\nContent-Length: 1000\r\n")]
    [InlineData("GET", "304 Not Modified\r\n")]
    public async Task An_answer_that_has_no_body_ends_with_its_head_on_both_sides(string method, string statusAndFraming)
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive($"HTTP/1.1 {statusAndFraming}\r\n");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync($"{method} / HTTP/1.1\r\nHost: s\r\n\r\n");
            Answer answer = await client.ReadAnswerAsync(toHead: method == "HEAD");
            Assert.StartsWith("HTTP/1.1 " + statusAndFraming[..3], answer.Head);
            Assert.Equal(statusAndFraming.Contains("Content-Length", StringComparison.Ordinal), answer.Head.Contains("Content-Length: 1000", StringComparison.Ordinal));
        }

        Assert.Equal(1, web.Accepted);
        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData("Content-Length: 0")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task An_empty_answer_keeps_both_connections(string framing)
    {
        string body = framing.StartsWith('T') ? "0\r\n\r\n" : "";
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive($"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{body}");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 3; i++)
            Assert.Equal("", (await client.AskAsync(Webs.Get)).Body);

        Assert.Equal(1, web.Accepted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_slow_reader_of_a_large_answer_costs_bounded_memory(bool chunked)
    {
        string body = Webs.Text(Large);
        int written = 0;
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            client.Socket.SendBufferSize = 64 * 1024;
            string message = chunked
                ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Webs.InChunks(body, 60_000)
                : $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}";
            for (int at = 0; at < message.Length; at += 50_000)
            {
                await client.WriteAsync(message[at..int.Min(message.Length, at + 50_000)]);
                Volatile.Write(ref written, at);
            }

            await client.ReadToEndAsync();
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director, receiveBuffer: 16 * 1024);

        await client.SendAsync(Webs.Get);
        await IsStuckAsync(() => Volatile.Read(ref written));
        Assert.InRange(await director.OnWorkerAsync(w => w.Loop.Buffers.Rented), 1, 4);
        Answer answer = await client.ReadAnswerAsync();

        Webs.AssertSame(body, answer.Body);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_client_that_has_finished_sending_still_gets_its_answer()
    {
        using SemaphoreSlim answers = new(0);
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            string head = (await client.ReadHeadAsync())!;
            string body = await Webs.ReadBodyAsync(client, head);
            await answers.WaitAsync();
            await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n\r\nhello");
        client.CloseSendSide();
        await Eventually.HoldsAsync(() => web.Requests.Count == 1);
        answers.Release();

        Assert.EndsWith("\r\n\r\nhello", await client.ReadToEndAsync());
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.Completed));
    }

    [Theory]
    [InlineData("Content-Length: 100\r\n\r\nhalf")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")]
    public async Task A_request_that_its_client_cuts_short_is_cut_short_for_the_real_server_too(string framingAndBody)
    {
        TaskCompletionSource<Exception?> end = new();
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            end.SetResult(await Record.ExceptionAsync(client.ReadToEndAsync));
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync($"POST / HTTP/1.1\r\nHost: s\r\n{framingAndBody}");
        await Eventually.HoldsAsync(() => web.Requests.Count == 1);
        client.CloseSendSide();

        Assert.IsType<SocketException>(await end.Task.WaitAsync(TimeSpan.FromSeconds(15)));
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ClientLeft) == 1);
        await director.IsAtRestAsync();
    }

    // The number no longer moves: back-pressure has reached whoever moves it.
    private static async Task IsStuckAsync(Func<int> number)
    {
        for (int before = -1, same = 0; same < 20;)
        {
            await Task.Delay(10);
            int now = number();
            same = now == before && now > 0 ? same + 1 : 0;
            before = now;
        }
    }
}
