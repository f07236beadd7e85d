using System.Diagnostics;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class ReloadTests
{
    [Fact]
    public async Task A_hundred_reloads_under_load_fail_no_request_and_close_no_connection()
    {
        await using FakeRealServer alpha = Webs.Named("alpha");
        await using FakeRealServer beta = Webs.Named("beta");
        VirtualServer web = Director.Http(alpha.Address, beta.Address);
        VirtualServer other = Director.Http(alpha.Address) with { Name = "other" };
        await using Director director = Director.StartWith(2, web);
        using CancellationTokenSource enough = new();

        Task<int>[] loads = [.. Enumerable.Range(0, 6).Select(_ => Task.Run(() => LoadAsync(director, enough.Token)))];
        for (int i = 0; i < 100; i++)
        {
            director.Reload(i % 2 == 0 ? [web, other] : [web]);
            await Task.Delay(10);
        }

        await enough.CancelAsync();
        int served = (await Task.WhenAll(loads)).Sum();
        Assert.InRange(served, 100, int.MaxValue);
        Assert.Equal(served, await director.CountAsync(ForwardOutcome.Completed));
        Assert.Equal(served, await director.EndingsAsync());
        Assert.Equal(6, director.VirtualServer.Counters.Sum(c => c.Connections));
    }

    [Fact]
    public async Task A_removed_real_server_finishes_what_it_has_and_gets_nothing_new()
    {
        using SemaphoreSlim finishes = new(0);
        await using FakeRealServer old = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            await finishes.WaitAsync();
            await client.WriteAsync("done");
            await client.ReadToEndAsync();
        });
        await using FakeRealServer young = Webs.Named("young");
        VirtualServer web = Director.Http(old.Address);
        await using Director director = Director.Start(web);
        using HttpTalk slow = await HttpTalk.WithAsync(director);
        await slow.SendAsync(Webs.Get);
        await slow.ReadThroughAsync("half");

        director.Reload(web with { RealServers = [new RealServer(young.Address, 1)] });
        using HttpTalk client = await HttpTalk.WithAsync(director);
        for (int i = 0; i < 5; i++)
            Assert.Equal("young", (await client.AskAsync(Webs.Get)).Body);
        finishes.Release();

        Assert.Equal("done", await slow.ReadAsync(4));
        Assert.Equal("young", (await slow.AskAsync(Webs.Get)).Body);
        Assert.Single(old.Requests);
        await Eventually.HoldsAsync(() => old.Open == 0);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_removed_real_server_loses_its_idle_connections()
    {
        await using FakeRealServer old = Webs.Named("old");
        await using FakeRealServer young = Webs.Named("young");
        VirtualServer web = Director.Http(old.Address);
        await using Director director = Director.Start(web);
        using HttpTalk client = await HttpTalk.WithAsync(director);
        await client.AskAsync(Webs.Get);

        director.Reload(web with { RealServers = [new RealServer(young.Address, 1)] });

        await Eventually.HoldsAsync(() => old.Open == 0);
        Assert.Equal("young", (await client.AskAsync(Webs.Get)).Body);
    }

    [Fact]
    public async Task A_removed_virtual_server_finishes_its_request_and_closes_what_idles()
    {
        using SemaphoreSlim answers = new(0);
        await using FakeRealServer web = WhenReleased(answers);
        VirtualServer goes = Director.Http(web.Address) with { Name = "goes" };
        VirtualServer stays = Director.Http(web.Address) with { Name = "stays" };
        await using Director director = Director.Start(goes, stays);
        using HttpTalk idle = await HttpTalk.WithAsync(director);
        answers.Release();
        await idle.AskAsync(Webs.Get);
        using HttpTalk busy = await HttpTalk.WithAsync(director);
        await busy.SendAsync(Webs.Get);
        await Eventually.HoldsAsync(() => web.Requests.Count == 2);

        director.Reload(stays);

        Assert.Equal("", await idle.ReadToEndAsync());
        answers.Release();
        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", await busy.ReadToEndAsync());
        using Socket late = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(goes.Address));
    }

    [Fact]
    public async Task A_stop_lets_requests_finish_and_closes_what_idles()
    {
        using SemaphoreSlim answers = new(0);
        await using FakeRealServer web = WhenReleased(answers);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk idle = await HttpTalk.WithAsync(director);
        answers.Release();
        await idle.AskAsync(Webs.Get);
        using HttpTalk busy = await HttpTalk.WithAsync(director);
        await busy.SendAsync(Webs.Get);
        await Eventually.HoldsAsync(() => web.Requests.Count == 2);

        Task stopping = director.StopAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("", await idle.ReadToEndAsync());
        Assert.False(stopping.IsCompleted);
        answers.Release();

        Assert.EndsWith("Connection: close\r\n\r\nok", await busy.ReadToEndAsync());
        busy.Dispose();
        await stopping.WaitAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(2, director.Count(ForwardOutcome.Completed));
        Assert.Equal(0, director.RealServer(0).Connections);
        await Eventually.HoldsAsync(() => web.Open == 0);
    }

    [Fact]
    public async Task A_stop_cuts_off_what_does_not_finish_in_time()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);
        await client.SendAsync(Webs.Get);
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 1);

        Stopwatch took = Stopwatch.StartNew();
        await director.StopAsync(TimeSpan.FromMilliseconds(200)).WaitAsync(TimeSpan.FromSeconds(15));

        Assert.InRange(took.Elapsed, TimeSpan.FromMilliseconds(150), TimeSpan.FromSeconds(10));
        Assert.Equal(1, director.Count(ForwardOutcome.ShutDown));
        Assert.True((await client.ReadToBreakAsync()).WasReset);
        Assert.Equal((0, 0), (director.RealServer(0).ActiveConnections, director.RealServer(0).Connections));
    }

    private static FakeRealServer WhenReleased(SemaphoreSlim answers) => FakeRealServer.Start(async client =>
    {
        while (await client.ReadHeadAsync() is not null)
        {
            await answers.WaitAsync();
            await client.WriteAsync(Webs.Ok);
        }
    });

    // One connection, request after request; whatever goes wrong is thrown.
    private static async Task<int> LoadAsync(Director director, CancellationToken enough)
    {
        using HttpTalk client = await HttpTalk.WithAsync(director);
        int served = 0;
        while (!enough.IsCancellationRequested)
        {
            Assert.Equal(200, (await client.AskAsync(Webs.Get)).Status);
            served++;
        }

        return served;
    }
}
