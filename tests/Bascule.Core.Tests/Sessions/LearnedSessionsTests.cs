using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Core.Tests.Scheduling;

namespace Bascule.Core.Tests.Sessions;

/// <summary>Session ids that applications give out.</summary>
public sealed class LearnedSessionsTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(30);

    private readonly Farm _farm = new(1, 1, 1);
    private readonly Scheduler _rr;
    private readonly SessionTable _table;

    public LearnedSessionsTests()
    {
        _rr = _farm.Scheduler(SchedulerKind.RoundRobin);
        _table = new(_farm.Clock);
    }

    [Fact]
    public void A_request_with_a_learned_id_returns_and_others_take_turns()
    {
        ClientSessions sessions = Sessions();
        sessions.Remember(Id("s1"), answering: 2);

        Assert.Equal([2, 0, 2, 1, 2], Ask(sessions, "s1", null, "s1", null, "s1"));
    }

    [Fact]
    public void An_id_that_no_application_gave_out_is_not_remembered()
    {
        ClientSessions sessions = Sessions();

        Assert.Equal([0, 1, 2], Ask(sessions, "made up", "made up", "made up"));

        Assert.Equal(0, sessions.Count().Sum());
    }

    [Fact]
    public void Is_forgotten_a_timeout_after_its_last_request_has_ended()
    {
        ClientSessions sessions = Sessions();
        sessions.Remember(Id("s1"), answering: 2);
        _farm.Clock.Advance(Timeout - TimeSpan.FromSeconds(1));
        Pick(sessions, Id("s1"), out SessionHold open);
        _farm.Clock.Advance(3 * Timeout);
        open.Release();
        _farm.Clock.Advance(Timeout - TimeSpan.FromSeconds(1));
        Assert.Equal([2], Ask(sessions, "s1"));

        _farm.Clock.Advance(Timeout);

        Assert.Equal([0], Ask(sessions, "s1"));
    }

    [Fact]
    public void What_the_application_said_last_counts()
    {
        ClientSessions sessions = Sessions();
        sessions.Remember(Id("s1"), answering: 2);
        sessions.Remember(Id("s1"), answering: 1);

        Assert.Equal([1, 1], Ask(sessions, "s1", "s1"));
        Assert.Equal([0, 1, 0], sessions.Count());
    }

    [Fact]
    public void A_session_of_a_real_server_that_is_down_gets_another_and_stays_there()
    {
        ClientSessions sessions = Sessions();
        sessions.Remember(Id("s1"), answering: 0);
        _farm.SetHealth(0, isUp: false);

        int next = Assert.Single(Ask(sessions, "s1"));

        _farm.SetHealth(0, isUp: true);
        Assert.NotEqual(0, next);
        Assert.Equal([next, next], Ask(sessions, "s1", "s1"));
    }

    [Fact]
    public void A_session_that_a_fallback_server_helps_out_stays_where_it_was()
    {
        _farm.RealServers[2].IsFallback = true;
        ClientSessions sessions = Sessions();
        sessions.Remember(Id("s1"), answering: 1);
        _farm.SetHealth(0, isUp: false);
        _farm.SetHealth(1, isUp: false);

        Assert.Equal([2], Ask(sessions, "s1"));
        sessions.Remember(Id("s1"), answering: 2); // some applications say the id with every answer

        _farm.SetHealth(0, isUp: true);
        _farm.SetHealth(1, isUp: true);
        Assert.Equal([1], Ask(sessions, "s1"));
    }

    [Fact]
    public void A_session_of_a_real_server_that_is_gone_gets_another_and_stays_there()
    {
        ClientSessions before = new(_table, new LearnPersistence { Name = "JSESSIONID", Timeout = Timeout }, new Farm(1).RealServers);
        before.Remember(Id("s1"), answering: 0);

        Assert.Equal([0, 0, 0], Ask(Sessions(), "s1", "s1", "s1"));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Returns_to_a_quiesced_real_server_unless_quiescence_ends_sessions(bool expires, bool returns)
    {
        ClientSessions sessions = Sessions(expires);
        sessions.Remember(Id("s1"), answering: 1);

        _farm.RealServers[1].State = AdministrativeState.Drain;

        Assert.Equal(returns, Ask(sessions, "s1").Single() == 1);
    }

    [Fact]
    public void Maintenance_moves_sessions()
    {
        ClientSessions sessions = Sessions();
        sessions.Remember(Id("s1"), answering: 1);

        _farm.RealServers[1].State = AdministrativeState.Maintenance;

        Assert.DoesNotContain(1, Ask(sessions, "s1", "s1"));
    }

    [Fact]
    public void An_empty_claim_teaches_nothing()
    {
        ClientSessions sessions = Sessions();

        sessions.Remember(default, answering: 1);

        Assert.Equal(0, sessions.Count().Sum());
    }

    [Fact]
    public void More_sessions_than_places_put_old_ones_out_and_the_newest_is_among_them()
    {
        ClientSessions sessions = Sessions();

        for (int i = 0; i < 300_000; i++)
            sessions.Remember(Id($"s{i}"), answering: i % 3);

        Assert.InRange(sessions.Count().Sum(), 200_000, SessionTable.Capacity);
        Assert.Equal([299_999 % 3], Ask(sessions, "s299999"));
    }

    private ClientSessions Sessions(bool expireQuiescent = false) =>
        new(_table, new LearnPersistence { Name = "JSESSIONID", Timeout = Timeout, ExpireQuiescent = expireQuiescent }, _farm.RealServers);

    private static SessionClaim Id(string id) => SessionClaim.OfId(Encoding.UTF8.GetBytes(id));

    private int Pick(ClientSessions sessions, SessionClaim claim, out SessionHold hold) =>
        sessions.Pick(Farm.Client("192.0.2.1"), claim, default, _rr, new Random(1), out hold);

    private int[] Ask(ClientSessions sessions, params string?[] ids) => [.. ids.Select(id =>
    {
        int index = Pick(sessions, id is null ? default : Id(id), out SessionHold hold);
        hold.Release();
        return index;
    })];
}
