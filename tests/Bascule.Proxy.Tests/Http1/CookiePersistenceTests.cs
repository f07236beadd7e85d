using System.Globalization;
using System.Text.RegularExpressions;
using Bascule.Core.Model;
using Bascule.Core.Sessions;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>The director's own cookie, over real sockets.</summary>
public sealed partial class CookiePersistenceTests : IAsyncDisposable
{
    private readonly FakeRealServer _alpha = Webs.Named("alpha");
    private readonly FakeRealServer _beta = Webs.Named("beta");
    private readonly FakeRealServer _gamma = Webs.Named("gamma");

    public async ValueTask DisposeAsync()
    {
        await _alpha.DisposeAsync();
        await _beta.DisposeAsync();
        await _gamma.DisposeAsync();
    }

    [Fact]
    public async Task A_client_is_given_a_cookie_once_and_returns_with_it_while_others_take_turns()
    {
        await using Director director = Director.Start(Site());

        Answer first = await AskAsync(director);
        string cookie = CookieOf(first)!;

        Assert.Equal("alpha", first.Body);
        Assert.EndsWith("; Path=/; HttpOnly; SameSite=Lax", LineOf(first), StringComparison.Ordinal);
        for (int i = 0; i < 4; i++)
        {
            Answer next = await AskAsync(director, cookie);
            Assert.Equal(("alpha", null), (next.Body, CookieOf(next)));
        }

        Assert.Equal(["beta", "gamma", "alpha"], [(await AskAsync(director)).Body, (await AskAsync(director)).Body, (await AskAsync(director)).Body]);
    }

    [Fact]
    public async Task Requests_on_one_connection_each_go_by_their_own_cookie()
    {
        await using Director director = Director.Start(Site());
        string[] cookies = [CookieOf(await AskAsync(director))!, CookieOf(await AskAsync(director))!];
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        string[] met = new string[6];
        for (int i = 0; i < met.Length; i++)
            met[i] = (await talk.AskAsync(Get($"Cookie: BASCULE={cookies[i % 2]}\r\n"))).Body;

        Assert.Equal(["alpha", "beta", "alpha", "beta", "alpha", "beta"], met);
    }

    [Fact]
    public async Task The_applications_own_cookies_pass_both_ways()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\nSet-Cookie: b=2\r\n\r\nok");
        await using Director director = Director.Start(Director.Http(web.Address) with { Persistence = new CookiePersistence() });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Answer answer = await talk.AskAsync(Get("Cookie: mine=3\r\n"));

