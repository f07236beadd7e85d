using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>Which datagram goes where, and what comes back, over real sockets.</summary>
public sealed class UdpSessionTests : IDisposable
{
    private static readonly TcpCheck Check = new() { Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(1), Rise = 1, Fall = 1, Port = null };

    private readonly FakeDatagramServer _alpha = FakeDatagramServer.Named("alpha ");
    private readonly FakeDatagramServer _beta = FakeDatagramServer.Named("beta ");

    public void Dispose()
    {
        _alpha.Dispose();
        _beta.Dispose();
    }

    [Fact]
    public async Task All_datagrams_of_a_client_go_to_one_real_server_and_the_next_client_to_the_next()
    {
        await using Director director = Director.Start(Both());
        using Socket one = UdpClients.Connect(director.Address), two = UdpClients.Connect(director.Address);

        Assert.Equal(["alpha 1", "beta 1", "alpha 2", "alpha ", "beta 2"],
            [await one.AskAsync("1"), await two.AskAsync("1"), await one.AskAsync("2"), await one.AskAsync(""), await two.AskAsync("2")]);

        await director.OnWorkerAsync(_ => 0);
        Assert.Equal((1, 1), (director.RealServer(0).ActiveConnections, director.RealServer(1).ActiveConnections));
        RealServerCounters counted = director.RealServer(0).Counters[0];
        Assert.Equal((1, 3, 3), (counted.Connections, counted.PacketsIn, counted.PacketsOut));
        Assert.Equal((2, 20), (counted.BytesIn, counted.BytesOut));
        Assert.Equal((2, 2), (director.VirtualServer.Counters[0].Connections, director.VirtualServer.Counters[0].OpenConnections));
    }

    [Fact]
    public async Task Many_datagrams_at_once_arrive_whole_in_order_and_once_whatever_their_size()
    {
        await using Director director = Director.Start(Both());
        using Socket client = UdpClients.Connect(director.Address);
        client.ReceiveBufferSize = 1 << 20;
        string[] sent = [.. Enumerable.Range(0, 100).Select(i => $"{i} {new string('x', i * 13)}")];

        foreach (string text in sent)
            client.Say(text);
        string[] heard = new string[sent.Length];
        for (int i = 0; i < heard.Length; i++)
            heard[i] = await client.HearAsync();

        Assert.Equal(sent.Select(s => $"alpha {s}"), heard);
        Assert.Single(_alpha.Received.Select(r => r.From).Distinct());
    }

    [Fact]
    public async Task What_a_real_server_says_unasked_reaches_the_client_too()
    {
        await using Director director = Director.Start(Both());
        using Socket client = UdpClients.Connect(director.Address);
        await client.AskAsync("hello");

        _alpha.Push("news", _alpha.Received.Single().From);
        _alpha.Push("more", _alpha.Received.Single().From);

        Assert.Equal(("news", "more"), (await client.HearAsync(), await client.HearAsync()));
    }

    [Fact]
    public async Task An_idle_session_ends_and_a_datagram_in_either_direction_keeps_it()
    {
        ManualClock clock = new();
        await using Director director = Director.StartAt(clock, Both() with { Timeouts = Director.Timeouts with { Idle = TimeSpan.FromSeconds(10) } });
        using Socket client = UdpClients.Connect(director.Address);
        await client.AskAsync("1");

        clock.Advance(TimeSpan.FromSeconds(9));
        await director.NoticeTimeAsync();
        _alpha.Push("news", _alpha.Received.Single().From);
        await client.HearAsync();
        clock.Advance(TimeSpan.FromSeconds(9));
        await director.NoticeTimeAsync();
        Assert.Equal("alpha 2", await client.AskAsync("2"));
        clock.Advance(TimeSpan.FromSeconds(11));
        await director.NoticeTimeAsync();

        Assert.Equal(0, director.RealServer(0).ActiveConnections);
        Assert.Equal(1, director.Count(ForwardOutcome.Completed));
        Assert.Equal("beta 3", await client.AskAsync("3"));
    }

