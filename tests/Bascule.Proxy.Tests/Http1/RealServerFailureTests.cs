using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class RealServerFailureTests
{
    private const string Post = "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n\r\nhello";

    [Fact]
    public async Task Answers_502_when_every_real_server_refuses_and_asks_each_once()
    {
        await using FakeRealServer alpha = FakeRealServer.Refusing();
        await using FakeRealServer beta = FakeRealServer.Refusing();
        await using Director director = Director.Start(Director.Http(alpha.Address, beta.Address));

        Assert.StartsWith("HTTP/1.1 502 ", await director.AskAsync(Webs.Get));

        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerRefused));
        Assert.All(director.VirtualServer.RealServers, r => Assert.Equal((1, 1, 0), (r.Counters[0].Requests, r.Counters[0].Failures, r.Counters[0].Connections)));
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task The_sorry_server_answers_when_no_real_server_can()
    {
        await using FakeRealServer refusing = FakeRealServer.Refusing();
        await using FakeRealServer sorry = Webs.Named("sorry");
        await using Director director = Director.Start(Director.Http(refusing.Address) with { SorryServer = sorry.Address });
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 3; i++)
            Assert.Equal("sorry", (await client.AskAsync(Webs.Get)).Body);

        Assert.Equal(3, await director.CountAsync(ForwardOutcome.CompletedBySorryServer));
        Assert.Equal(3, await director.EndingsAsync());
        Assert.Equal(1, sorry.Accepted);
        await refusing.DisposeAsync();
        await director.IsAtRestAsync();
        Assert.Equal(0, director.VirtualServer.SorryServer!.ActiveConnections);
    }

    [Fact]
    public async Task A_post_goes_to_another_real_server_when_the_first_cannot_be_reached()
    {
        await using FakeRealServer refusing = FakeRealServer.Refusing();
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(refusing.Address, web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 4; i++)
            Assert.Equal("hello", (await client.AskAsync(Post)).Body);
    }

    [Fact]
    public async Task Answers_502_when_the_real_server_breaks_off_before_a_byte()
    {
        await using FakeRealServer web = FakeRealServer.Start(client => client.ReadHeadAsync());
        await using Director director = Director.Start(Director.Http(web.Address));

        Assert.StartsWith("HTTP/1.1 502 ", await director.AskAsync(Webs.Get));

        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerBrokeOff));
        Assert.Equal(1, director.RealServer(0).Counters[0].Failures);
        Assert.Equal(1, web.Accepted);
        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData(null)]
    public async Task Answers_502_to_a_bad_answer_and_does_not_use_its_connection_again(string? answer)
    {
        answer ??= $"HTTP/1.1 200 OK\r\nA: {new string('a', 20_000)}\r\n\r\n";
        await using FakeRealServer web = Webs.Saying(answer);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync(Webs.Get);
        (string text, _) = await client.ReadToBreakAsync();

        // A body that is wrong from its first byte may be noticed before or after the head of the answer has gone out.
        Assert.True(text.Length == 0 || text.StartsWith("HTTP/1.1 502 ", StringComparison.Ordinal) || answer.Contains("zz", StringComparison.Ordinal), text);
        Assert.DoesNotContain("0\r\n\r\n", text);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerSentBadResponse) == 1);
        Assert.Equal(1, await director.EndingsAsync());
        await Eventually.HoldsAsync(() => web.Open == 0);
    }

    [Theory]
    [InlineData("HTTP/1.1", "Content-Length: 100\r\n\r\nhalf", false)]
    [InlineData("HTTP/1.1", "Content-Length: 100\r\n\r\nhalf", true)]
    [InlineData("HTTP/1.0", "Content-Length: 100\r\n\r\nhalf", false)]
    [InlineData("HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", false)]
    [InlineData("HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true)]
    [InlineData("HTTP/1.0", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", false)]
    [InlineData("HTTP/1.0", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true)]
    [InlineData("HTTP/1.1", "\r\nhalf", true)]
    [InlineData("HTTP/1.0", "\r\nhalf", true)]
    public async Task An_answer_that_is_cut_short_never_looks_complete(string version, string framingAndBody, bool byReset)
    {
        using SemaphoreSlim breaks = new(0);
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync($"HTTP/1.1 200 OK\r\n{framingAndBody}");
            await breaks.WaitAsync();
            if (byReset)
                client.Reset();
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync($"GET / {version}\r\nHost: s\r\n\r\n");
        string head = await client.ReadThroughAsync("half");
        breaks.Release();
        (string rest, bool wasReset) = await client.ReadToBreakAsync();

        Assert.True(wasReset);
        Assert.DoesNotContain("0\r\n\r\n", rest);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", head);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerBrokeOff) == 1);
        Assert.Equal(1, director.RealServer(0).Counters[0].Failures);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_real_server_that_resets_under_a_slow_reader_does_not_stop_the_worker_for_the_others()
    {
        using SemaphoreSlim resets = new(0);
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            string? head = await client.ReadHeadAsync();
            if (head!.StartsWith("GET /quick", StringComparison.Ordinal))
            {
                await client.WriteAsync(Webs.Ok);
                return;
            }

            Task writing = client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + new string('x', 20_000_000));
            await resets.WaitAsync();
            client.Reset();
            await writing;
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk slow = await HttpTalk.WithAsync(director, receiveBuffer: 8 * 1024);

        await slow.SendAsync(Webs.Get);
        await slow.ReadThroughAsync("\r\n\r\n");
        resets.Release();
        await Eventually.HoldsAsync(() => web.Failures.Count > 0);

        Assert.StartsWith("HTTP/1.1 200 ", await director.AskAsync("GET /quick HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"));
        Assert.True((await slow.ReadToBreakAsync()).WasReset);
        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\n\r\n", true)]
    [InlineData("DELETE / HTTP/1.1\r\nHost: s\r\n\r\n", true)]
    [InlineData("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 0\r\n\r\n", false)]
    [InlineData("PUT / HTTP/1.1\r\nHost: s\r\nContent-Length: 2\r\n\r\nhi", false)]
    public async Task A_request_that_found_its_pooled_connection_closed_is_repeated_when_that_is_safe(string request, bool isRepeated)
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(Webs.Ok);
            await client.ReadHeadAsync(); // and closes without a byte
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);
        await client.AskAsync(Webs.Get);

        Answer answer = await client.AskAsync(request);

        Assert.Equal(isRepeated ? 200 : 502, answer.Status);
        Assert.Equal(isRepeated ? 3 : 2, web.Requests.Count);
        Assert.Equal(isRepeated ? 0 : 1, director.RealServer(0).Counters[0].Failures);
        Assert.Equal(2, await director.EndingsAsync());
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_real_server_that_closes_after_each_answer_without_saying_so_loses_no_get()
    {
        await using FakeRealServer web = FakeRealServer.Answering(Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 200; i++)
            Assert.Equal("ok", (await client.AskAsync(Webs.Get)).Body);

        Assert.Equal(200, await director.CountAsync(ForwardOutcome.Completed));
    }

    [Fact]
    public async Task A_request_is_repeated_once_and_not_for_ever()
    {
        int connections = 0;
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            if (Interlocked.Increment(ref connections) > 1)
                return;
            await client.WriteAsync(Webs.Ok);
            await client.ReadHeadAsync();
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);
        await client.AskAsync(Webs.Get);

        Assert.Equal(502, (await client.AskAsync(Webs.Get)).Status);
        Assert.Equal(2, web.Accepted);
    }

    [Fact]
    public async Task Answers_504_when_the_head_of_the_answer_takes_too_long_however_often_a_byte_of_it_comes()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.DripAsync("HTTP/1.1 200 OK\r\nA: " + new string('a', 4000), TimeSpan.FromMilliseconds(5), TimeProvider.System);
        });
        await using Director director = Director.Start(Director.Http(web.Address) with
        {
            Timeouts = Director.Timeouts with { Response = TimeSpan.FromMilliseconds(1500) }, // long enough that no pause of a busy machine between two drips lasts as long
        });

        Assert.StartsWith("HTTP/1.1 504 ", await director.AskAsync(Webs.Get));

        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerTimedOut));
        Assert.Equal(1, director.RealServer(0).Counters[0].Failures);
        await Eventually.HoldsAsync(() => web.Open == 0);
    }

    [Fact]
    public async Task An_answer_that_stops_coming_is_broken_off_after_the_body_timeout()
    {
        await using FakeRealServer web = Webs.Saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        await using Director director = Director.Start(Director.Http(web.Address) with
        {
            Timeouts = Director.Timeouts with { Body = TimeSpan.FromMilliseconds(150) },
        });
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync(Webs.Get);

        Assert.True((await client.ReadToBreakAsync()).WasReset);
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerTimedOut));
    }

    [Fact]
    public async Task Answers_504_when_a_real_server_does_not_accept_in_time()
    {
        using FullBacklog full = await FullBacklog.MakeAsync();
        await using Director director = Director.Start(Director.Http(full.Address) with
        {
            Timeouts = Director.Timeouts with { Connect = TimeSpan.FromMilliseconds(150) },
        });

        Assert.StartsWith("HTTP/1.1 504 ", await director.AskAsync(Webs.Get));
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerTimedOut));
        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData("before the answer")]
    [InlineData("in the middle of the answer")]
    public async Task A_client_that_resets_takes_its_connection_to_the_real_server_along(string when)
    {
        TaskCompletionSource ended = new();
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            if (when == "in the middle of the answer")
                await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            await Record.ExceptionAsync(client.ReadToEndAsync);
            ended.SetResult();
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync(Webs.Get);
        await Eventually.HoldsAsync(() => web.Requests.Count == 1);
        if (when == "in the middle of the answer")
            await client.ReadThroughAsync("half");
        client.Reset();

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(15));
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ClientLeft) == 1);
        Assert.Equal(0, director.RealServer(0).Counters[0].Failures);
        await director.IsAtRestAsync();
    }

    /// <summary>A listener that accepts nothing and whose queue is full: the kernel drops further attempts in silence.</summary>
    private sealed class FullBacklog : IDisposable
    {
        private readonly List<Socket> _sockets = [];

        public IPEndPoint Address => (IPEndPoint)_sockets[0].LocalEndPoint!;

        public static async Task<FullBacklog> MakeAsync()
        {
            FullBacklog full = new();
            Socket listener = New(full);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(0);
            while (full._sockets.Count < 20)
            {
                Task connecting = New(full).ConnectAsync(full.Address);
                if (await Task.WhenAny(connecting, Task.Delay(200)) != connecting)
                    return full;
            }

            throw new InvalidOperationException("the queue never became full");
        }

        public void Dispose() => _sockets.ForEach(s => s.Dispose());

        private static Socket New(FullBacklog owner)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            owner._sockets.Add(socket);
            return socket;
        }
    }
}