        Assert.Equal(3, Regex.Count(answer.Head, "Set-Cookie: (a=1|b=2|BASCULE=)"));
        Assert.Contains("\r\nCookie: mine=3\r\n", web.Requests.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Cookie: BASCULE=forged\r\n")]
    [InlineData("Cookie: BASCULE=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n")]
    [InlineData("Cookie: BASCULE=\r\n")]
    [InlineData("Cookie: BASCULE\r\n")]
    [InlineData("Cookie: ;;;=;= ;\r\n")]
    [InlineData("Cookie:\r\n")]
    [InlineData("Cookie: bascule={0}\r\n")]
    [InlineData("Cookie: BASCULE={0}x\r\n")]
    [InlineData("Cookie: xBASCULE={0}\r\n")]
    [InlineData("Cookie: BASCULE=ÄÖÜ; BASCULE=\xFF\xFE\r\n")]
    [InlineData("Cookie: BASCULE=a; BASCULE=b; BASCULE=c; BASCULE=d; BASCULE={0}\r\n")]
    [InlineData("Connection: cookie\r\nCookie: BASCULE={0}\r\n")]
    [InlineData("Cookie2: BASCULE={0}\r\n")]
    public async Task What_is_no_good_cookie_is_scheduled_anew_and_gets_one(string field)
    {
        await using Director director = Director.Start(Site());
        string good = CookieOf(await AskAsync(director))!;
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Answer answer = await talk.AskAsync(Get(string.Format(CultureInfo.InvariantCulture, field, good)));

        Assert.Equal((200, "beta"), (answer.Status, answer.Body));
        Assert.NotNull(CookieOf(answer));
    }

    [Theory]
    [InlineData("Cookie: a=1; BASCULE={0}; b=2\r\n")]
    [InlineData("Cookie: BASCULE=\"{0}\"\r\n")]
    [InlineData("Cookie:BASCULE={0}\r\n")]
    [InlineData("COOKIE: a=1\r\ncookie: b=2\r\nCookie: BASCULE={0}\r\n")]
    [InlineData("Cookie: BASCULE=old; BASCULE={0}\r\n")]
    [InlineData("Cookie: ; =; BASCULE = {0} ;\r\n")]
    public async Task A_good_cookie_is_found_wherever_it_is(string field)
    {
        await using Director director = Director.Start(Site());
        string good = CookieOf(await AskAsync(director))!;
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Answer answer = await talk.AskAsync(Get(string.Format(CultureInfo.InvariantCulture, field, good)));

        Assert.Equal(("alpha", null), (answer.Body, CookieOf(answer)));
    }

    [Fact]
    public async Task A_head_full_of_cookies_is_read_and_one_too_large_is_refused_as_ever()
    {
        await using Director director = Director.Start(Site());
        string good = CookieOf(await AskAsync(director))!;
        string many = string.Concat(Enumerable.Range(0, 900).Select(i => $"c{i}={i}; "));

        using HttpTalk talk = await HttpTalk.WithAsync(director);
        Assert.Equal("alpha", (await talk.AskAsync(Get($"Cookie: {many}BASCULE={good}\r\n"))).Body);
        Assert.Equal(431, (await talk.AskAsync(Get($"Cookie: {new string('x', 20_000)}; BASCULE={good}\r\n"))).Status);
    }

    [Fact]
    public async Task A_client_whose_real_server_is_gone_is_served_by_another_and_gets_its_cookie()
    {
        await using Director director = Director.Start(Site());
        string cookie = CookieOf(await AskAsync(director))!;
        await _alpha.KillAsync();

        Answer moved = await AskAsync(director, cookie);

        Assert.Equal("beta", moved.Body);
        Assert.Equal("beta", (await AskAsync(director, CookieOf(moved)!)).Body);
    }

    [Theory]
    [InlineData(AdministrativeState.Drain, false, "alpha")]
    [InlineData(AdministrativeState.Drain, true, "beta")]
    [InlineData(AdministrativeState.Maintenance, false, "beta")]
    public async Task Drain_keeps_clients_unless_told_otherwise_and_maintenance_moves_them(AdministrativeState state, bool expires, string name)
    {
        await using Director director = Director.Start(Site(new() { ExpireQuiescent = expires }));
        string cookie = CookieOf(await AskAsync(director))!;

        director.RealServer(0).State = state;
        Answer answer = await AskAsync(director, cookie);

        Assert.Equal((name, name == "alpha"), (answer.Body, CookieOf(answer) is null));
    }

    [Fact]
    public async Task A_reload_that_turns_the_list_round_sends_clients_to_the_same_real_servers()
    {
        VirtualServer site = Site();
        await using Director director = Director.Start(site);
        string[] cookies = [CookieOf(await AskAsync(director))!, CookieOf(await AskAsync(director))!];

        director.Reload(site with { RealServers = [new(_gamma.Address, 1), new(_beta.Address, 3), new(_alpha.Address, 1)] });
        Assert.Equal(["alpha", "beta"], [(await AskAsync(director, cookies[0])).Body, (await AskAsync(director, cookies[1])).Body]);
        director.Reload(site with { RealServers = [new(_gamma.Address, 1)] });

        Answer moved = await AskAsync(director, cookies[0]);
        Assert.Equal("gamma", moved.Body);
        Assert.NotNull(CookieOf(moved));
    }

    [Fact]
    public async Task Two_directors_with_one_key_send_a_client_to_the_same_real_server()
    {
        CookieKey key = CookieKey.Derive("known to both"u8);
        await using Director one = Director.StartWith(key, Site());
        await using Director other = Director.StartWith(CookieKey.Derive("known to both"u8), Director.Http(_gamma.Address, _beta.Address, _alpha.Address) with { Persistence = new CookiePersistence(), Scheduler = SchedulerKind.RoundRobin });
        await using Director stranger = Director.StartWith(CookieKey.Derive("another"u8), Site());
        string cookie = CookieOf(await AskAsync(one))!;

        Answer answer = await AskAsync(other, cookie);

        Assert.Equal(("alpha", null), (answer.Body, CookieOf(answer)));
        Assert.NotNull(CookieOf(await AskAsync(stranger, cookie)));
    }

    [Fact]
    public async Task A_cookie_with_a_timeout_is_renewed_in_use_and_ends_when_it_is_not_used()
    {
        ManualClock clock = new();
        await using Director director = Director.StartAt(clock, Site(new() { Timeout = TimeSpan.FromSeconds(800) }));
        Answer first = await AskAsync(director);
        Assert.Contains("; Max-Age=800", LineOf(first), StringComparison.Ordinal);
        Assert.Null(CookieOf(await AskAsync(director, CookieOf(first)!)));

        clock.Advance(TimeSpan.FromSeconds(700));
        Answer renewed = await AskAsync(director, CookieOf(first)!);
        Assert.Equal("alpha", renewed.Body);
        clock.Advance(TimeSpan.FromSeconds(700));
        Assert.Equal("alpha", (await AskAsync(director, CookieOf(renewed)!)).Body);
        Answer tooLate = await AskAsync(director, CookieOf(first)!);

        Assert.Equal("beta", tooLate.Body);
        Assert.NotNull(CookieOf(tooLate));
    }

    [Fact]
    public async Task The_sorry_server_and_refusals_of_our_own_give_none_out()
    {
        await using FakeRealServer sorry = Webs.Named("sorry");
        VirtualServer site = Site() with { RealServers = [new(_alpha.Address, 0)] };
        await using Director director = Director.Start(site with { SorryServer = sorry.Address });

        Answer answer = await AskAsync(director);
        Assert.Equal(("sorry", null), (answer.Body, CookieOf(answer)));
        director.Reload(site);
        using HttpTalk talk = await HttpTalk.WithAsync(director);
        Answer refused = await talk.AskAsync(Get(""));

        Assert.Equal((503, null), (refused.Status, CookieOf(refused)));
    }

    [Fact]
    public async Task Interim_answers_have_none_and_the_final_one_has()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using Director director = Director.Start(Director.Http(web.Address) with { Persistence = new CookiePersistence() });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Answer interim = await talk.AskAsync(Get(""));
        Answer final = await talk.ReadAnswerAsync();

        Assert.Equal((103, null), (interim.Status, CookieOf(interim)));
        Assert.NotNull(CookieOf(final));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16_300)]
    public async Task The_longest_cookie_fits_beside_the_largest_head(int size)
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive($"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: {new string('x', size)}\r\n\r\nok");
        await using Director director = Director.Start(Director.Http(web.Address) with { Persistence = new CookiePersistence { Path = "/" + new string('p', 1023) } });
        using HttpTalk talk = await HttpTalk.WithAsync(director);

        Answer answer = await talk.AskAsync(Get(""));

        Assert.Equal((200, "ok"), (answer.Status, answer.Body));
        Assert.NotNull(CookieOf(answer));
    }

    private VirtualServer Site(CookiePersistence? persistence = null) =>
        Director.Http(_alpha.Address, _beta.Address, _gamma.Address) with { Persistence = persistence ?? new(), Scheduler = SchedulerKind.RoundRobin };

    internal static string Get(string fields) => $"GET / HTTP/1.1\r\nHost: s\r\n{fields}\r\n";

    private static async Task<Answer> AskAsync(Director director, string? cookie = null)
    {
        using HttpTalk talk = await HttpTalk.WithAsync(director);
        return await talk.AskAsync(Get(cookie is null ? "" : $"Cookie: BASCULE={cookie}\r\n"));
    }

    private static string LineOf(Answer answer) => Line().Match(answer.Head).Value;

    private static string? CookieOf(Answer answer) => Line().Match(answer.Head) is { Success: true } found ? found.Groups[1].Value : null;

    [GeneratedRegex("Set-Cookie: BASCULE=([^;]*)[^\r]*")]
    private static partial Regex Line();
}
