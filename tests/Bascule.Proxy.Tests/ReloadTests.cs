using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>What a reload changes for those who are connected, and what it leaves alone.</summary>
public sealed class ReloadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task An_added_virtual_server_is_served_and_the_others_see_nothing()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer first = Director.Tcp(echo.Address), second = Director.Tcp(echo.Address) with { Name = "second" };
        await using Director director = Director.Start(first);
        using TcpClient client = await ConnectAsync(first);
        await PingAsync(client);

        director.Reload(first, second);
        using TcpClient next = await ConnectAsync(second);

        await PingAsync(next);
        await PingAsync(client);
        Assert.Equal(1, director.Snapshot.VirtualServers[0].Counters[0].OpenConnections);
    }

    [Fact]
    public async Task Ports_share_a_route_that_stays_until_their_virtual_server_changes()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer range = Director.Tcp(echo.Address) with { Addresses = [ListenerTests.FreeRange(3)] };
        VirtualServer keepingPorts = Director.Tcp(new IPEndPoint(Director.FreeAddress().Address, 0)) with { Name = "keeping", Addresses = [ListenerTests.FreeRange(3)] };
        await using Director director = Director.Start(range, keepingPorts);
        HashSet<Route> first = await RoutesAsync();

        director.Reload(range, keepingPorts, Director.Tcp(echo.Address) with { Name = "new" });
        HashSet<Route> second = await RoutesAsync();
        director.Reload(range with { SorryServer = echo.Address }, keepingPorts);
        HashSet<Route> third = await RoutesAsync();

        Assert.Equal(1 + 3, first.Count);
        Assert.Superset(first, second);
        Assert.Equal(3, third.Intersect(first).Count());

        Task<HashSet<Route>> RoutesAsync() => director.OnWorkerAsync(w => w.Listeners.Select(l => l.Route).ToHashSet());
    }

    [Fact]
    public async Task A_removed_virtual_server_refuses_and_its_open_connections_live_on()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer kept = Director.Tcp(echo.Address), removed = Director.Tcp(echo.Address) with { Name = "removed" };
        await using Director director = Director.Start(kept, removed);
        LiveVirtualServer live = director.Snapshot.VirtualServers[1];
        TcpClient client = await ConnectAsync(removed);
        await PingAsync(client);

        director.Reload(kept);
        await director.OnWorkerAsync(_ => 0);

        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(removed));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        await PingAsync(client);
        client.Dispose();
        await Eventually.HoldsAsync(() => live.Counters[0].OpenConnections == 0 && live.RealServers[0].Connections == 0);
    }

    [Fact]
    public async Task An_address_that_was_given_up_can_be_taken_again_at_once()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer kept = Director.Tcp(echo.Address), other = Director.Tcp(echo.Address) with { Name = "other" };
        await using Director director = Director.StartWith(2, kept, other);

        for (int i = 0; i < 50; i++)
        {
            director.Reload(kept);
            director.Reload(kept, other); // it asserts that there is no problem
        }

        using TcpClient client = await ConnectAsync(other);
        await PingAsync(client);
    }

    [Fact]
    public async Task An_address_is_given_up_even_while_programs_are_being_started()
    {
        VirtualServer kept = Director.Tcp(Director.FreeAddress()), other = Director.Tcp(Director.FreeAddress()) with { Name = "other" };
        await using Director director = Director.Start(kept, other);
        Task starting = Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
            {
                using Process program = Process.Start("true");
                await program.WaitForExitAsync();
            }
        });

        while (!starting.IsCompleted)
        {
            director.Reload(kept);
            director.Reload(kept, other);
        }

        await starting;
    }

    [Fact]
    public async Task A_removed_real_server_gets_no_new_connections_and_keeps_its_old_ones()
    {
        await using FakeRealServer alpha = FakeRealServer.Echoing();
        await using FakeRealServer beta = FakeRealServer.Echoing();
        VirtualServer both = Director.Tcp(alpha.Address, beta.Address);
        await using Director director = Director.Start(both);
        LiveRealServer drained = director.RealServer(0);
        TcpClient onAlpha = await director.ConnectAsync();
        await PingAsync(onAlpha);

        director.Reload(both with { RealServers = [new(beta.Address, 1)] });
        using TcpClient next = await director.ConnectAsync();
        using TcpClient another = await director.ConnectAsync();
        await PingAsync(next);
        await PingAsync(another);
        await PingAsync(onAlpha);

        Assert.Equal((1, 2, 1), (alpha.Accepted, beta.Accepted, drained.ActiveConnections));
        onAlpha.Dispose();
        await Eventually.HoldsAsync(() => drained.ActiveConnections == 0 && drained.Connections == 0 && alpha.Open == 0);
    }

    [Fact]
    public async Task A_renamed_virtual_server_takes_its_open_connections_along()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer web = Director.Tcp(echo.Address);
        await using Director director = Director.Start(web);
        TcpClient client = await director.ConnectAsync();
        await PingAsync(client);

        director.Reload(web with { Name = "shop" });
        await director.OnWorkerAsync(_ => 0);

        Assert.Equal(1, director.VirtualServer.Counters[0].OpenConnections);
        await PingAsync(client);
        client.Dispose();
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters[0].OpenConnections == 0);
    }

    [Fact]
    public async Task Two_virtual_servers_that_swap_their_names_swap_their_open_connections()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer a = Director.Tcp(echo.Address) with { Name = "a" }, b = Director.Tcp(echo.Address) with { Name = "b" };
        await using Director director = Director.Start(a, b);
        TcpClient[] clients = [await ConnectAsync(a), await ConnectAsync(b), await ConnectAsync(b)];
        foreach (TcpClient client in clients)
            await PingAsync(client);

        director.Reload(a with { Name = "b" }, b with { Name = "a" });
        await director.OnWorkerAsync(_ => 0);

        Assert.Equal([1L, 2L], OpenConnections(director));
        foreach (TcpClient client in clients)
            client.Dispose();
        await Eventually.HoldsAsync(() => OpenConnections(director).Sum() == 0);
        Assert.Equal([0L, 0L], OpenConnections(director));
    }

    [Fact]
    public async Task A_virtual_server_that_moved_and_was_then_renamed_counts_each_connection_once()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer before = Director.Tcp(echo.Address);
        VirtualServer moved = before with { Address = Director.FreeAddress() };
        await using Director director = Director.Start(before);
        LiveVirtualServer old = director.VirtualServer;
        TcpClient client = await director.ConnectAsync();
        await PingAsync(client);

        director.Reload(moved);
        director.Reload(moved with { Name = "shop" });
        await director.OnWorkerAsync(_ => 0);
        client.Dispose();

        await Eventually.HoldsAsync(() => old.RealServers[0].Connections == 0);
        await director.OnWorkerAsync(_ => 0);
        Assert.Equal((0, 0), (old.Counters[0].OpenConnections, director.VirtualServer.Counters[0].OpenConnections));
    }

    [Fact]
    public async Task A_hundred_reloads_under_load_fail_nobody()
    {
        await using FakeRealServer alpha = FakeRealServer.Echoing();
        await using FakeRealServer beta = FakeRealServer.Echoing();
        VirtualServer web = Director.Tcp(alpha.Address, beta.Address);
        VirtualServer other = Director.Tcp(alpha.Address) with { Name = "other" };
        await using Director director = Director.StartWith(2, web);
        using CancellationTokenSource enough = new();
        int[] pings = new int[8];
        Task[] clients = [.. pings.Select((_, i) => Task.Run(() => PingPongAsync(director, i % 2 == 0, () => pings[i]++, enough.Token)))];

        Random random = new(1);
        for (int reload = 0; reload < 100; reload++)
        {
            int before = pings.Sum();
            web = web with { RealServers = [new(alpha.Address, random.Next(1, 5)), new(beta.Address, random.Next(5))], Scheduler = random.Next(2) == 0 ? SchedulerKind.RoundRobin : SchedulerKind.WeightedLeastConnection };
            director.Reload(random.Next(2) == 0 ? [web] : [web, other]);
            await Eventually.HoldsAsync(() => pings.Sum() > before + 20 || clients.Any(c => c.IsCompleted));
        }

        await enough.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Patience);
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters.Sum(c => c.OpenConnections) == 0);
        Assert.All(pings, p => Assert.True(p > 0));
        Assert.Equal(director.Endings, director.Count(ForwardOutcome.Completed));
        Assert.Equal(0, director.VirtualServer.RealServers.Sum(r => r.Counters.Sum(c => c.Failures)));
    }

    // Half of the clients keep one connection over all reloads, the others come anew for every few pings.
    private static async Task PingPongAsync(Director director, bool stays, Action onPing, CancellationToken enough)
    {
        byte[] question = new byte[8], answer = new byte[8];
        long number = 0;
        while (!enough.IsCancellationRequested)
        {
            using TcpClient client = await director.ConnectAsync();
            do
            {
                BinaryPrimitives.WriteInt64LittleEndian(question, ++number);
                await client.Client.SendAsync(question, CancellationToken.None);
                await client.GetStream().ReadExactlyAsync(answer, CancellationToken.None).AsTask().WaitAsync(Patience, CancellationToken.None);
                Assert.Equal(question, answer);
                onPing();
            }
            while (!enough.IsCancellationRequested && (stays || number % 10 != 0));
        }
    }

    private static long[] OpenConnections(Director director) => [.. director.Snapshot.VirtualServers.Select(v => v.Counters[0].OpenConnections)];

    private static async Task<TcpClient> ConnectAsync(VirtualServer to)
    {
        TcpClient client = new();
        await client.ConnectAsync(to.Address);
        return client;
    }

    private static async Task PingAsync(TcpClient client)
    {
        await client.Client.SendAsync(new byte[1]);
        Assert.Equal(1, await client.Client.ReceiveAsync(new byte[1]).WaitAsync(Patience));
    }
}
