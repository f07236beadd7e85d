using System.Collections.Immutable;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Tests.Client;

public sealed class StatusTextTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Shows_every_real_server_with_its_state_and_why()
    {
        string text = Written(colours: false);

        Assert.Equal("""
            Bascule 1.2.3, process 4711, up 2h 3m, 2 workers, /etc/bascule/bascule.yaml (snapshot 7)

            Prot LocalAddress:Port Scheduler
              -> RemoteAddress:Port Forward Weight ActiveConn InActConn State    Why
            HTTP 192.0.2.10:80 wlc  web: 5 open, 12 requests ended
              -> 10.0.0.11:8080     proxy   3      2          1         up       200 in 1 ms, 1s ago; since 2h 0m
              -> 10.0.0.12:8080     proxy   1      0          0         down     connection refused, 0s ago; since 14s
              -> 10.0.0.13:8080     proxy   0      1          0         quiesced 200 in 2 ms, 1s ago; since 5d 2h
              -> 10.0.0.14:8080     proxy   1      0          0         down     waits for its first check
              -> 10.0.0.99:8080     proxy   1      0          0         sorry    not checked

            Ended: Completed 11, ClientLeft 1

            """, text);
    }

    [Fact]
    public void Colours_change_nothing_but_the_colours()
    {
        string coloured = Written(colours: true);

        Assert.Contains("\e[31mdown    \e[0m", coloured, StringComparison.Ordinal);
        Assert.Equal(Written(colours: false), System.Text.RegularExpressions.Regex.Replace(coloured, "\e\\[[0-9]+m", ""));
    }

    [Theory]
    [InlineData(-1, "0s")]
    [InlineData(59, "59s")]
    [InlineData(60, "1m 0s")]
    [InlineData(3599, "59m 59s")]
    [InlineData(3600, "1h 0m")]
    [InlineData(86400 * 400, "400d 0h")]
    public void An_age_has_its_two_largest_units(int seconds, string text) =>
        Assert.Equal(text, StatusText.Age(TimeSpan.FromSeconds(seconds)));

    private static string Written(bool colours) => Written(Status, colours);

    private static string Written(VirtualServerStatus virtualServer) => Written(Status with { VirtualServers = [virtualServer] }, colours: false);

    private static string Written(DirectorStatus status, bool colours)
    {
        using StringWriter to = new() { NewLine = "\n" };
        new StatusText(to, colours).Write(status);
        return to.ToString();
    }

    [Fact]
    public void Shows_what_a_check_s_program_wrote_and_what_a_check_warns_of()
    {
        RealServerStatus noisy = RealServer("10.0.0.11:8080", RealServerState.Down, "exit code 1", 3, TimeSpan.FromSeconds(9));
        RealServerStatus old = RealServer("10.0.0.12:8080", RealServerState.Up, "200 in 1 ms", 3, TimeSpan.FromSeconds(9));

        Assert.Equal("exit code 1 \"disk full on /var\", 3s ago; since 9s", StatusText.Why(noisy with { LastCheck = noisy.LastCheck! with { Output = "disk full\non /var" } }, Noon));
        Assert.Equal("200 in 1 ms, 3s ago; since 9s; the certificate expires on 2026-02-01, in 3 days",
            StatusText.Why(old with { LastCheck = old.LastCheck! with { Warning = "the certificate expires on 2026-02-01, in 3 days" } }, Noon));
    }

    [Fact]
    public void Says_why_this_director_cannot_ask_and_that_nothing_changes_meanwhile()
    {
        RealServerStatus unasked = RealServer("10.0.0.11:8080", RealServerState.Up, "logged in", 3, TimeSpan.FromSeconds(9)) with { NotAsked = "the password cannot be read" };

        Assert.Equal("not asked: the password cannot be read; as it was for 9s", StatusText.Why(unasked, Noon));
        Assert.Equal("not asked: the password cannot be read; as it was for 9s", StatusText.Why(unasked with { LastCheck = null }, Noon));
    }

    [Theory]
    [InlineData(null, "up       200 in 1 ms")]
    [InlineData(true, "quorum 3/2; ")]
    [InlineData(false, "quorum 1/2, lost; ")]
    public void Says_how_much_is_alive_of_how_much_must_be(bool? has, string text)
    {
        QuorumStatus? quorum = has is { } known ? new(known ? 3 : 1, 2, 0, known) : null;

        Assert.Contains(text, Written(Web with { Quorum = quorum }), StringComparison.Ordinal);
        Assert.Contains($"web: {(has is null ? "" : text)}5 open", Written(Web with { Quorum = quorum }), StringComparison.Ordinal);
    }

    [Fact]
    public void Says_what_a_check_makes_of_a_weight()
    {
        RealServerStatus half = Web.RealServers[0] with { AdvisedPercent = 50 };
        RealServerStatus loaded = half with { AdvisedPercent = 131, LastCheck = half.LastCheck! with { Load = 0.75 } };

        Assert.Contains(" up       50 % of its weight by its check; 200", Written(Web with { RealServers = [half] }), StringComparison.Ordinal);
        Assert.Contains(" up       131 % of its weight by its load of 0.75; 200", Written(Web with { RealServers = [loaded] }), StringComparison.Ordinal);
        Assert.DoesNotContain("%", Written(Web with { RealServers = [half with { AdvisedPercent = 100 }] }), StringComparison.Ordinal);
    }

    internal static DirectorStatus Status => new()
    {
        Version = "1.2.3",
        ProcessId = 4711,
        ConfigurationFile = "/etc/bascule/bascule.yaml",
        StartedAt = Noon - new TimeSpan(2, 3, 4),
        Now = Noon,
        Workers = 2,
        Snapshot = 7,
        Packets = null,
        VirtualServers = [Web],
    };

    internal static VirtualServerStatus Web => new()
    {
        Name = "web",
        Addresses = ["192.0.2.10:80"],
        Protocol = VirtualServerProtocol.Http,
        Scheduler = "wlc",
        SchedulerFlags = [],
        Forwarding = "proxy",
        Persistence = null,
        OnePacket = false,
        Traffic = new(20, null, 300, null, 4000),
        Rate = null,
        Connections = 20,
        OpenConnections = 5,
        Requests = 12,
        Outcomes = ImmutableSortedDictionary<ForwardOutcome, long>.Empty.Add(ForwardOutcome.ClientLeft, 1).Add(ForwardOutcome.Completed, 11),
        RealServers =
        [
            RealServer("10.0.0.11:8080", RealServerState.Up, "200 in 1 ms", 1, new(2, 0, 0)) with { Weight = 3, ActiveConnections = 2, InactiveConnections = 1 },
            RealServer("10.0.0.12:8080", RealServerState.Down, "connection refused", 0, TimeSpan.FromSeconds(14)),
            RealServer("10.0.0.13:8080", RealServerState.Quiesced, "200 in 2 ms", 1, new(5, 2, 1, 0)) with { Weight = 0, ActiveConnections = 1 },
            RealServer("10.0.0.14:8080", RealServerState.Down, "", 0, TimeSpan.Zero) with { LastCheck = null },
            RealServer("10.0.0.99:8080", RealServerState.Sorry, "", 0, TimeSpan.Zero) with { LastCheck = null, Since = null },
        ],
    };

    internal static RealServerStatus RealServer(string address) =>
        RealServer(address, RealServerState.Up, "", 0, TimeSpan.Zero) with { LastCheck = null, Since = null };

    private static RealServerStatus RealServer(string address, RealServerState state, string why, int secondsAgo, TimeSpan since) => new()
    {
        Address = address,
        Forwarding = "proxy",
        Weight = 1,
        State = state,
        MaxConnections = null,
        ResumeConnections = null,
        Trouble = null,
        Traffic = null,
        Rate = null,
        Since = Noon - since,
        LastCheck = new() { Passed = state == RealServerState.Up, Why = why, At = Noon - TimeSpan.FromSeconds(secondsAgo) },
        ActiveConnections = 0,
        InactiveConnections = 0,
        Connections = 0,
        Requests = 0,
        Failures = 0,
        BytesIn = 0,
        BytesOut = 0,
    };
}
