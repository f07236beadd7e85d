using System.Globalization;
using System.Text.RegularExpressions;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>Session ids of applications, over real sockets. Each of these gives a session to who has none of its own, as servlet containers do.</summary>
public sealed class LearnedPersistenceTests : IAsyncDisposable
{
    private readonly FakeRealServer _alpha = Application("alpha");
    private readonly FakeRealServer _beta = Application("beta");
    private readonly FakeRealServer _gamma = Application("gamma");

    public async ValueTask DisposeAsync()
    {
        await _alpha.DisposeAsync();
        await _beta.DisposeAsync();
        await _gamma.DisposeAsync();
    }

    [Fact]
    public async Task A_session_returns_to_where_it_was_begun_while_others_take_turns()
    {
        await using Director director = Director.Start(Site());
        Assert.Equal("alpha", (await AskAsync(director, "")).Body);
        string session = SessionOf(await AskAsync(director, ""));

        Assert.StartsWith("beta", session, StringComparison.Ordinal);
        for (int i = 0; i < 4; i++)
            Assert.Equal("beta", (await AskAsync(director, $"Cookie: a=1; JSESSIONID={session}\r\n")).Body);
        Assert.Equal("gamma", (await AskAsync(director, "")).Body);
    }

    [Theory]
    [InlineData("Cookie: JSESSIONID={0}\r\n", "/")]
    [InlineData("Cookie: JSESSIONID=\"{0}\"\r\n", "/")]
    [InlineData("Cookie: a=1\r\nCookie: JSESSIONID={0}\r\n", "/")]
    [InlineData("", "/shop;jsessionid={0}")]
    [InlineData("", "/shop;JSESSIONID={0}?a=b")]
    [InlineData("", "/shop?a=b&jsessionid={0}")]
    [InlineData("Cookie: JSESSIONID={0}\r\n", "/shop;jsessionid=other")]
    public async Task The_id_is_found_in_cookies_and_in_the_url(string fields, string target)
    {
        await using Director director = Director.Start(Site());
        string session = SessionOf(await AskAsync(director, ""));

        Answer answer = await AskAsync(director, string.Format(CultureInfo.InvariantCulture, fields, session), string.Format(CultureInfo.InvariantCulture, target, session));

        Assert.Equal("alpha", answer.Body);
    }

    [Fact]
    public async Task Ids_in_a_header_field_are_learned_and_found()
    {
        await using Director director = Director.Start(Site(new() { Name = "X-Session", IsHeader = true, Timeout = TimeSpan.FromMinutes(5) }));
        string session = SessionOf(await AskAsync(director, ""));

        Assert.Equal("alpha", (await AskAsync(director, $"x-session: {session}\r\n")).Body);
        Assert.Equal("beta", (await AskAsync(director, $"Cookie: JSESSIONID={session}\r\n")).Body);
    }

