using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Proxy.Tests.Http1;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>What the proxy notes for <c>least-time</c>, over real sockets.</summary>
public sealed class LeastTimeTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public async Task Requests_go_to_the_one_that_answers_sooner()
    {
        await using FakeRealServer slow = Taking(400, "slow");
        await using FakeRealServer quick = Taking(5, "quick");
        await using Director director = Director.StartAt(_clock, Director.Http(slow.Address, quick.Address) with { Scheduler = SchedulerKind.LeastTime });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        List<string> met = [];
        for (int i = 0; i < 8; i++)
            met.Add((await talk.AskAsync(Webs.Get)).Body);

        Assert.Equal(["slow", "quick", "quick", "quick", "quick", "quick", "quick", "quick"], met); // each is asked once, then it is known
        Assert.Equal(400_000, AnswerTimeOf(director, 0), tolerance: 20_000); // it decays a little meanwhile
    }

    [Fact]
    public async Task The_time_an_upload_takes_is_not_the_real_servers()
    {
        await using FakeRealServer mirror = Webs.Mirror();
        await using Director director = Director.StartAt(_clock, Director.Http(mirror.Address) with { Scheduler = SchedulerKind.LeastTime });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        await talk.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n12");
        await Eventually.HoldsAsync(() => mirror.Requests.Count == 1);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("1234", (await talk.AskAsync("34")).Body);

        Assert.InRange(AnswerTimeOf(director, 0), 1, 1000);
    }

    [Fact]
    public async Task Who_does_not_answer_in_time_is_noted_as_that_slow()
    {
        await using FakeRealServer stalling = FakeRealServer.Stalling();
        await using Director director = Director.StartAt(_clock, Director.Http(stalling.Address) with { Scheduler = SchedulerKind.LeastTime });
        using HttpTalk talk = await HttpTalk.WithAsync(director);
        await talk.SendAsync(Webs.Get);
        await Eventually.HoldsAsync(() => stalling.Accepted == 1);
        await director.NoticeTimeAsync();

        _clock.Advance(Director.Timeouts.Response);
        await director.NoticeTimeAsync();

        Assert.Equal(504, (await talk.ReadAnswerAsync()).Status);
        Assert.Equal(Director.Timeouts.Response.TotalMicroseconds, AnswerTimeOf(director, 0), tolerance: 1000);
    }

    [Fact]
    public async Task Of_tcp_the_time_to_connect_counts_and_a_refusal_is_no_answer()
    {
        await using FakeRealServer refusing = FakeRealServer.Refusing();
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.StartAt(_clock, Director.Tcp(refusing.Address, echo.Address) with { Scheduler = SchedulerKind.LeastTime });

        using TcpClient client = await director.ConnectAsync();
        await Eventually.HoldsAsync(() => director.RealServer(1).ActiveConnections == 1 && AnswerTimeOf(director, 1) > 0);

        Assert.Equal(0, AnswerTimeOf(director, 0));
    }

    [Fact]
    public async Task Other_schedulers_have_nothing_noted()
    {
        await using FakeRealServer web = Taking(5, "web");
        await using Director director = Director.StartAt(_clock, Director.Http(web.Address));
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Assert.Equal("web", (await talk.AskAsync(Webs.Get)).Body);

        Assert.Equal(0, AnswerTimeOf(director, 0));
    }

    private double AnswerTimeOf(Director director, int index) => director.RealServer(index).AnswerTime.At(_clock.GetElapsedTime(0));

    /// <summary>Answers every request that many milliseconds of the clock later.</summary>
    private FakeRealServer Taking(int milliseconds, string name) => FakeRealServer.Start(async client =>
    {
        while (await client.ReadHeadAsync() is not null)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
            await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");
        }
    });
}
