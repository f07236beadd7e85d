using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Core.Tests.Scheduling;

namespace Bascule.Core.Tests.Sessions;

public sealed class CookieSessionsTests
{
    private static readonly CookieKey Key = CookieKey.Derive("one secret"u8);

    private readonly Farm _farm = new(1, 1, 1);
    private readonly Scheduler _rr;

    public CookieSessionsTests() => _rr = _farm.Scheduler(SchedulerKind.RoundRobin);

    [Fact]
    public void The_cookie_of_a_real_server_leads_back_to_it()
    {
        CookieSessions sessions = Sessions();

        Assert.Equal([0, 1, 2], Enumerable.Range(0, 3).Select(i => Read(sessions, ValueOf(sessions, i)).RealServer));
    }

    [Fact]
    public void Another_director_with_the_same_key_and_another_order_of_real_servers_understands_it()
    {
        CookieSessions other = new(new(), CookieKey.Derive("one secret"u8), [.. _farm.RealServers.Reverse()], _farm.Clock);

        Assert.Equal(2, Read(other, ValueOf(Sessions(), 0)).RealServer);
    }

    [Fact]
    public void With_another_key_it_says_nothing()
    {
        CookieSessions other = new(new(), CookieKey.Derive("another secret"u8), _farm.RealServers, _farm.Clock);

        Assert.Equal(Scheduler.None, Read(other, ValueOf(Sessions(), 0)).RealServer);
    }

    [Fact]
    public void Says_nothing_of_a_real_server_that_is_gone()
    {
        CookieSessions fewer = new(new(), Key, [.. _farm.RealServers.Skip(1)], _farm.Clock);

        Assert.Equal(Scheduler.None, Read(fewer, ValueOf(Sessions(), 0)).RealServer);
    }

