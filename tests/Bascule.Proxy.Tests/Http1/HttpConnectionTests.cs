using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class HttpConnectionTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public async Task Forwards_a_request_and_its_answer()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Ok);
        await using Director director = Director.Start(Director.Http(web.Address));

        string answer = await director.AskAsync("GET /a?b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");

        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", answer);
        Assert.StartsWith("GET /a?b HTTP/1.1\r\nHost: shop\r\n", Assert.Single(web.Requests));
        Assert.Contains("X-Forwarded-For: 127.0.0.1\r\n", web.Requests.Single());
    }

    [Fact]
    public async Task Answers_pipelined_requests_in_order_over_one_connection_to_the_real_server()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Ok);
        await using Director director = Director.Start(Director.Http(web.Address));

        string answer = await director.AskAsync(
            "GET /1 HTTP/1.1\r\nHost: s\r\n\r\nGET /2 HTTP/1.1\r\nHost: s\r\n\r\nGET /3 HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n");

        Assert.Equal(3, answer.Split("ok").Length - 1);
        Assert.Equal(["/1", "/2", "/3"], web.Requests.Select(r => r.Split(' ')[1]));
        Assert.Equal(1, web.Accepted);
    }

    [Fact]
    public async Task Carries_bodies_both_ways_in_every_framing()
    {
        string body = new('x', 300_000);
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync("HTTP/1.1 200 OK\r\n\r\n" + body);
        });
        await using Director director = Director.Start(Director.Http(web.Address));

        using HttpClient http = new();
        string answer = await http.GetStringAsync(new Uri($"http://{director.Address}/"));

        Assert.Equal(body, answer);
    }

    [Fact]
    public async Task Answers_503_when_no_real_server_takes_connections()
    {
        await using Director director = Director.Start(Director.Http(Director.FreeAddress()) with
        {
            RealServers = [new RealServer(Director.FreeAddress(), 0)],
        });

        Assert.StartsWith("HTTP/1.1 503 ", await director.AskAsync("GET / HTTP/1.1\r\nHost: s\r\n\r\n"));
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.NoRealServer));
    }

    [Fact]
    public async Task Tries_another_real_server_when_one_refuses()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(Ok);
        await using Director director = Director.Start(Director.Http(Director.FreeAddress(), web.Address));

        for (int i = 0; i < 4; i++)
            Assert.StartsWith("HTTP/1.1 200 ", await director.AskAsync("GET / HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"));
    }

    [Fact]
    public async Task Posts_a_large_chunked_body()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            string? head = await client.ReadHeadAsync();
            await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            await client.ReadToEndAsync();
        });
        await using Director director = Director.Start(Director.Http(web.Address));

        StringBuilder request = new("POST / HTTP/1.1\r\nHost: s\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 100; i++)
            request.Append("3e8\r\n").Append('y', 1000).Append("\r\n");
        request.Append("0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", await director.AskAsync(request.ToString()));
    }
}
