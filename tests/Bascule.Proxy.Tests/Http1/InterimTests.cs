using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

public sealed class InterimTests
{
    private const string Expecting = "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

    [Fact]
    public async Task Passes_interim_answers_on_before_the_final_one()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive(
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", (await client.AskAsync(Webs.Get)).Head);
            Assert.Equal(102, (await client.ReadAnswerAsync()).Status);
            Assert.Equal("ok", (await client.ReadAnswerAsync()).Body);
        }

        Assert.Equal(1, web.Accepted);
    }

    [Fact]
    public async Task Spares_a_client_of_http_1_0_the_interim_answers()
    {
        await using FakeRealServer web = Webs.Saying("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + Webs.Ok);
        await using Director director = Director.Start(Director.Http(web.Address));

        string all = await director.AskAsync("GET / HTTP/1.0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", all);
    }

    [Fact]
    public async Task A_client_that_expects_100_continue_hears_it_from_the_real_server_and_then_sends()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            while (await client.ReadHeadAsync() is { } head)
            {
                Assert.Contains("\r\nExpect: 100-continue\r\n", head);
                await client.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
                string body = await Webs.ReadBodyAsync(client, head);
                await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
            }
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", (await client.AskAsync(Expecting)).Head);
            Assert.Equal("hello", (await client.AskAsync("hello")).Body);
        }

        Assert.Empty(web.Failures);
        Assert.Equal(1, web.Accepted);
    }

    [Theory]
    [InlineData("417 Expectation Failed")]
    [InlineData("413 Content Too Large")]
    public async Task An_answer_instead_of_100_continue_ends_both_connections_properly(string status)
    {
        await using FakeRealServer web = Webs.Saying($"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync(Expecting);

        Assert.Equal($"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", await client.ReadToEndAsync());
        client.Dispose();
        await Eventually.HoldsAsync(() => web.Open == 0);
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.Completed));
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task An_early_answer_reaches_a_client_that_goes_on_sending()
    {
        await using FakeRealServer web = Webs.Saying("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 2000000\r\n\r\n" + new string('x', 1_000_000));

        Assert.EndsWith("Connection: close\r\n\r\nno", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task An_early_answer_is_not_lost_when_the_real_server_then_breaks_off_the_upload()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
            client.Dispose(); // with bytes of the upload unread, so the kernel sends a reset
        });
        await using Director director = Director.Start(Director.Http(web.Address));

        for (int i = 0; i < 10; i++)
        {
            using HttpTalk client = await HttpTalk.WithAsync(director);
            await client.SendAsync("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 500000\r\n\r\n" + new string('x', 500_000));
            Assert.Equal("no", (await client.ReadAnswerAsync()).Body);
        }
    }

    [Fact]
    public async Task An_answer_goes_on_while_the_request_is_still_being_sent()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n");
            for (int i = 0; i < 3; i++)
                await client.WriteAsync(await client.ReadExactlyAsync(100));
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 300\r\n\r\n");
        await client.ReadThroughAsync("\r\n\r\n");
        for (int i = 0; i < 3; i++)
        {
            string part = Webs.Text(100, seed: i);
            await client.SendAsync(part);
            Assert.Equal(part, await client.ReadAsync(100));
        }

        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.Completed));
    }

    [Fact]
    public async Task A_real_server_that_never_comes_to_its_final_answer_is_given_up()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            while (true)
                await client.WriteAsync("HTTP/1.1 102 Processing\r\n\r\n");
        });
        await using Director director = Director.Start(Director.Http(web.Address));
        using HttpTalk client = await HttpTalk.WithAsync(director);

        await client.SendAsync(Webs.Get);

        Assert.Contains("HTTP/1.1 502 ", await client.ReadToEndAsync());
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.RealServerSentBadResponse));
    }
}
