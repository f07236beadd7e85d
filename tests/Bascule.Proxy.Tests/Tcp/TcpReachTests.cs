using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Tcp;

/// <summary>Which real server a TCP connection ends up with, and what happens when none takes it.</summary>
public sealed class TcpReachTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly Timeouts Hasty = Director.Timeouts with { Connect = TimeSpan.FromMilliseconds(100) };

    [Fact]
    public async Task A_real_server_that_refuses_is_passed_over_and_counted()
    {
        await using FakeRealServer dead = FakeRealServer.Refusing();
        await using FakeRealServer alpha = Named("alpha");
        await using Director director = Director.Start(Director.Tcp(dead.Address, alpha.Address));

        for (int i = 0; i < 6; i++)
            Assert.Equal("alpha", await NameAsync(director));

        Assert.Equal(6, director.RealServer(0).Counters[0].Failures); // the second try is round robin's next choice, so each client begins with it
        Assert.Equal(0, director.RealServer(0).Counters[0].Connections);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 6);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_real_server_that_never_answers_is_passed_over_after_the_connect_time()
    {
        using Filled filled = new();
        await using FakeRealServer alpha = Named("alpha");
        await using Director director = Director.Start(Director.Tcp(filled.Address, alpha.Address) with { Timeouts = Hasty });

        for (int i = 0; i < 4; i++)
            Assert.Equal("alpha", await NameAsync(director));

        Assert.Equal(4, director.RealServer(0).Counters[0].Failures);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task No_real_server_is_tried_twice_for_one_connection()
    {
        IPEndPoint[] dead = [.. Enumerable.Range(0, 3).Select(_ => Director.FreeAddress())];
        await using Director director = Director.Start(Director.Tcp(dead) with { Scheduler = SchedulerKind.LeastConnection });

        await AssertResetAsync(director);

        Assert.Equal([1, 1, 1], director.VirtualServer.RealServers.Select(r => r.Counters[0].Failures));
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_fallback_server_answers_at_once_when_five_real_servers_refuse()
    {
        await using FakeRealServer fallback = Named("fallback");
        IPEndPoint[] dead = [.. Enumerable.Range(0, 5).Select(_ => Director.FreeAddress())];
        await using Director director = Director.Start(Director.Tcp(dead) with { RealServers = [.. dead.Select(d => new RealServer(d, 1)), new(fallback.Address, 1) { IsFallback = true }] });

        Assert.Equal("fallback", await NameAsync(director));
    }

    [Fact]
    public async Task The_sorry_server_answers_when_all_refuse()
    {
        await using FakeRealServer sorry = Named("sorry");
        await using Director director = Director.Start(Director.Tcp(Director.FreeAddress(), Director.FreeAddress()) with { SorryServer = sorry.Address });

        Assert.Equal("sorry", await NameAsync(director));

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.CompletedBySorryServer) == 1);
        Assert.Equal(0, director.Count(ForwardOutcome.Completed));
        Assert.Equal(0, director.VirtualServer.SorryServer!.ActiveConnections);
    }

    [Fact]
    public async Task When_the_sorry_server_refuses_as_well_the_client_is_reset()
    {
        await using Director director = Director.Start(Director.Tcp(Director.FreeAddress()) with { SorryServer = Director.FreeAddress() });

        await AssertResetAsync(director);

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);
        Assert.Equal(1, director.Endings);
    }

    [Fact]
    public async Task With_no_real_server_to_choose_the_client_is_reset_and_counted()
    {
        await using FakeRealServer quiet = Named("quiet");
        await using Director director = Director.Start(Director.Tcp(quiet.Address) with { RealServers = [new(quiet.Address, 0)] });

        await AssertResetAsync(director);

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.NoRealServer) == 1);
        Assert.Equal(0, quiet.Accepted);
    }

    [Fact]
    public async Task All_that_time_out_end_as_a_timeout()
    {
        using Filled filled = new();
        await using Director director = Director.Start(Director.Tcp(filled.Address) with { Timeouts = Hasty });

        await AssertResetAsync(director);

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerTimedOut) == 1);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_client_that_leaves_while_the_real_server_is_being_reached_ends_it_at_once()
    {
        using Filled filled = new();
        await using Director director = Director.Start(Director.Tcp(filled.Address)); // connect: five seconds

        TcpClient client = await director.ConnectAsync();
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 1);
        client.LingerState = new(enable: true, seconds: 0);
        client.Dispose();

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ClientLeft) == 1);
        Assert.Equal(0, director.RealServer(0).Counters[0].Failures);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task Weight_0_takes_no_new_connections_and_leaves_the_old_ones_alone()
    {
        await using FakeRealServer alpha = Echoing();
        await using FakeRealServer beta = Echoing();
        VirtualServer both = Director.Tcp(alpha.Address, beta.Address);
        await using Director director = Director.Start(both);
        using TcpClient onAlpha = await director.ConnectAsync();
        await PingAsync(onAlpha);
        Assert.Equal(1, alpha.Open);

        director.Reload(both with { RealServers = [new(alpha.Address, 0), new(beta.Address, 1)] });
        using TcpClient next = await director.ConnectAsync();
        using TcpClient another = await director.ConnectAsync();
        await PingAsync(next);
        await PingAsync(another);

        await PingAsync(onAlpha);
        Assert.Equal((1, 2), (alpha.Accepted, beta.Accepted));
    }

    [Fact]
    public async Task A_full_worker_resets_and_has_room_again_when_somebody_leaves()
    {
        await using FakeRealServer echo = Echoing();
        await using Director director = Director.StartWith(1, Director.Limits with { ConnectionsPerWorker = 2 }, Director.Tcp(echo.Address));
        TcpClient first = await director.ConnectAsync();
        using TcpClient second = await director.ConnectAsync();
        await PingAsync(first);
        await PingAsync(second);

        await AssertResetAsync(director);
        Assert.Equal(1, director.Count(ForwardOutcome.WorkerFull));
        first.Dispose();
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters[0].OpenConnections == 1);
        using TcpClient third = await director.ConnectAsync();

        await PingAsync(third);
        await PingAsync(second);
        Assert.Equal(4, director.VirtualServer.Counters[0].Connections);
    }

    private static FakeRealServer Named(string name) => FakeRealServer.Start(async client =>
    {
        await client.WriteAsync(name);
        client.CloseSendSide();
        await client.ReadToEndAsync();
    });

    private static FakeRealServer Echoing() => FakeRealServer.Echoing();

    private static async Task<string> NameAsync(Director director)
    {
        using TcpClient client = await director.ConnectAsync();
        using StreamReader reader = new(client.GetStream());
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }

    private static async Task PingAsync(TcpClient client)
    {
        await client.Client.SendAsync(new byte[1]);
        Assert.Equal(1, await client.Client.ReceiveAsync(new byte[1]).WaitAsync(Patience));
    }

    private static async Task AssertResetAsync(Director director)
    {
        using TcpClient client = new();
        SocketException broken = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            await client.ConnectAsync(director.Address);
            await client.Client.ReceiveAsync(new byte[1]).WaitAsync(Patience);
        });
        Assert.Equal(SocketError.ConnectionReset, broken.SocketErrorCode);
    }
}
