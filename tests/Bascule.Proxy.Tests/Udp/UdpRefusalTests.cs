using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>What happens when the network says that nobody takes datagrams at a real server (ICMP port unreachable).</summary>
public sealed class UdpRefusalTests : IDisposable
{
    private readonly FakeDatagramServer _alpha = FakeDatagramServer.Named("alpha ");
    private readonly FakeDatagramServer _beta = FakeDatagramServer.Named("beta ");

    public void Dispose()
    {
        _alpha.Dispose();
        _beta.Dispose();
    }

    [Fact]
    public async Task A_client_whose_real_server_dies_loses_a_datagram_and_gets_another_real_server()
    {
        await using Director director = Director.Start(Director.Udp(_alpha.Address, _beta.Address) with { Scheduler = SchedulerKind.SourceHash });
        using Socket client = await ClientOfAlphaAsync(director);

        _alpha.Die();
        client.Say("lost");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);

        // The hash would choose the same again; it is not asked twice.
        Assert.Equal(("beta 2", "beta 3"), (await client.AskAsync("2"), await client.AskAsync("3")));
        Assert.Equal((1, 0), (director.RealServer(0).Counters[0].Failures, director.RealServer(0).ActiveConnections));
        Assert.Equal(director.RealServer(1).ActiveConnections, director.VirtualServer.Counters[0].OpenConnections);
    }

    [Fact]
    public async Task With_persistence_the_client_stays_at_the_real_server_that_took_him()
    {
        await using Director director = Director.Start(Director.Udp(_alpha.Address, _beta.Address) with { Persistence = new SourcePersistence() });
        using Socket client = await ClientOfAlphaAsync(director);

        _alpha.Die();
        client.Say("lost");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);
        Assert.Equal("beta 2", await client.AskAsync("2"));
        _alpha.ComeBack();

        Assert.Equal("beta 3", await UdpClients.AskOnceAsync(director.Address, "3", ((IPEndPoint)client.LocalEndPoint!).Address));
    }

    [Fact]
    public async Task When_all_have_refused_they_are_asked_again_with_the_next_datagram()
    {
        await using Director director = Director.Start(Director.Udp(_alpha.Address));
        using Socket client = await ClientOfAlphaAsync(director);

        _alpha.Die();
        client.Say("lost");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);
        client.Say("there is nobody else");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 2);
        _alpha.ComeBack();

        Assert.Equal("alpha 3", await client.AskAsync("3"));
    }

    [Fact]
    public async Task A_sorry_server_serves_clients_whom_all_have_refused()
    {
        await using Director director = Director.Start(Director.Udp(_alpha.Address) with { SorryServer = _beta.Address });
        using Socket client = await ClientOfAlphaAsync(director);

        _alpha.Die();
        client.Say("lost");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);

        Assert.Equal(("beta 2", "beta 3"), (await client.AskAsync("2"), await client.AskAsync("3")));
    }

    [Fact]
    public async Task Refusals_are_the_passive_checks_evidence_and_silence_is_none()
    {
        using FakeDatagramServer silent = FakeDatagramServer.Silent();
        await using Director director = Director.Start(Director.Udp(_alpha.Address, silent.Address));
        using Socket one = await ClientOfAlphaAsync(director), two = UdpClients.Connect(director.Address);
        two.Say("to the silent one");
        await Eventually.HoldsAsync(() => silent.Received.Count == 1);

        _alpha.Die();
        one.Say("lost");
        await Eventually.HoldsAsync(() => director.RealServer(0).Counters[0].BadAnswers == 1);

        Assert.Equal((1, 0, 0), (director.RealServer(0).Counters[0].GoodAnswers, director.RealServer(1).Counters[0].GoodAnswers, director.RealServer(1).Counters[0].BadAnswers));
    }

    [Fact]
    public async Task A_worker_sleeps_while_a_real_server_refuses()
    {
        await using Director director = Director.Start(Director.Udp(Director.FreeAddress()));
        using Socket client = UdpClients.Connect(director.Address);
        client.Say("lost");
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerRefused) == 1);

        long before = await SleepsAsync(director);
        for (int wake = 0; wake < 50; wake++)
            await director.OnWorkerAsync(_ => 0);

        Assert.InRange(await SleepsAsync(director) - before, 10, long.MaxValue); // who has something to do in every turn does not sleep
    }

    /// <summary>How often the thread of the worker went to sleep.</summary>
    private static Task<long> SleepsAsync(Director director) => director.OnWorkerAsync(_ =>
        long.Parse(File.ReadLines("/proc/thread-self/status").Single(l => l.StartsWith("voluntary_ctxt_switches", StringComparison.Ordinal)).Split('\t')[1], CultureInfo.InvariantCulture));

    // Of a hash it takes some tries.
    private static async Task<Socket> ClientOfAlphaAsync(Director director)
    {
        for (int i = 1; i < 100; i++)
        {
            Socket client = UdpClients.Connect(director.Address, new IPAddress([127, 96, 0, (byte)i]));
            if (await client.AskAsync("") == "alpha ")
                return client;
            client.Dispose();
        }

        throw new InvalidOperationException("no address leads to alpha");
    }
}
