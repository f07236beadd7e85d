using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>The end of a director.</summary>
public sealed class StopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Open_connections_may_finish_and_new_ones_are_refused()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.StartWith(2, Director.Tcp(echo.Address));
        using TcpClient client = await director.ConnectAsync();
        await PingAsync(client);

        Task stopped = director.StopAsync(TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(() => Refuses(director));
        await PingAsync(client);
        Assert.False(stopped.IsCompleted);
        client.Client.Shutdown(SocketShutdown.Send);

        Assert.Equal(0, await client.Client.ReceiveAsync(new byte[1]).WaitAsync(Patience));
        await stopped.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_has_not_finished_when_patience_ends_is_cut_off()
    {
        ManualClock clock = new();
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.StartAt(clock, Director.Tcp(echo.Address));
        using TcpClient client = await director.ConnectAsync();
        await PingAsync(client);

        Task stopped = director.StopAsync(TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(9));
        await PingAsync(client);
        clock.Advance(TimeSpan.FromSeconds(1));

        await stopped.WaitAsync(Patience);
        SocketException broken = await Assert.ThrowsAsync<SocketException>(() => client.Client.ReceiveAsync(new byte[1]).WaitAsync(Patience));
        Assert.Equal(SocketError.ConnectionReset, broken.SocketErrorCode);
        Assert.Equal(1, director.Count(ForwardOutcome.ShutDown));
        Assert.Equal((0, 0), (director.RealServer(0).ActiveConnections, director.RealServer(0).Connections));
    }

    [Fact]
    public async Task A_director_without_connections_stops_at_once()
    {
        await using Director director = Director.StartWith(3, Director.Tcp(Director.FreeAddress()));

        await director.StopAsync(TimeSpan.FromMinutes(10)).WaitAsync(Patience);
    }

    [Fact]
    public async Task Clients_that_already_waited_to_be_accepted_are_served_whichever_virtual_server_they_came_to()
    {
        // The first has nobody who could serve, so its client is gone at once; that must not be taken for the end of all.
        VirtualServer empty = Director.Tcp(Director.FreeAddress());
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer web = Director.Tcp(echo.Address) with { Name = "second" };
        await using Director director = Director.Start(empty with { RealServers = [new(empty.RealServers[0].Address, 0)] }, web);
        using TcpClient early = new(), late = new();

        using ManualResetEventSlim connected = new();
        Task<bool> held = director.OnWorkerAsync(_ => connected.Wait(Patience)); // so that both wait when it begins to stop
        await early.ConnectAsync(empty.Address);
        await late.ConnectAsync(web.Address);
        Task stopped = director.StopAsync(TimeSpan.FromMinutes(1));
        connected.Set();
        Assert.True(await held);

        await PingAsync(late);
        late.Client.Shutdown(SocketShutdown.Send);
        await stopped.WaitAsync(Patience);
    }

    private static bool Refuses(Director director)
    {
        try
        {
            using TcpClient client = new();
            client.Connect(director.Address);
            return false;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }

    private static async Task PingAsync(TcpClient client)
    {
        await client.Client.SendAsync(new byte[1]);
        Assert.Equal(1, await client.Client.ReceiveAsync(new byte[1]).WaitAsync(Patience));
    }
}