    [Fact]
    public async Task What_no_application_gave_out_is_scheduled_and_not_remembered()
    {
        await using Director director = Director.Start(Site());

        string[] met = [.. (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => AskAsync(director, "Cookie: JSESSIONID=made-up\r\n")))).Select(a => a.Body)];

        Assert.Equal(3, met.Distinct().Count());
        Assert.Equal(3, director.VirtualServer.Sessions!.Count().Sum()); // those of the answers
    }

    [Fact]
    public async Task A_session_that_the_application_ends_is_not_learned()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=gone; Max-Age=0\r\nContent-Length: 2\r\n\r\nok");
        await using Director director = Director.Start(Director.Http(web.Address) with { Persistence = Persistence() });

        using HttpTalk talk = await HttpTalk.WithAsync(director);
        await talk.AskAsync(CookiePersistenceTests.Get(""));

        Assert.Equal(0, director.VirtualServer.Sessions!.Count().Sum());
    }

    [Fact]
    public async Task Every_id_that_an_answer_gives_out_is_learned()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nset-cookie: JSESSIONID=one; Path=/a\r\nContent-Length: 2\r\nSet-Cookie: JSESSIONID=two; Path=/b\r\nSet-Cookie: jsessionid=other\r\n\r\nok");
        await using Director director = Director.Start(Director.Http(web.Address) with { Persistence = Persistence() });

        using HttpTalk talk = await HttpTalk.WithAsync(director);
        await talk.AskAsync(CookiePersistenceTests.Get(""));

        Assert.Equal(2, director.VirtualServer.Sessions!.Count().Sum());
    }

    [Theory]
    [InlineData(AdministrativeState.Drain, false, "alpha")]
    [InlineData(AdministrativeState.Drain, true, "beta")]
    [InlineData(AdministrativeState.Maintenance, false, "beta")]
    public async Task Drain_keeps_sessions_unless_told_otherwise_and_maintenance_moves_them(AdministrativeState state, bool expires, string name)
    {
        await using Director director = Director.Start(Site(Persistence() with { ExpireQuiescent = expires }));
        string session = SessionOf(await AskAsync(director, ""));

        director.RealServer(0).State = state;

        Assert.Equal(name, (await AskAsync(director, $"Cookie: JSESSIONID={session}\r\n")).Body);
    }

    [Fact]
    public async Task A_session_whose_real_server_is_gone_is_served_by_another_and_stays_there()
    {
        await using Director director = Director.Start(Site());
        string session = SessionOf(await AskAsync(director, ""));
        await _alpha.KillAsync();

        for (int i = 0; i < 3; i++)
            Assert.Equal("beta", (await AskAsync(director, $"Cookie: JSESSIONID={session}\r\n")).Body);
    }

    [Fact]
    public async Task A_reload_forgets_no_session_until_something_else_is_asked_for()
    {
        VirtualServer site = Site();
        await using Director director = Director.Start(site);
        string session = SessionOf(await AskAsync(director, ""));

        director.Reload(site with { RealServers = [new(_gamma.Address, 1), new(_beta.Address, 3), new(_alpha.Address, 1)] });
        Assert.Equal("alpha", (await AskAsync(director, $"Cookie: JSESSIONID={session}\r\n")).Body);
        director.Reload(site with { Persistence = new SourcePersistence() });

        Assert.Equal(0, director.VirtualServer.Sessions!.Count().Sum());
    }

    [Fact]
    public async Task Workers_share_what_one_of_them_has_learned()
    {
        await using Director director = Director.StartWith(4, Site());
        string session = SessionOf(await AskAsync(director, ""));

        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => AskAsync(director, $"Cookie: JSESSIONID={session}\r\n")));

        Assert.Equal(session.Split('-')[0], Assert.Single(answers.Select(a => a.Body).Distinct()));
    }

    private static LearnPersistence Persistence() => new() { Name = "JSESSIONID", Timeout = TimeSpan.FromMinutes(5) };

    private VirtualServer Site(LearnPersistence? persistence = null) =>
        Director.Http(_alpha.Address, _beta.Address, _gamma.Address) with { Persistence = persistence ?? Persistence(), Scheduler = SchedulerKind.RoundRobin };

    private static FakeRealServer Application(string name)
    {
        int sessions = 0;
        return FakeRealServer.Start(async client =>
        {
            while (await client.ReadHeadAsync() is { } head)
            {
                string session = head.Contains($"{name}-", StringComparison.Ordinal) ? ""
                    : string.Create(CultureInfo.InvariantCulture, $"Set-Cookie: JSESSIONID={name}-{++sessions}; Path=/; HttpOnly\r\nX-Session: {name}-{sessions}\r\n");
                await client.WriteAsync($"HTTP/1.1 200 OK\r\n{session}Content-Length: {name.Length}\r\n\r\n{name}");
            }
        });
    }

    private static async Task<Answer> AskAsync(Director director, string fields, string target = "/")
    {
        using HttpTalk talk = await HttpTalk.WithAsync(director);
        return await talk.AskAsync($"GET {target} HTTP/1.1\r\nHost: s\r\n{fields}\r\n");
    }

    private static string SessionOf(Answer answer) => Regex.Match(answer.Head, "JSESSIONID=([^;]*)").Groups[1].Value;
}
