using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>Each datagram scheduled by itself, and the answers nevertheless with who asked.</summary>
public sealed class OnePacketTests : IDisposable
{
    private readonly FakeDatagramServer _alpha = FakeDatagramServer.Named("alpha ");
    private readonly FakeDatagramServer _beta = FakeDatagramServer.Named("beta ");

    public void Dispose()
    {
        _alpha.Dispose();
        _beta.Dispose();
    }

    [Fact]
    public async Task Datagrams_of_one_client_go_round_and_each_answer_comes_back()
    {
        await using Director director = Director.Start(Alone());
        using Socket one = UdpClients.Connect(director.Address), two = UdpClients.Connect(director.Address);

        Assert.Equal(["alpha 1", "beta 2", "alpha 3", "beta 4", "alpha 5"],
            [await one.AskAsync("1"), await one.AskAsync("2"), await two.AskAsync("3"), await one.AskAsync("4"), await one.AskAsync("5")]);
    }

    [Fact]
    public async Task A_client_has_at_most_one_socket_towards_each_real_server_however_much_he_sends()
    {
        await using Director director = Director.Start(Alone());
        using Socket client = UdpClients.Connect(director.Address);
        client.ReceiveBufferSize = 1 << 20;

        for (int i = 0; i < 100; i++)
            client.Say($"{i}");
        HashSet<string> answers = [];
        for (int i = 0; i < 100; i++)
            answers.Add(await client.HearAsync());

        Assert.Equal(100, answers.Count);
        Assert.Equal((50, 50), (_alpha.Received.Count, _beta.Received.Count));
        Assert.Equal((1, 1), (_alpha.Received.Select(r => r.From).Distinct().Count(), _beta.Received.Select(r => r.From).Distinct().Count()));
        Assert.Equal(2, await director.OnWorkerAsync(w => w.Sessions.Count));
        Assert.Equal((100, 50, 50), (director.VirtualServer.Counters[0].Connections, director.RealServer(0).Counters[0].Requests, director.RealServer(1).Counters[0].Connections));
    }

    [Fact]
    public async Task A_real_server_that_has_gone_costs_the_datagrams_sent_to_it_and_no_others()
    {
        await using Director director = Director.Start(Alone());
        using Socket client = UdpClients.Connect(director.Address);
        await client.AskAsync("1");
        await client.AskAsync("2");

        _alpha.Die();
        client.Say("lost");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);

        Assert.Equal("beta 3", await client.AskAsync("3"));
        Assert.Equal(1, await director.OnWorkerAsync(w => w.Sessions.Count));
    }

    [Fact]
    public async Task Without_anybody_each_datagram_is_dropped_and_counted()
    {
        VirtualServer alone = Alone();
        await using Director director = Director.Start(alone with { RealServers = [.. alone.RealServers.Select(r => r with { Weight = 0 })] });
        using Socket client = UdpClients.Connect(director.Address);

        for (int i = 0; i < 5; i++)
            client.Say("nobody");

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.NoRealServer) == 5);
    }

    private VirtualServer Alone() => Director.Udp(_alpha.Address, _beta.Address) with { Packets = new() { OnePacket = true } };
}
