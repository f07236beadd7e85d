using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>Which real server answers which client, over real sockets. Clients are addresses of 127.0.0.0/8.</summary>
public sealed class PersistenceTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TcpCheck Check = new()
    {
        Interval = TimeSpan.FromSeconds(1),
        Timeout = TimeSpan.FromSeconds(1),
        Rise = 1,
        Fall = 1,
        Port = null,
    };

    private readonly FakeRealServer _alpha = Saying("alpha");
    private readonly FakeRealServer _beta = Saying("beta");
    private readonly FakeRealServer _gamma = Saying("gamma");

    public async ValueTask DisposeAsync()
    {
        await _alpha.DisposeAsync();
        await _beta.DisposeAsync();
        await _gamma.DisposeAsync();
    }

    [Fact]
    public async Task A_client_returns_to_his_real_server_while_others_take_turns()
    {
        await using Director director = Director.Start(Persistent(new()));

        string[] met = [await MeetAsync(director, 1), await MeetAsync(director, 2), await MeetAsync(director, 1), await MeetAsync(director, 1), await MeetAsync(director, 2)];

        Assert.Equal(["alpha", "beta", "alpha", "alpha", "beta"], met);
    }

    [Fact]
    public async Task A_client_returns_after_reloads_that_change_the_list()
    {
        VirtualServer web = Persistent(new());
        await using Director director = Director.Start(web);
        Assert.Equal(("alpha", "beta"), (await MeetAsync(director, 1), await MeetAsync(director, 2)));

        director.Reload(web with { RealServers = [new(_gamma.Address, 1), new(_beta.Address, 1), new(_alpha.Address, 1)] });

        Assert.Equal(("alpha", "beta", "gamma"), (await MeetAsync(director, 1), await MeetAsync(director, 2), await MeetAsync(director, 3)));
        director.Reload(web with { RealServers = [new(_gamma.Address, 1), new(_beta.Address, 1)] });
        Assert.NotEqual("alpha", await MeetAsync(director, 1));
        Assert.Equal("beta", await MeetAsync(director, 2));
    }

    [Theory]
    [InlineData(false, "alpha")]
    [InlineData(true, "beta")]
    public async Task A_client_of_a_quiesced_real_server_still_gets_there_unless_quiescence_ends_sessions(bool expires, string name)
    {
        VirtualServer web = Persistent(new() { ExpireQuiescent = expires });
        await using Director director = Director.Start(web);
        Assert.Equal("alpha", await MeetAsync(director, 1));

        director.Reload(web with { RealServers = [new(_alpha.Address, 0), new(_beta.Address, 1)] });

        Assert.Equal((name, "beta"), (await MeetAsync(director, 1), await MeetAsync(director, 2)));
    }

    [Fact]
    public async Task A_client_of_a_real_server_that_is_down_gets_another_and_stays_there()
    {
        await using Director director = Director.Start(Persistent(new()) with { Check = Check });
        SetHealth(director, 0, isUp: true);
        SetHealth(director, 1, isUp: true);
        Assert.Equal("alpha", await MeetAsync(director, 1));

        SetHealth(director, 0, isUp: false);
        Assert.Equal("beta", await MeetAsync(director, 1));

        SetHealth(director, 0, isUp: true);
        Assert.Equal("beta", await MeetAsync(director, 1));
    }

    [Fact]
    public async Task A_client_whose_real_server_refuses_is_served_by_another_in_the_same_connection_and_stays_there()
    {
        await using FakeRealServer gone = FakeRealServer.Refusing();
        await using Director director = Director.Start(Persistent(new(), gone.Address, _beta.Address, _gamma.Address));

        Assert.Equal("beta", await MeetAsync(director, 1));
        Assert.Equal("beta", await MeetAsync(director, 1));

        Assert.Equal(1, director.RealServer(0).Counters[0].Failures);
    }

    [Fact]
    public async Task The_timeout_begins_when_the_last_connection_has_ended()
    {
        ManualClock clock = new();
        await using FakeRealServer first = FakeRealServer.Echoing();
        await using Director director = Director.StartAt(clock, Persistent(new() { Timeout = TimeSpan.FromSeconds(300) }, first.Address, _beta.Address)
            with
        { Timeouts = Director.Timeouts with { Idle = TimeSpan.FromDays(1) } });
        using (TcpClient open = await ConnectAsync(director, 1))
        {
            await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 1);
            clock.Advance(TimeSpan.FromSeconds(1000));
            using TcpClient second = await ConnectAsync(director, 1);
            await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 2);
        }

        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 0);
        clock.Advance(TimeSpan.FromSeconds(299));
        using (TcpClient again = await ConnectAsync(director, 1))
            await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 1);
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 0);

        clock.Advance(TimeSpan.FromSeconds(300));

        Assert.Equal("beta", await MeetAsync(director, 1));
    }

    [Fact]
    public async Task Clients_of_one_network_are_one_client()
    {
        await using Director director = Director.Start(Persistent(new() { Mask4 = 31 }));

        Assert.Equal(("alpha", "alpha", "beta"), (await MeetAsync(director, 2), await MeetAsync(director, 3), await MeetAsync(director, 4)));
    }

    [Fact]
    public async Task Connections_of_a_new_client_that_come_all_at_once_to_all_workers_meet_one_real_server()
    {
        await using Director director = Director.StartWith(4, Persistent(new(), _alpha.Address, _beta.Address, _gamma.Address));

        for (byte client = 1; client <= 20; client++)
        {
            string[] met = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => MeetAsync(director, client)));
            Assert.Single(met.Distinct());
        }
    }

    [Fact]
    public async Task Each_request_of_an_http_client_goes_to_his_real_server_from_whatever_connection()
    {
        await using FakeRealServer alpha = Http1.Webs.Named("alpha");
        await using FakeRealServer beta = Http1.Webs.Named("beta");
        await using Director director = Director.Start(Director.Http(alpha.Address, beta.Address) with { Persistence = new SourcePersistence() });

        string[] met = [.. await Task.WhenAll(Enumerable.Range(0, 6).Select(i => RequestTwiceAsync(director, (byte)(1 + (i % 2)))))];

        Assert.Equal(2, met.Distinct().Count());
        Assert.All(met, (names, i) => Assert.Equal(met[i % 2], names));
    }

    [Fact]
    public async Task A_client_returns_past_the_threshold_that_keeps_new_clients_away()
    {
        await using FakeRealServer first = FakeRealServer.Echoing();
        VirtualServer web = Persistent(new(), first.Address, _beta.Address);
        await using Director director = Director.Start(web with { RealServers = [new(first.Address, 1) { Thresholds = new(2, 1) }, new(_beta.Address, 1)] });
        using TcpClient one = await ConnectAsync(director, 1);
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 1);
        using TcpClient two = await ConnectAsync(director, 1);
        await Eventually.HoldsAsync(() => director.RealServer(0).IsFull);

        Assert.Equal(("beta", "beta"), (await MeetAsync(director, 2), await MeetAsync(director, 3)));
        using TcpClient three = await ConnectAsync(director, 1);
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 3);
    }

    private VirtualServer Persistent(SourcePersistence persistence, params IPEndPoint[] realServers) =>
        Director.Tcp(realServers.Length > 0 ? realServers : [_alpha.Address, _beta.Address]) with { Persistence = persistence };

    private static void SetHealth(Director director, int index, bool isUp) =>
        director.RealServer(index).Health!.Apply(new(isUp, "by the test", TimeSpan.Zero), DateTimeOffset.UnixEpoch);

    private static FakeRealServer Saying(string name) => FakeRealServer.Start(client => client.WriteAsync(name));

    private static async Task<TcpClient> ConnectAsync(Director director, byte client)
    {
        TcpClient connection = new(new IPEndPoint(new IPAddress([127, 99, 0, client]), 0));
        await connection.ConnectAsync(director.Address);
        return connection;
    }

    private static async Task<string> MeetAsync(Director director, byte client)
    {
        using TcpClient connection = await ConnectAsync(director, client);
        using StreamReader reader = new(connection.GetStream(), Encoding.Latin1);
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }

    private static async Task<string> RequestTwiceAsync(Director director, byte client)
    {
        using TcpClient connection = await ConnectAsync(director, client);
        await connection.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray());
        using StreamReader reader = new(connection.GetStream(), Encoding.Latin1);
        string answers = await reader.ReadToEndAsync().WaitAsync(Patience);
        return string.Join(' ', answers.Split('\n').Where(line => line.Contains("alpha", StringComparison.Ordinal) || line.Contains("beta", StringComparison.Ordinal)));
    }
}
