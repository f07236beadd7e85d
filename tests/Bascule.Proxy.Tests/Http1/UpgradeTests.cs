using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class UpgradeTests
{
    private const string Asking = "GET /chat HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    private const string Switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

    [Fact]
    public async Task After_101_bytes_go_both_ways_until_both_sides_have_finished()
    {
        await using FakeRealServer web = EchoAfter(Switching);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        Answer answer = await client.AskAsync(Asking);
        string large = Webs.Text(1_000_000);
        Task sending = client.SendAsync("\u0001\u0000\u00ff" + large);
        Assert.Equal("\u0001\u0000\u00ff", await client.ReadAsync(3));
        Webs.AssertSame(large, await client.ReadAsync(large.Length));
        await sending;
        client.CloseSendSide();

        Assert.Equal("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", answer.Head);
        Assert.Contains("\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", web.Requests.Single(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("", await client.ReadToEndAsync());
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 1);
        Assert.Equal(1, await director.EndingsAsync());
        Assert.InRange(director.RealServer(0).Counters[0].BytesIn, large.Length, large.Length + 1000);
        Assert.InRange(director.RealServer(0).Counters[0].BytesOut, large.Length, large.Length + 1000);
        await director.IsAtRestAsync();
        await Eventually.HoldsAsync(() => director.RealServer(0).Connections == 0);
    }

    [Fact]
    public async Task Bytes_that_come_with_the_101_or_with_the_request_are_not_lost()
    {
        await using FakeRealServer web = EchoAfter(Switching + "hello");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.AskAsync(Asking + "early");

        Assert.Equal("helloearly", await client.ReadAsync(10));
    }

    [Fact]
    public async Task A_half_closed_tunnel_goes_on_the_other_way()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(Switching);
            await client.ReadToEndAsync();
            await client.WriteAsync("you have finished, I had not");
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.AskAsync(Asking);
        client.CloseSendSide();

        Assert.Equal("you have finished, I had not", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_real_server_may_refuse_and_the_connection_stays_one_of_http()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        Assert.Equal(400, (await client.AskAsync(Asking)).Status);
        Assert.Equal("no", (await client.AskAsync(Webs.Get)).Body);
        Assert.Equal(1, web.Accepted);
    }

    [Fact]
    public async Task A_switch_that_nobody_asked_for_is_a_bad_answer()
    {
        await using FakeRealServer web = EchoAfter(Switching);
        await using Director director = Director.Start(Director.Http(web.Address));

        Assert.StartsWith("HTTP/1.1 502 ", await director.AskAsync(Webs.Get));
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerSentBadResponse));
    }

    [Fact]
    public async Task A_silent_tunnel_ends_after_the_tunnel_timeout()
    {
        await using FakeRealServer web = EchoAfter(Switching);
        await using Director director = Director.Start(Director.Http(web.Address) with
        {
            Timeouts = Director.Timeouts with { Tunnel = TimeSpan.FromMilliseconds(100) },
        });
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.AskAsync(Asking);
        await client.ReadToBreakAsync();

        await Eventually.HoldsAsync(() => web.Open == 0);
        Assert.Equal(1, await director.EndingsAsync());
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_tunnel_passes_a_reset_on()
    {
        TaskCompletionSource<Exception?> end = new();
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(Switching);
            end.SetResult(await Record.ExceptionAsync(client.ReadToEndAsync));
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.AskAsync(Asking);
        client.Reset();

        Assert.IsType<SocketException>(await end.Task.WaitAsync(TimeSpan.FromSeconds(15)));
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ClientLeft) == 1);
    }

    private static FakeRealServer EchoAfter(string answer) => FakeRealServer.Start(async client =>
    {
        await client.ReadHeadAsync();
        await client.WriteAsync(answer);
        byte[] buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer) is > 0 and int count)
            await client.WriteAsync(buffer.AsMemory(0, count));
    });
}
