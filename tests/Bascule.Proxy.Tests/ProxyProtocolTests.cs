using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Proxy.Tests.Http1;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>Connections that begin with a header of the PROXY protocol.</summary>
public sealed class ProxyProtocolTests
{
    private const string Header = "PROXY TCP4 203.0.113.7 192.0.2.10 51234 80\r\n";

    private static readonly ProxyProtocol FromHere = new([IPNetwork.Parse("127.0.0.0/8")], Send: null);
    private static readonly ProxyProtocol FromElsewhere = new([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8::/32")], Send: null);

    [Fact]
    public async Task The_client_is_who_the_header_names()
    {
        await using FakeRealServer web = Webs.Named("web");
        await using Director director = Director.Start(Director.Http(web.Address) with { ProxyProtocol = FromHere });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        foreach (char one in Header + "GET / HTTP/1.1\r\nHost:") // in as many packets as there are bytes
            await talk.SendAsync(one.ToString());
        Assert.Equal("web", (await talk.AskAsync(" s\r\n\r\n")).Body);
        Assert.Equal("web", (await talk.AskAsync(Webs.Get)).Body);

        Assert.All(web.Requests, head => Assert.Contains("\r\nX-Forwarded-For: 203.0.113.7\r\n", head, StringComparison.Ordinal));
        Assert.Equal(2, await director.CountAsync(ForwardOutcome.Completed));
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\x20\x11\0\x0C\xCB\0\x71\x07\xC0\0\x02\x0A\xC8\x22\x01\xBB")] // LOCAL
    public async Task A_header_that_names_nobody_leaves_the_peer_the_client(string header)
    {
        await using FakeRealServer web = Webs.Named("web");
        await using Director director = Director.Start(Director.Http(web.Address) with { ProxyProtocol = FromHere });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Assert.Equal("web", (await talk.AskAsync(header + Webs.Get)).Body);

        Assert.Contains("\r\nX-Forwarded-For: 127.0.0.1\r\n", web.Requests.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_are_scheduled_by_their_own_address()
    {
        FakeRealServer[] webs = [.. Enumerable.Range(0, 8).Select(i => Webs.Named($"web{i}"))];
        await using Director director = Director.Start(Director.Http([.. webs.Select(w => w.Address)]) with { Scheduler = SchedulerKind.SourceHash, ProxyProtocol = FromHere });

        HashSet<string> met = [];
        for (int client = 1; client <= 20; client++)
        {
            string first = await AskAs(client);
            Assert.Equal(first, await AskAs(client));
            met.Add(first);
        }

        Assert.InRange(met.Count, 4, 8);
        foreach (FakeRealServer web in webs)
            await web.DisposeAsync();

        async Task<string> AskAs(int client)
        {
            using HttpTalk talk = await HttpTalk.WithAsync(director);
            return (await talk.AskAsync($"PROXY TCP4 203.0.113.{client} 192.0.2.10 {30000 + client} 80\r\n{Webs.Get}")).Body;
        }
    }

    [Fact]
    public async Task Of_tcp_what_follows_the_header_is_the_clients()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address) with { ProxyProtocol = FromHere });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        await talk.SendAsync(Header + Header + "and more");
        talk.CloseSendSide();

        Assert.Equal(Header + "and more", await talk.ReadToEndAsync());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\n\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 192.0.2.10 51234\r\nGET / HTTP/1.1\r\nHost: s\r\n\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0")]
    [InlineData("PROXY TCP4 203.0.113.7 192.0.2.10 51234 80 and so on and so on and so on and so on and so on and so on and so on and")]
    public async Task Without_a_right_header_a_connection_is_closed_and_counted(string bytes)
    {
        await using FakeRealServer web = Webs.Named("web");
        await using Director director = Director.Start(Director.Http(web.Address) with { ProxyProtocol = FromHere });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        await talk.SendAsync(bytes);

        Assert.Equal("", (await talk.ReadToBreakAsync()).Text);
        Assert.Equal((1, 0), (await director.CountAsync(ForwardOutcome.ClientSentNoProxyHeader), web.Accepted));
    }

    [Fact]
    public async Task A_header_that_does_not_come_in_time_is_none()
    {
        ManualClock clock = new();
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.StartAt(clock, Director.Tcp(echo.Address) with { ProxyProtocol = FromHere });
        using HttpTalk talk = await HttpTalk.WithAsync(director);
        await talk.SendAsync(Header[..20]);
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters.Sum(c => c.OpenConnections) == 1);
        await director.NoticeTimeAsync();

        clock.Advance(Director.Timeouts.Request + TimeSpan.FromMilliseconds(32)); // one tick of the wheel
        await director.NoticeTimeAsync();

        Assert.Equal("", (await talk.ReadToBreakAsync()).Text);
        Assert.Equal((1, 0), (await director.CountAsync(ForwardOutcome.ClientSentNoProxyHeader), echo.Accepted));
    }

    [Fact]
    public async Task A_peer_that_comes_and_goes_without_a_word_has_done_nothing()
    {
        await using Director director = Director.Start(Director.Tcp(Director.FreeAddress()) with { ProxyProtocol = FromHere });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        talk.CloseSendSide();
        await talk.ReadToBreakAsync();

        Assert.Equal(0, await director.EndingsAsync());
    }

    [Fact]
    public async Task Of_everybody_else_a_header_is_data()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address) with { ProxyProtocol = FromElsewhere });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        await talk.SendAsync(Header + "data");
        talk.CloseSendSide();

