using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Proxy.Tests.Udp;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Descriptors;

/// <summary>How many sessions there can be, and what a flood of senders costs.</summary>
[Collection(Alone.Name)]
public sealed class UdpDescriptorTests : IDisposable
{
    private static readonly Limits Few = Director.Limits with { ConnectionsPerWorker = 4 };

    private readonly FakeDatagramServer _echo = FakeDatagramServer.Named("");

    public void Dispose() => _echo.Dispose();

    [Fact]
    public async Task When_the_worker_is_full_the_session_idle_longest_ends_for_the_next_one()
    {
        await using Director director = Director.Start(Few, Director.Udp(_echo.Address));
        Socket[] clients = [.. Enumerable.Range(0, 5).Select(_ => UdpClients.Connect(director.Address))];
        for (int i = 0; i < 4; i++)
            Assert.Equal($"{i}", await clients[i].AskAsync($"{i}"));
        Assert.Equal("again", await clients[0].AskAsync("again"));

        Assert.Equal("new", await clients[4].AskAsync("new"));
        Assert.Equal(1, director.Count(ForwardOutcome.WorkerFull));
        _echo.Push("still there", _echo.Received.First().From);
        Assert.Equal("still there", await clients[0].HearAsync());
        Assert.Equal("a new session", await clients[1].AskAsync("a new session")); // the one idle longest was his

        Assert.Equal((4, 4), (director.VirtualServer.Counters[0].OpenConnections, director.RealServer(0).ActiveConnections));
        foreach (Socket client in clients)
            client.Dispose();
    }

    [Fact]
    public async Task Sessions_make_room_for_connections_and_connections_for_nobody()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer udp = Director.Udp(_echo.Address), tcp = Director.Tcp(echo.Address) with { Name = "tcp" };
        await using Director director = Director.Start(Few, udp, tcp);
        for (int i = 0; i < 6; i++)
            await UdpClients.AskOnceAsync(udp.Address, $"{i}");

        List<TcpClient> connected = [];
        for (int i = 0; i < 4; i++)
        {
            TcpClient client = new();
            connected.Add(client);
            await client.ConnectAsync(tcp.Address);
            await client.Client.SendAsync(new byte[1]);
            Assert.Equal(1, await client.Client.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(15)));
        }

        Assert.Equal(0, await director.OnWorkerAsync(w => w.Sessions.Count));
        Assert.Equal(6, director.Count(ForwardOutcome.WorkerFull)); // two for others, four for connections
        using Socket late = UdpClients.Connect(udp.Address);
        late.Say("no room");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.WorkerFull) == 7);
        foreach (TcpClient client in connected)
            client.Dispose();
    }

    [Fact]
    public async Task A_flood_from_ever_new_addresses_takes_no_more_memory_and_descriptors_than_its_bound()
    {
        const int Sessions = 200, Senders = 3000;
        await using Director director = Director.Start(Director.Limits with { ConnectionsPerWorker = Sessions }, Director.Udp(_echo.Address));
        int descriptors = FileDescriptors.Count();
        Flood(director.Address, first: 0, Senders);
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters[0].Connections == Senders);
        long before = GC.GetTotalMemory(forceFullCollection: true);

        Flood(director.Address, first: Senders, Senders);
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters[0].Connections == 2 * Senders);

        Assert.Equal(Sessions, await director.OnWorkerAsync(w => w.Sessions.Count));
        Assert.InRange(FileDescriptors.Count() - descriptors, 0, Sessions + 5);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 2_000_000); // 3,000 sessions that stayed would be more
        Assert.Equal("1", await UdpClients.AskOnceAsync(director.Address, "1"));
    }

    [Fact]
    public async Task Every_descriptor_is_given_back_when_the_director_stops()
    {
        await LiveAndStopAsync(); // what the runtime itself opens once
        int before = FileDescriptors.Count();

        await LiveAndStopAsync();

        await Eventually.HoldsAsync(() => FileDescriptors.Count() <= before);
    }

    private async Task LiveAndStopAsync()
    {
        await using Director director = Director.StartWith(2, Director.Udp(_echo.Address));
        for (int i = 0; i < 20; i++)
            Assert.Equal("x", await UdpClients.AskOnceAsync(director.Address, "x"));
    }

    /// <summary>Datagrams from as many addresses of 127/8, no two alike.</summary>
    private static void Flood(IPEndPoint to, int first, int senders)
    {
        for (int i = first; i < first + senders; i++)
        {
            using Socket sender = UdpClients.Connect(to, new IPAddress([127, 95, (byte)(i / 250), (byte)(1 + (i % 250))]));
            sender.Say("flood");
        }
    }
}
