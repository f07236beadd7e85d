using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Weights;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>What the proxy notes of real servers' answers, over real sockets, and what comes of it.</summary>
public sealed class PassiveCheckTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n";

    private static readonly PassiveCheck Rule = new()
    {
        ConsecutiveFailures = 3,
        Outliers = null,
        Ejection = TimeSpan.FromSeconds(30),
        MaxEjection = TimeSpan.FromMinutes(5),
        MaxEjected = 50,
    };

    [Theory]
    [InlineData("200 OK", 1, 0)]
    [InlineData("404 Not Found", 1, 0)] // the client's mistake
    [InlineData("501 Not Implemented", 1, 0)] // so is a method that nobody knows
    [InlineData("505 HTTP Version Not Supported", 1, 0)]
    [InlineData("500 Internal Server Error", 0, 1)]
    [InlineData("503 Service Unavailable", 0, 1)]
    public async Task A_status_of_500_or_more_is_a_bad_answer_unless_the_client_asked_for_it(string status, int good, int bad)
    {
        await using FakeRealServer server = Answering(status);
        await using Director director = Director.Start(Director.Http(server.Address));

        await director.AskAsync(Request);

        Assert.Equal((good, bad), await JudgedAsync(director));
    }

    [Fact]
    public async Task Who_breaks_off_is_silent_for_too_long_or_refuses_answers_badly()
    {
        await using FakeRealServer breaking = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbroken off");
            client.Reset();
        });
        await using FakeRealServer silent = FakeRealServer.Stalling();
        await using FakeRealServer refusing = FakeRealServer.Refusing();
        foreach (FakeRealServer server in (FakeRealServer[])[breaking, silent, refusing])
        {
            VirtualServer web = Director.Http(server.Address);
            await using Director director = Director.Start(web with { Timeouts = web.Timeouts with { Response = TimeSpan.FromMilliseconds(50) } });

            try
            {
                await director.AskAsync(Request);
            }
            catch (IOException)
            {
                // A break in the middle of an answer is passed on.
            }

            Assert.Equal((0, 1), await JudgedAsync(director));
        }
    }

    [Fact]
    public async Task Whose_client_leaves_before_the_answer_is_not_judged()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();
        await using Director director = Director.Start(Director.Http(silent.Address));
        using (TcpClient client = await director.ConnectAsync())
        {
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Request));
            await Eventually.HoldsAsync(() => silent.Accepted == 1);
            client.LingerState = new(true, 0); // a reset: who only closes his side may still read
        }

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ClientLeft) == 1);

        Assert.Equal((0, 0), await JudgedAsync(director));
    }

    [Fact]
    public async Task A_client_that_stalls_in_its_upload_after_the_answer_has_begun_is_the_one_who_took_too_long()
    {
        await using FakeRealServer early = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe rest when I have yours");
            await client.ReadToEndAsync();
        });
        VirtualServer web = Director.Http(early.Address);
        await using Director director = Director.Start(web with { Timeouts = web.Timeouts with { Body = TimeSpan.FromMilliseconds(50) } });
        using TcpClient client = await director.ConnectAsync();

        await client.GetStream().WriteAsync("POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\nhalf"u8.ToArray());
        await Eventually.HoldsAsync(() => director.Endings == 1);

        Assert.Equal(1, director.Count(ForwardOutcome.ClientTimedOut));
        Assert.Equal((1, 0), await JudgedAsync(director));
    }

    [Fact]
    public async Task A_port_on_which_a_real_server_does_not_listen_says_nothing_of_it_where_clients_keep_theirs()
    {
        ListenAddress range = ListenerTests.FreeRange(2);
        IPAddress machine = Director.FreeAddress().Address;
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            while (await client.ReadHeadAsync() is not null)
                await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }, new IPEndPoint(machine, range.FirstPort));
        await using Director director = Director.Start(Director.Http(new IPEndPoint(machine, 0)) with { Addresses = [range] });
        using HttpClient client = new();
        List<HttpStatusCode> got = [];

        foreach (IPEndPoint port in (IPEndPoint[])[range.First, new(range.Ip, range.LastPort)])
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://{port}/"));
            got.Add(answer.StatusCode);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.BadGateway], got);
        Assert.Equal((1, 0), await JudgedAsync(director)); // its check asks the first port
    }

    [Fact]
    public async Task A_sorry_server_is_not_judged()
    {
        await using FakeRealServer dead = FakeRealServer.Refusing();
        await using FakeRealServer sorry = Answering("503 Service Unavailable");
        await using Director director = Director.Start(Director.Http(dead.Address) with { SorryServer = sorry.Address });

        await director.AskAsync(Request);

        Assert.Equal((0, 1), await JudgedAsync(director));
        Assert.Equal(0, director.VirtualServer.SorryServer!.Counters.Sum(c => c.BadAnswers));
    }

    [Fact]
    public async Task A_tcp_real_server_that_speaks_answers_well_long_before_the_connection_ends()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address));
        using TcpClient client = await director.ConnectAsync();

        await client.GetStream().WriteAsync("hello"u8.ToArray());
        await client.GetStream().ReadExactlyAsync(new byte[5]);

        Assert.Equal((1, 0), await JudgedAsync(director));
    }

    [Fact]
    public async Task A_tcp_real_server_that_resets_before_the_client_has_sent_anything_answers_badly()
    {
        await using FakeRealServer resetting = FakeRealServer.Start(async client =>
        {
            await Task.Yield();
            client.Reset();
        });
        await using Director director = Director.Start(Director.Tcp(resetting.Address));
        using TcpClient client = await director.ConnectAsync();

        await Eventually.HoldsAsync(() => director.Endings == 1);

        Assert.Equal((0, 1), await JudgedAsync(director));
    }

    [Fact]
    public async Task What_ends_a_tcp_connection_after_the_client_has_spoken_may_be_the_clients_doing_and_is_not_judged()
    {
        await using FakeRealServer resetting = FakeRealServer.Start(async client =>
        {
            await client.ReadAsync(new byte[1]);
            client.Reset();
        });
        await using Director director = Director.Start(Director.Tcp(resetting.Address));
        using TcpClient client = await director.ConnectAsync();

        await client.GetStream().WriteAsync("hello"u8.ToArray());
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerBrokeOff) == 1);

        Assert.Equal((0, 0), await JudgedAsync(director));
    }

    [Fact]
    public async Task A_tcp_connection_that_its_client_lets_run_out_of_time_is_not_judged()
    {
        TaskCompletionSource over = new();
        await using FakeRealServer silent = FakeRealServer.Start(_ => over.Task);
        VirtualServer web = Director.Tcp(silent.Address);
        await using Director director = Director.Start(web with { Timeouts = web.Timeouts with { Idle = TimeSpan.FromMilliseconds(50) } });
        using TcpClient client = await director.ConnectAsync();

        client.Client.Shutdown(SocketShutdown.Send);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerTimedOut) == 1);

        Assert.Equal((0, 0), await JudgedAsync(director));
        over.SetResult();
    }

    [Fact]
    public async Task Who_fails_again_and_again_is_ejected_and_clients_see_no_more_of_it_until_its_time_is_over()
    {
        ManualClock clock = new();
        WeightKeeper keeper = new(clock);
        await using FakeRealServer bad = Answering("500 Internal Server Error");
        await using FakeRealServer good = Answering("200 OK");
        await using Director director = Director.StartWith(2, Director.Http(bad.Address, good.Address) with { PassiveCheck = Rule });
        await AskManyAsync(6);
        Assert.Equal((3, 3), (bad.Requests.Count, good.Requests.Count));

        Assert.Equal(WeightChangeKind.Ejected, Assert.Single(keeper.Turn(director.Snapshot).Changes).Kind);
        await AskManyAsync(6);
        Assert.Equal((3, 9), (bad.Requests.Count, good.Requests.Count));

        clock.Advance(Rule.Ejection);
        Assert.Equal(WeightChangeKind.Readmitted, Assert.Single(keeper.Turn(director.Snapshot).Changes).Kind);
        await AskManyAsync(2);
        Assert.Equal((4, 10), (bad.Requests.Count, good.Requests.Count));

        async Task AskManyAsync(int times)
        {
            for (int i = 0; i < times; i++)
                await director.AskAsync(Request);
        }
    }

    private static FakeRealServer Answering(string status) => FakeRealServer.Answering($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");

    private static async Task<(int Good, int Bad)> JudgedAsync(Director director)
    {
        await director.EndingsAsync();
        return ((int)director.RealServer(0).Counters.Sum(c => c.GoodAnswers), (int)director.RealServer(0).Counters.Sum(c => c.BadAnswers));
    }
}