        Assert.Equal(Header + "data", await talk.ReadToEndAsync());
    }

    [Theory]
    [InlineData(ProxyProtocolVersion.V1)]
    [InlineData(ProxyProtocolVersion.V2)]
    public async Task A_connection_to_a_real_server_begins_with_a_header_in_the_segment_of_the_first_bytes(ProxyProtocolVersion version)
    {
        TaskCompletionSource<(string Text, uint Segments)> seen = new();
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            byte[] expected = await client.ReadExactlyAsync((version == ProxyProtocolVersion.V1 ? Header.Length : 28) + 5);
            seen.SetResult((Encoding.Latin1.GetString(expected), DataSegments(client.Socket)));
        });
        await using Director director = Director.Start(Director.Tcp(server.Address) with { ProxyProtocol = FromHere with { Send = version } });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        await talk.SendAsync(Header + "hello");

        (string text, uint segments) = await seen.Task.WaitAsync(TimeSpan.FromSeconds(15));
        Assert.Equal((version == ProxyProtocolVersion.V1 ? Header : "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xCB\0\x71\x07\xC0\0\x02\x0A\xC8\x22\0\x50") + "hello", text);
        Assert.Equal(1u, segments);
    }

    [Fact]
    public async Task A_real_server_that_speaks_first_has_the_header_at_once()
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            while ((await client.ReadExactlyAsync(1))[0] != '\n')
            {
            }

            await client.WriteAsync("220 hello\r\n");
        });
        await using Director director = Director.Start(Director.Tcp(server.Address) with { ProxyProtocol = new([], ProxyProtocolVersion.V1) });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Assert.Equal("220 hello\r\n", await talk.ReadThroughAsync("\r\n"));
    }

    [Fact]
    public async Task Requests_of_one_client_connection_share_a_connection_and_those_of_others_do_not()
    {
        await using FakeRealServer web = Webs.Named("web");
        await using Director director = Director.Start(Director.Http(web.Address) with { ProxyProtocol = new([], ProxyProtocolVersion.V1) });
        using HttpTalk one = await HttpTalk.WithAsync(director);
        using HttpTalk other = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("web", (await one.AskAsync(Webs.Get)).Body);
            Assert.Equal("web", (await other.AskAsync(Webs.Get)).Body);
        }

        Assert.Equal(2, web.Accepted);
        Assert.Equal(0, await director.IdleServerConnectionsAsync());
        string[] headers = [.. web.Requests.Where(r => r.StartsWith("PROXY ", StringComparison.Ordinal)).Select(r => r.Split("\r\n")[0])];
        Assert.Equal([HeaderOf(one, director), HeaderOf(other, director)], headers);
        Assert.Equal(6, web.Requests.Count);

        static string HeaderOf(HttpTalk talk, Director director) =>
            $"PROXY TCP4 127.0.0.1 {director.Address.Address} {((IPEndPoint)talk.Socket.LocalEndPoint!).Port} {director.Address.Port}";
    }

    [Fact]
    public async Task A_connection_that_was_kept_and_has_ended_is_replaced()
    {
        await using FakeRealServer web = FakeRealServer.Answering(Webs.Ok); // closes after each, without saying so
        await using Director director = Director.Start(Director.Http(web.Address) with { ProxyProtocol = new([], ProxyProtocolVersion.V2) });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        for (int i = 1; i <= 3; i++)
        {
            Assert.Equal("ok", (await talk.AskAsync(Webs.Get)).Body);
            await Eventually.HoldsAsync(() => web.Open == 0);
        }

        Assert.Equal(3, web.Accepted);
        talk.Dispose();
        await Eventually.HoldsAsync(() => director.RealServer(0) is { ActiveConnections: 0, InactiveConnections: 0 });
    }

    [Fact]
    public async Task The_sorry_server_is_told_too()
    {
        await using FakeRealServer refusing = FakeRealServer.Refusing();
        await using FakeRealServer sorry = FakeRealServer.Answering(Webs.Ok);
        await using Director director = Director.Start(Director.Http(refusing.Address) with { SorryServer = sorry.Address, ProxyProtocol = FromHere with { Send = ProxyProtocolVersion.V1 } });
        director.RealServer(0).State = AdministrativeState.Maintenance;
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Assert.Equal("ok", (await talk.AskAsync(Header + Webs.Get)).Body);

        Assert.StartsWith(Header, sorry.Requests.Single(), StringComparison.Ordinal);
    }

    /// <summary>Segments with data that the socket has had. struct tcp_info, tcpi_data_segs_in.</summary>
    private static uint DataSegments(Socket socket)
    {
        const int TcpLevel = 6, TcpInfo = 11, DataSegmentsIn = 152;
        byte[] info = new byte[256];
        socket.GetRawSocketOption(TcpLevel, TcpInfo, info);
        return BitConverter.ToUInt32(info, DataSegmentsIn);
    }
}