    [Fact]
    public async Task A_drained_real_server_keeps_its_sessions_and_gets_no_new_ones()
    {
        await using Director director = Director.Start(Both());
        using Socket old = UdpClients.Connect(director.Address);
        Assert.Equal("alpha 1", await old.AskAsync("1"));

        director.RealServer(0).State = AdministrativeState.Drain;

        Assert.Equal("alpha 2", await old.AskAsync("2"));
        Assert.Equal(("beta 3", "beta 3"), (await UdpClients.AskOnceAsync(director.Address, "3"), await UdpClients.AskOnceAsync(director.Address, "3")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sessions_of_a_real_server_that_is_down_or_in_maintenance_go_to_another_with_the_next_datagram(bool isDown)
    {
        await using Director director = Director.Start(Both() with { Check = Check });
        SetHealth(director, 0, isUp: true);
        SetHealth(director, 1, isUp: true);
        using Socket client = UdpClients.Connect(director.Address);
        Assert.Equal("alpha 1", await client.AskAsync("1"));

        if (isDown)
            SetHealth(director, 0, isUp: false);
        else
            director.RealServer(0).State = AdministrativeState.Maintenance;

        Assert.Equal("beta 2", await client.AskAsync("2"));
        Assert.Equal((0, 1), (director.RealServer(0).ActiveConnections, director.RealServer(1).ActiveConnections));
        Assert.Equal(1, director.VirtualServer.Counters[0].Connections); // he is the same client
    }

    [Fact]
    public async Task With_nobody_up_datagrams_go_to_the_sorry_server_until_somebody_is()
    {
        using FakeDatagramServer sorry = FakeDatagramServer.Named("sorry ");
        await using Director director = Director.Start(Both() with { Check = Check, SorryServer = sorry.Address });
        using Socket client = UdpClients.Connect(director.Address);
        Assert.Equal(("sorry 1", "sorry 2"), (await client.AskAsync("1"), await client.AskAsync("2")));
        Assert.Single(sorry.Received.Select(r => r.From).Distinct());

        SetHealth(director, 1, isUp: true);

        Assert.Equal("beta 3", await client.AskAsync("3"));
        Assert.Equal(1, director.Count(ForwardOutcome.CompletedBySorryServer));
    }

    [Fact]
    public async Task Without_anybody_datagrams_are_dropped_and_counted()
    {
        await using Director director = Director.Start(Both() with { Check = Check });
        using Socket client = UdpClients.Connect(director.Address);

        client.Say("1");
        client.Say("2");

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.NoRealServer) == 2);
        SetHealth(director, 0, isUp: true);
        Assert.Equal("alpha 3", await client.AskAsync("3"));
    }

    [Fact]
    public async Task Who_leaves_a_fallback_server_returns_to_the_main_ones_when_they_serve_again()
    {
        VirtualServer both = Both();
        await using Director director = Director.Start(both with { Check = Check, RealServers = [both.RealServers[0], both.RealServers[1] with { IsFallback = true }] });
        SetHealth(director, 1, isUp: true);
        using Socket client = UdpClients.Connect(director.Address);
        Assert.Equal("beta 1", await client.AskAsync("1"));

        SetHealth(director, 0, isUp: true);
        director.RealServer(1).IsStandby = true;

        Assert.Equal("alpha 2", await client.AskAsync("2"));
    }

    [Fact]
    public async Task A_client_returns_to_his_real_server_from_another_port()
    {
        await using Director director = Director.Start(Both() with { Persistence = new SourcePersistence() });
        IPAddress one = IPAddress.Parse("127.99.1.1"), two = IPAddress.Parse("127.99.1.2");

        string[] met = [await AskAsync(one), await AskAsync(two), await AskAsync(one), await AskAsync(one), await AskAsync(two)];

        Assert.Equal(["alpha ", "beta ", "alpha ", "alpha ", "beta "], met);
        Assert.Equal([1, 1], director.VirtualServer.Sessions!.Count());

        Task<string> AskAsync(IPAddress from) => UdpClients.AskOnceAsync(director.Address, "", from);
    }

    [Fact]
    public async Task A_real_server_with_its_most_sessions_gets_no_new_ones()
    {
        VirtualServer both = Both();
        await using Director director = Director.Start(both with
        {
            Scheduler = SchedulerKind.FailOver,
            RealServers = [new(_alpha.Address, 2) { Thresholds = new(Upper: 2, Lower: 1) }, both.RealServers[1]],
        });
        using Socket one = UdpClients.Connect(director.Address), two = UdpClients.Connect(director.Address), three = UdpClients.Connect(director.Address);

        Assert.Equal(["alpha 1", "alpha 1", "beta 1", "alpha 2"], [await one.AskAsync("1"), await two.AskAsync("1"), await three.AskAsync("1"), await one.AskAsync("2")]);
    }

    [Fact]
    public async Task A_reload_keeps_sessions_of_what_stays_and_moves_those_of_a_real_server_that_is_gone()
    {
        VirtualServer both = Both();
        await using Director director = Director.Start(both);
        using Socket one = UdpClients.Connect(director.Address), two = UdpClients.Connect(director.Address);
        Assert.Equal(("alpha 1", "beta 1"), (await one.AskAsync("1"), await two.AskAsync("1")));
        IPEndPoint towardsBeta = _beta.Received.Single().From;

        director.Reload(both with { RealServers = [both.RealServers[1]], Timeouts = Director.Timeouts with { Idle = TimeSpan.FromMinutes(3) } });

        Assert.Equal(("beta 2", "beta 2"), (await one.AskAsync("2"), await two.AskAsync("2")));
        Assert.Equal(2, _beta.Received.Count(r => r.From.Equals(towardsBeta)));
        Assert.Equal((2, 2), (director.VirtualServer.Counters[0].OpenConnections, director.RealServer(0).ActiveConnections));
    }

    [Fact]
    public async Task A_virtual_server_that_is_taken_away_ends_its_sessions_and_its_address_can_be_given_again_at_once()
    {
        VirtualServer dns = Both(), other = Director.Udp(_beta.Address) with { Name = "other" };
        await using Director director = Director.Start(dns, other);
        using Socket client = UdpClients.Connect(dns.Address);
        Assert.Equal("alpha 1", await client.AskAsync("1"));
        LiveRealServer alpha = director.RealServer(0);

        director.Reload(other);
        await director.OnWorkerAsync(_ => 0);
        Assert.Equal(0, alpha.ActiveConnections);
        Assert.Equal(0, await director.OnWorkerAsync(w => w.Sessions.Count));

        director.Reload(other, dns);
        using Socket next = UdpClients.Connect(dns.Address);
        Assert.Equal("alpha 2", await next.AskAsync("2"));
    }

    [Fact]
    public async Task Udp_and_tcp_share_an_address_and_each_is_served_by_its_own()
    {
        await using FakeRealServer web = FakeRealServer.Start(client => client.WriteAsync("tcp"));
        VirtualServer udp = Both(), tcp = Director.Tcp(web.Address) with { Name = "tcp", Addresses = udp.Addresses };
        await using Director director = Director.Start(udp, tcp);

        Assert.Equal("alpha 1", await UdpClients.AskOnceAsync(director.Address, "1"));
        Assert.Equal("tcp", await director.AskAsync(""));
    }

    [Fact]
    public async Task Another_program_that_has_the_port_is_told_of()
    {
        VirtualServer other = Director.Udp(_beta.Address) with { Addresses = [new(_alpha.Address)], Name = "other" };
        await using Director director = Director.Start(Both());

        ListenProblem problem = Assert.Single(director.Prepare(Both() with { Addresses = director.VirtualServer.Configured.Addresses }, other));

        Assert.Equal($"another program already listens on {_alpha.Address}", problem.What);
        Assert.Contains("ss -lunp", problem.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_forwards_what_has_come_and_ends_all_sessions()
    {
        Director director = Director.StartWith(2, Both());
        using Socket client = UdpClients.Connect(director.Address);
        Assert.Equal("alpha 1", await client.AskAsync("1"));
        client.Say("last");

        await director.StopAsync(TimeSpan.FromMinutes(1)).WaitAsync(TimeSpan.FromSeconds(15));

        await Eventually.HoldsAsync(() => _alpha.Received.Any(r => r.Text == "last"));
        Assert.Equal((0, 0), (director.RealServer(0).ActiveConnections, director.VirtualServer.Counters.Sum(c => c.OpenConnections)));
    }

    [Fact]
    public async Task A_director_that_stops_takes_no_more_and_waits_for_the_answers_to_what_it_took()
    {
        using ManualResetEventSlim answers = new();
        using FakeDatagramServer slow = new(question =>
        {
            answers.Wait(TimeSpan.FromSeconds(15));
            return [question];
        });
        Director director = Director.Start(Director.Udp(slow.Address));
        using Socket client = UdpClients.Connect(director.Address);
        client.Say("asked");
        await Eventually.HoldsAsync(() => slow.Received.Count == 1);

        Task stopping = director.StopAsync(TimeSpan.FromMinutes(1));
        answers.Set();

        Assert.Equal("asked", await client.HearAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(15));
        Assert.Equal((1, 0), (director.Count(ForwardOutcome.Completed), director.RealServer(0).ActiveConnections));
    }

    [Fact]
    public async Task Sessions_on_an_address_that_is_another_directors_now_end_with_the_handover()
    {
        VirtualServer moving = Both(), own = Director.Udp(_beta.Address) with { Name = "own" };
        HaInstance instance = Pairs.Instance($"{moving.Address.Address}");
        await using Director director = Director.StartAsOneOfTwo(instance, isActive: true, moving, own);
        using Socket moved = UdpClients.Connect(moving.Address), stays = UdpClients.Connect(own.Address);
        await moved.AskAsync("1");
        await stays.AskAsync("1");
        IPEndPoint before = _beta.Received.First(r => r.Text == "1").From;

        director.Become(instance, isActive: false);
        director.CutOffResting();
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ShutDown) == 1);

        Assert.Equal("beta 2", await stays.AskAsync("2"));
        Assert.Equal(before, _beta.Received.First(r => r.Text == "2").From);
        Assert.Equal("beta 3", await moved.AskAsync("3")); // who still comes is served, as a new client
    }

    private VirtualServer Both() => Director.Udp(_alpha.Address, _beta.Address);

    private static void SetHealth(Director director, int index, bool isUp) =>
        director.RealServer(index).Health!.Apply(new(isUp, "by the test", TimeSpan.Zero), DateTimeOffset.UnixEpoch);
}