    [Fact]
    public void Changing_any_bit_of_it_makes_it_say_nothing()
    {
        CookieSessions sessions = Sessions(new() { Timeout = TimeSpan.FromHours(1) });
        byte[] value = Encoding.ASCII.GetBytes(ValueOf(sessions, 0));

        for (int bit = 0; bit < value.Length * 8; bit++)
        {
            byte[] changed = [.. value];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(Scheduler.None, sessions.Read(changed).RealServer);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("0")]
    [InlineData("10.0.0.1:80")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("AAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("ÄÖÜäöüßÄÖÜäöüßÄÖÜäöüß")]
    public void What_is_no_cookie_of_ours_says_nothing(string value) => Assert.Equal(Scheduler.None, Read(Sessions(), value).RealServer);

    [Fact]
    public void No_bytes_do_any_harm()
    {
        CookieSessions sessions = Sessions();
        Random chance = new(1);
        byte[] bytes = new byte[64];

        for (int i = 0; i < 20_000; i++)
        {
            chance.NextBytes(bytes);
            Assert.Equal(Scheduler.None, sessions.Read(bytes.AsSpan(0, chance.Next(bytes.Length))).RealServer);
        }
    }

    [Fact]
    public void Neither_number_nor_address_of_the_real_server_can_be_read_from_it()
    {
        byte[] first = System.Buffers.Text.Base64Url.DecodeFromChars(ValueOf(Sessions(), 0));
        byte[] second = System.Buffers.Text.Base64Url.DecodeFromChars(ValueOf(Sessions(), 1));
        byte[] other = System.Buffers.Text.Base64Url.DecodeFromChars(ValueOf(new(new(), CookieKey.Derive("another"u8), _farm.RealServers, _farm.Clock), 0));

        // Neighbours differ everywhere, but for the time that is not given, and so does the same real server under another key.
        Assert.Equal(4, CommonBytes(first, second));
        Assert.Equal(4, CommonBytes(first, other));
    }

    [Theory]
    [InlineData(3599, true)]
    [InlineData(3600, false)]
    [InlineData(-3599, true)]
    [InlineData(-3600, false)]
    public void Is_good_until_its_timeout_on_a_clock_that_may_be_set_back(int seconds, bool isGood)
    {
        CookieSessions sessions = Sessions(new() { Timeout = TimeSpan.FromHours(1) });
        string value = ValueOf(sessions, 1);

        CookieSessions later = new(new() { Timeout = TimeSpan.FromHours(1) }, Key, _farm.RealServers, new Shifted(_farm.Clock, TimeSpan.FromSeconds(seconds)));

        Assert.Equal(isGood ? 1 : Scheduler.None, Read(later, value).RealServer);
    }

    [Fact]
    public void Is_renewed_when_an_eighth_of_its_timeout_has_passed_and_not_before()
    {
        CookieSessions sessions = Sessions(new() { Timeout = TimeSpan.FromSeconds(800) });
        string value = ValueOf(sessions, 1);

        _farm.Clock.Advance(TimeSpan.FromSeconds(99));
        Assert.False(sessions.IsNeeded(Read(sessions, value), answering: 1));
        _farm.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(sessions.IsNeeded(Read(sessions, value), answering: 1));
        Assert.Equal(1, Read(sessions, value).RealServer);
    }

    [Fact]
    public void A_cookie_of_before_the_timeout_was_written_leads_back_and_is_replaced()
    {
        CookieSessions timed = Sessions(new() { Timeout = TimeSpan.FromHours(1) });

        SessionClaim old = Read(timed, ValueOf(Sessions(), 2));

        Assert.Equal((2, true), (old.RealServer, timed.IsNeeded(old, answering: 2)));
        SessionClaim newer = Read(Sessions(), ValueOf(timed, 2));
        Assert.Equal((2, true), (newer.RealServer, Sessions().IsNeeded(newer, answering: 2)));
    }

    [Fact]
    public void Is_needed_by_who_has_none_or_that_of_another_and_by_nobody_else()
    {
        CookieSessions sessions = Sessions();
        SessionClaim claim = Read(sessions, ValueOf(sessions, 1));

        Assert.Equal((true, true, false), (sessions.IsNeeded(default, 0), sessions.IsNeeded(claim, 0), sessions.IsNeeded(claim, 1)));
    }

    [Fact]
    public void Whom_a_fallback_server_helps_out_keeps_the_cookie_of_his_own()
    {
        _farm.RealServers[2].IsFallback = true;
        CookieSessions sessions = Sessions();

        Assert.Equal((false, false), (sessions.IsNeeded(Read(sessions, ValueOf(sessions, 0)), answering: 2), sessions.IsNeeded(default, answering: 2)));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void Its_client_returns_to_a_quiesced_real_server_unless_quiescence_ends_sessions(bool expires, int expected)
    {
        CookieSessions sessions = Sessions(new() { ExpireQuiescent = expires });
        _farm.RealServers[1].ConfiguredWeight = 0;

        Assert.Equal(expected, Pick(sessions, 1));
    }

    [Fact]
    public void Draining_keeps_its_client_and_maintenance_moves_him()
    {
        CookieSessions sessions = Sessions();

        _farm.RealServers[1].State = AdministrativeState.Drain;
        Assert.Equal(1, Pick(sessions, 1));
        _farm.RealServers[1].State = AdministrativeState.Maintenance;
        Assert.NotEqual(1, Pick(sessions, 1));
    }

    [Fact]
    public void A_real_server_that_is_down_or_was_tried_is_passed_over()
    {
        CookieSessions sessions = Sessions();

        Assert.NotEqual(1, Pick(sessions, 1, Farm.Tried(1)));
        _farm.SetHealth(1, isUp: false);
        Assert.NotEqual(1, Pick(sessions, 1));
    }

    [Theory]
    [InlineData("BASCULE", "/", null, false, true, SameSite.Lax, null, "; Path=/; HttpOnly; SameSite=Lax")]
    [InlineData("s", "/shop", "example.org", true, false, SameSite.None, 3600, "; Path=/shop; Domain=example.org; Max-Age=3600; Secure; SameSite=None")]
    [InlineData("s", "/", null, false, false, SameSite.Strict, null, "; Path=/; SameSite=Strict")]
    public void The_line_has_the_attributes_that_the_file_asks_for(
        string name, string path, string? domain, bool secure, bool httpOnly, SameSite sameSite, int? seconds, string attributes)
    {
        CookieSessions sessions = Sessions(new()
        {
            Name = name,
            Path = path,
            Domain = domain,
            IsSecure = secure,
            IsHttpOnly = httpOnly,
            SameSite = sameSite,
            Timeout = seconds is { } s ? TimeSpan.FromSeconds(s) : null,
        });

        string line = LineOf(sessions, 0);

        Assert.Matches($"^Set-Cookie: {name}=[A-Za-z0-9_-]{{40}}{attributes}\r\n$", line);
    }

    [Fact]
    public void Reading_and_writing_allocate_nothing()
    {
        CookieSessions sessions = Sessions(new() { Timeout = TimeSpan.FromHours(1) });
        byte[] value = Encoding.ASCII.GetBytes(ValueOf(sessions, 0));
        byte[] line = new byte[sessions.LineLength];

        void Once()
        {
            _ = sessions.Read(value);
            sessions.WriteLine(1, line);
        }

        for (int i = 0; i < 100; i++)
            Once();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Once();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_key_never_shows() => Assert.Equal("CookieKey", $"{Key}");

    private CookieSessions Sessions(CookiePersistence? persistence = null) => new(persistence ?? new(), Key, _farm.RealServers, _farm.Clock);

    private int Pick(CookieSessions sessions, int cookieOf, TriedServers tried = default) =>
        sessions.Pick(Farm.Client("192.0.2.1"), Read(sessions, ValueOf(sessions, cookieOf)), tried, _rr, new Random(1));

    private static SessionClaim Read(CookieSessions sessions, string value) => sessions.Read(Encoding.UTF8.GetBytes(value));

    private static string LineOf(CookieSessions sessions, int index)
    {
        byte[] line = new byte[sessions.LineLength];
        sessions.WriteLine(index, line);
        return Encoding.ASCII.GetString(line);
    }

    private static string ValueOf(CookieSessions sessions, int index)
    {
        string line = LineOf(sessions, index);
        int start = line.IndexOf('=', StringComparison.Ordinal) + 1;
        return line[start..line.IndexOf(';', StringComparison.Ordinal)];
    }

    private static int CommonBytes(byte[] one, byte[] other) => one.Zip(other).Count(pair => pair.First == pair.Second);

    /// <summary>The wall clock of another director, or of this one after it was set.</summary>
    private sealed class Shifted(TimeProvider clock, TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + by;
    }
}
