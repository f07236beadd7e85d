using System.Net;
using System.Text;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Core.Sessions;
using Bascule.Daemon;
using Bascule.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Tests.Daemon;

/// <summary>Persistence as its user meets it: a daemon, and clients that keep their cookies as browsers do.</summary>
public sealed class CookieTests
{
    [Fact]
    public async Task A_client_returns_after_reload_and_after_a_kill_and_others_take_turns()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha, beta], more: "persistence: { by: cookie, timeout: 1h }");
        await daemon.StartAsync();
        Assert.Equal("alpha", await daemon.GetAsync());

        Assert.Equal(["alpha", "alpha", "alpha"], await ThreeAsync(daemon));
        daemon.Write([beta, alpha], more: "persistence: { by: cookie, timeout: 1h }");
        Assert.Equal(0, (await BasculeProcess.RunAsync("reload", "-c", daemon.File)).Code);
        Assert.Equal(["alpha", "alpha", "alpha"], await ThreeAsync(daemon));
        daemon.Process.Signal("KILL");
        await daemon.Process.EndAsync();
        await daemon.StartAsync();
        Assert.Equal(["alpha", "alpha", "alpha"], await ThreeAsync(daemon));

        string[] strangers = [await StrangerAsync(daemon), await StrangerAsync(daemon)];
        Assert.Equal(["alpha", "beta"], strangers.Order());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(daemon.Folder, "cookie.key")));
        Assert.DoesNotContain("ends with this process", daemon.Process.Error + daemon.Process.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_and_status_say_what_clients_are_known_by_and_how_many_are_remembered()
    {
        await using FakeRealServer alpha = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nSet-Cookie: SID=one; Path=/\r\nContent-Length: 5\r\n\r\nalpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha], more: "persistence: { by: learn, cookie: SID, timeout: 30m }");
        await daemon.StartAsync();
        await daemon.GetAsync();

        (int code, string list, _) = await BasculeProcess.RunAsync("list", "--persistent", "-c", daemon.File);
        Assert.Equal(0, code);
        Assert.Contains(" rr persistent 1800 by learned cookie SID", list, StringComparison.Ordinal);
        Assert.Matches($"{alpha.Address} +1 +1 +0 ", list);
        daemon.Write([alpha], more: "persistence: { by: cookie, name: SHOP }");
        Assert.Equal(0, (await BasculeProcess.RunAsync("reload", "-c", daemon.File)).Code);
        Assert.Matches($" rr persistent by cookie SHOP\n.*{alpha.Address} +1 +- ", (await BasculeProcess.RunAsync("list", "--persistent", "-c", daemon.File)).Out);
        Assert.Contains(" rr persistent by cookie SHOP  web:", (await BasculeProcess.RunAsync("status", "-c", daemon.File)).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_learned_session_outlives_an_orderly_restart_and_is_forgotten_by_a_kill()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nSet-Cookie: SID=one; Path=/\r\nContent-Length: 4\r\n\r\nbeta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha, beta], more: "persistence: { by: learn, cookie: SID, timeout: 30m }");
        await daemon.StartAsync();
        Assert.Equal(["alpha", "beta", "alpha"], [await daemon.GetAsync(), await StrangerAsync(daemon), await StrangerAsync(daemon)]);
        string kept = Path.Combine(daemon.Folder, "sessions.kept");

        await daemon.StopAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));
        await daemon.StartAsync();
        Assert.False(File.Exists(kept));
        Assert.Equal(["beta", "beta"], [await OneAsync(), await OneAsync()]);

        daemon.Process.Signal("KILL");
        await daemon.Process.EndAsync();
        await daemon.StartAsync();
        Assert.Equal("alpha", await OneAsync());

        async Task<string> OneAsync()
        {
            using HttpClient client = new(new SocketsHttpHandler { UseCookies = false });
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri($"http://127.0.0.1:{daemon.Port}/"));
            request.Headers.Add("Cookie", "SID=one");
            return await (await client.SendAsync(request)).Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public void Two_directors_of_a_pair_sign_alike_and_a_stranger_does_not()
    {
        string one = SignedBy(Pair("director-1", "director-2", "ab"));

        Assert.Equal(one, SignedBy(Pair("director-2", "director-1", "ab")));
        Assert.NotEqual(one, SignedBy(Pair("director-2", "director-1", "cd")));
    }

    [Fact]
    public void A_key_that_cannot_be_kept_or_that_others_may_read_ends_with_the_process()
    {
        string folder = Directory.CreateTempSubdirectory("bascule-cookie-").FullName;
        try
        {
            string ofThisProcess = SignedBy(CookieKey.OfThisProcess);
            File.WriteAllText(Path.Combine(folder, "file"), "");
            Assert.Equal(ofThisProcess, SignedBy(Alone(Path.Combine(folder, "file", "state.json"))));
            Assert.NotEqual(ofThisProcess, SignedBy(Alone(Path.Combine(folder, "new", "state.json"))));
            File.SetUnixFileMode(Path.Combine(folder, "new", "cookie.key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);

            Assert.Equal(ofThisProcess, SignedBy(Alone(Path.Combine(folder, "new", "state.json"))));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void No_key_is_made_where_no_cookie_is_given_out()
    {
        Configuration meant = Meant("stateFile: /nowhere/to/be/state.json\nvirtualServers: { web: { address: 127.0.0.1:80, realServers: [10.0.0.11:80] } }");

        Assert.Same(meant, new CookieKeys(meant.StateFile, NullLogger.Instance).Resolve(meant));
    }

    private static Configuration Alone(string stateFile) =>
        Meant($"stateFile: {stateFile}\nvirtualServers: {{ web: {{ address: 127.0.0.1:80, protocol: http, persistence: cookie, realServers: [10.0.0.11:80] }} }}");

    private static Configuration Pair(string node, string peer, string digits) => Meant($$"""
        node: {{node}}
        ha:
          peers: { {{peer}}: { addresses: [10.99.0.2], key: { hex: {{string.Concat(Enumerable.Repeat(digits, 32))}} } } }
          instances: { web-vip: { interface: eth0, virtualRouterId: 51, addresses: [192.0.2.10/24] } }
        virtualServers: { web: { address: 192.0.2.10:80, protocol: http, persistence: cookie, realServers: [10.0.0.11:80] } }
        """);

    private static Configuration Meant(string text)
    {
        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(text));
        Assert.Empty(read.Problems.Select(p => p.Format("test")));
        return read.Meant!;
    }

    private static string SignedBy(Configuration configuration) => SignedBy(new CookieKeys(configuration.StateFile, NullLogger.Instance).Resolve(configuration).CookieKey);

    private static string SignedBy(CookieKey key)
    {
        LiveRealServer realServer = new(new(new(IPAddress.Parse("10.0.0.11"), 80), 1), health: null, workers: 1);
        CookieSessions sessions = new(new(), key, [realServer], new ManualClock());
        byte[] line = new byte[sessions.LineLength];
        sessions.WriteLine(0, line);
        return Encoding.ASCII.GetString(line);
    }

    private static async Task<string[]> ThreeAsync(RunningDaemon daemon) => [await daemon.GetAsync(), await daemon.GetAsync(), await daemon.GetAsync()];

    private static async Task<string> StrangerAsync(RunningDaemon daemon)
    {
        using HttpClient stranger = new();
        return await stranger.GetStringAsync(new Uri($"http://127.0.0.1:{daemon.Port}/"));
    }
}
