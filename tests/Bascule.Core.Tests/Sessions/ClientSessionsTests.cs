using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Core.Tests.Scheduling;

namespace Bascule.Core.Tests.Sessions;

public sealed class ClientSessionsTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    private readonly Farm _farm = new(1, 1, 1);
    private readonly Scheduler _rr;
    private readonly SessionTable _table;

    public ClientSessionsTests()
    {
        _rr = _farm.Scheduler(SchedulerKind.RoundRobin);
        _table = new(_farm.Clock);
    }

    [Fact]
    public void A_client_returns_and_others_take_turns()
    {
        ClientSessions sessions = Sessions();

        Assert.Equal("ABCABCA", Visit(sessions, "192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.4"));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.255", 24, true)]
    [InlineData("192.0.2.1", "192.0.3.1", 24, false)]
    [InlineData("192.0.2.1", "192.0.3.1", 23, true)]
    [InlineData("192.0.2.1", "192.0.2.2", 32, false)]
    [InlineData("10.0.0.1", "127.0.0.1", 1, true)]
    [InlineData("10.0.0.1", "192.0.2.1", 1, false)]
    [InlineData("2001:db8::1", "2001:db8::ffff:1", 64, true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", 64, false)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", 48, true)]
    [InlineData("2001:db8::1", "2001:db8::2", 128, false)]
    [InlineData("2001:db8::2", "2001:db8::3", 127, true)]
    public void Clients_of_one_prefix_are_one_client(string one, string other, int bits, bool isOne)
    {
        ClientSessions sessions = Sessions(new() { Mask4 = int.Min(bits, 32), Mask6 = bits });

        Assert.Equal(isOne ? "AA" : "AB", Visit(sessions, one, other));
    }

    [Fact]
    public void The_timeout_counts_from_the_end_of_the_last_connection_and_not_while_one_is_open()
    {
        ClientSessions sessions = Sessions();
        Pick(sessions, "192.0.2.1", out SessionHold open);
        _farm.Clock.Advance(3 * Timeout);
        Assert.Equal("A", Visit(sessions, "192.0.2.1"));
        _farm.Clock.Advance(3 * Timeout);

        open.Release();

        _farm.Clock.Advance(Timeout - TimeSpan.FromMilliseconds(1));
        Assert.Equal("A", Visit(sessions, "192.0.2.1"));
        _farm.Clock.Advance(Timeout);
        Assert.Equal("B", Visit(sessions, "192.0.2.1"));
    }

    [Fact]
    public void Counts_the_clients_that_would_return_to_each_and_no_others()
    {
        ClientSessions sessions = Sessions();
        Visit(sessions, "192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.4");
        Assert.Equal([2, 1, 1], sessions.Count());

        _farm.Clock.Advance(Timeout);
        Visit(sessions, "192.0.2.5");

        Assert.Equal(1, sessions.Count().Sum());
    }

    [Fact]
    public void A_client_of_a_real_server_that_is_down_gets_another_and_stays_there()
    {
        ClientSessions sessions = Sessions();
        Visit(sessions, "192.0.2.1");

        _farm.SetHealth(0, isUp: false);
        Assert.Equal("BB", Visit(sessions, "192.0.2.1", "192.0.2.1"));

        _farm.SetHealth(0, isUp: true);
        Assert.Equal("BB", Visit(sessions, "192.0.2.1", "192.0.2.1"));
    }

    [Fact]
    public void Clients_whom_a_fallback_server_helped_out_return_to_their_own()
    {
        _farm.RealServers[2].IsFallback = true;
        ClientSessions sessions = Sessions();
        Assert.Equal("AB", Visit(sessions, "192.0.2.1", "192.0.2.2"));
        _farm.SetHealth(0, isUp: false);
        _farm.SetHealth(1, isUp: false);
        Assert.Equal("CC", Visit(sessions, "192.0.2.1", "192.0.2.2"));
        Assert.Equal([1, 1, 0], sessions.Count());

        _farm.SetHealth(0, isUp: true);
        _farm.SetHealth(1, isUp: true);

        Assert.Equal("BA", Visit(sessions, "192.0.2.2", "192.0.2.1"));
    }

    [Theory]
    [InlineData(false, "AA")]
    [InlineData(true, "BB")]
    public void A_client_of_a_quiesced_real_server_returns_to_it_unless_quiescence_ends_sessions(bool expires, string visits)
    {
        ClientSessions sessions = Sessions(new() { ExpireQuiescent = expires });
        Visit(sessions, "192.0.2.1");

        _farm.RealServers[0].ConfiguredWeight = 0;

        Assert.Equal(visits, Visit(sessions, "192.0.2.1", "192.0.2.1"));
    }

    [Fact]
    public void A_client_returns_to_a_full_real_server()
    {
        ClientSessions sessions = Sessions();
        Visit(sessions, "192.0.2.1");

        _farm.RealServers[0].Thresholds = new(Upper: 1, Lower: 1);
        _farm.SetActive(0, 1);

        Assert.False(_farm.RealServers[0].TakesConnections);
        Assert.Equal("A", Visit(sessions, "192.0.2.1"));
    }

    [Fact]
    public void A_client_whose_connection_failed_goes_elsewhere_and_stays_there()
    {
        ClientSessions sessions = Sessions();
        Visit(sessions, "192.0.2.1");

        Assert.Equal(1, sessions.Pick(Farm.Client("192.0.2.1"), Farm.Tried(0), _rr, new Random(1), out _));

        Assert.Equal("B", Visit(sessions, "192.0.2.1"));
    }

    [Fact]
    public void Nobody_is_remembered_where_nobody_can_be_chosen()
    {
        ClientSessions sessions = Sessions();
        for (int i = 0; i < 3; i++)
            _farm.SetHealth(i, isUp: false);
        Assert.Equal(Scheduler.None, Pick(sessions, "192.0.2.1", out SessionHold hold));
        hold.Release();

        _farm.SetHealth(2, isUp: true);

        Assert.Equal("C", Visit(sessions, "192.0.2.1"));
    }

    [Fact]
    public void A_reload_that_turns_the_list_round_sends_clients_to_the_same_real_servers()
    {
        Assert.Equal("ABC", Visit(Sessions(), "192.0.2.1", "192.0.2.2", "192.0.2.3"));

        ClientSessions turned = new(_table, new SourcePersistence(), [_farm.RealServers[2], new Farm(1).RealServers[0], _farm.RealServers[0]]);

        Assert.Equal("CA", Visit(turned, "192.0.2.1", "192.0.2.3"));
        Assert.Equal('A', Visit(turned, "192.0.2.2")[0]); // his is gone: rr says A
    }

    [Fact]
    public void All_threads_that_serve_a_new_client_at_once_send_him_to_one_real_server()
    {
        ClientSessions sessions = Sessions();
        int[,] choices = new int[4, 20_000];
        using Barrier start = new(4);
        Thread[] workers = [.. Enumerable.Range(0, 4).Select(worker => new Thread(() =>
        {
            Random random = new(worker);
            start.SignalAndWait();
            for (int client = 0; client < 20_000; client++)
            {
                choices[worker, client] = sessions.Pick(new(0, (uint)client, 1, IsIpv4: true), default, _rr, random, out SessionHold hold);
                hold.Release();
            }
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();

        Assert.All(Enumerable.Range(0, 20_000), client => Assert.Single(Enumerable.Range(0, 4).Select(worker => choices[worker, client]).Distinct()));
    }

    [Fact]
    public void Clients_who_return_cost_no_allocation()
    {
        ClientSessions sessions = Sessions();
        Random random = new(1);
        VisitMany();

        long before = GC.GetAllocatedBytesForCurrentThread();
        VisitMany();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void VisitMany()
        {
            for (uint i = 0; i < 1000; i++)
            {
                sessions.Pick(new(0, i, 1, IsIpv4: true), default, _rr, random, out SessionHold hold);
                hold.Release();
            }
        }
    }

    private ClientSessions Sessions(SourcePersistence? persistence = null) => new(_table, persistence ?? new(), _farm.RealServers);

    private int Pick(ClientSessions sessions, string client, out SessionHold hold) =>
        sessions.Pick(Farm.Client(client), default, _rr, new Random(1), out hold);

    /// <summary>Short visits one after another; whom they met, as letters.</summary>
    private string Visit(ClientSessions sessions, params string[] clients) => string.Concat(clients.Select(client =>
    {
        int index = Pick(sessions, client, out SessionHold hold);
        hold.Release();
        return (char)('A' + index);
    }));
}
