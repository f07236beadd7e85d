using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Tests.Model;
using Bascule.Core.Tests.Scheduling;
using Bascule.Core.Weights;
using Bascule.Testing;

namespace Bascule.Core.Tests.Weights;

public sealed class StandingTests
{
    private readonly ManualClock _clock = new();
    private WeightKeeper _keeper;

    public StandingTests() => _keeper = new(_clock);

    [Theory]
    [InlineData(null, 2, true)]
    [InlineData(null, 1, false)]
    [InlineData(true, 2, true)]
    [InlineData(true, 1, true)]  // not below 2 - 1
    [InlineData(true, 0, false)]
    [InlineData(false, 2, false)]
    [InlineData(false, 3, true)] // from 2 + 1
    public void A_quorum_has_a_hysteresis(bool? had, int weight, bool has) =>
        Assert.Equal(has, StandingWatch.HasQuorum(had, weight, Rule(up: 2, hysteresis: 1)));

    [Theory]
    [InlineData(true, false, false, true, true, Panic.Sorry, Serving.Main)]
    [InlineData(true, true, true, true, true, Panic.Sorry, Serving.Fallback)]
    [InlineData(true, false, true, true, true, Panic.Sorry, Serving.Sorry)]
    [InlineData(true, false, true, true, true, Panic.Open, Serving.Sorry)] // they are up and held back, there is nothing to open
    [InlineData(false, true, false, true, true, Panic.Open, Serving.Fallback)]
    [InlineData(false, false, false, true, true, Panic.Sorry, Serving.Sorry)]
    [InlineData(false, false, false, false, true, Panic.Sorry, Serving.Nobody)]
    [InlineData(false, false, false, true, true, Panic.Open, Serving.Everybody)]
    [InlineData(false, false, true, true, true, Panic.Open, Serving.Everybody)]
    [InlineData(false, false, false, true, false, Panic.Open, Serving.Sorry)] // all are drained
    [InlineData(false, false, false, false, false, Panic.Open, Serving.Nobody)]
    [InlineData(false, false, false, true, true, Panic.Refuse, Serving.Nobody)]
    [InlineData(false, true, false, true, true, Panic.Refuse, Serving.Fallback)]
    public void Who_serves(bool mainCan, bool fallbackCan, bool isHeldBack, bool hasSorryServer, bool canOpen, Panic panic, Serving serving) =>
        Assert.Equal(serving, StandingWatch.Who(mainCan, fallbackCan, isHeldBack, hasSorryServer, canOpen, panic));

    [Fact]
    public void Nothing_is_told_before_every_real_server_has_answered_and_then_once_a_change()
    {
        SnapshotHolder snapshots = Serve(Web(main: 3, fallback: 0) with { Quorum = Rule(up: 2, hysteresis: 0) });
        Assert.Empty(Turn(snapshots));
        Answer(snapshots, 0, passed: true);
        Answer(snapshots, 1, passed: true);
        Assert.Empty(Turn(snapshots));

        Answer(snapshots, 2, passed: false);
        Assert.Equal(["QuorumGained: live weights add up to 2, the quorum is 2"], Turn(snapshots));
        Assert.Empty(Turn(snapshots));
        Answer(snapshots, 0, passed: false);
        Assert.Equal(["QuorumLost: live weights add up to 1, the quorum is 2", "ServingChanged: its sorry server"], Turn(snapshots));
        Answer(snapshots, 2, passed: true);

        Assert.Equal(["QuorumGained: live weights add up to 2, the quorum is 2", "ServingChanged: its real servers"], Turn(snapshots));
        Assert.Equal(new ServingState(Serving.Main, 2, HasQuorum: true), snapshots.Current.VirtualServers[0].Standing);
    }

    [Fact]
    public void Who_has_lost_the_quorum_gets_no_new_clients_while_a_fallback_server_can()
    {
        SnapshotHolder snapshots = Serve(Web(main: 2, fallback: 1) with { Quorum = Rule(up: 2, hysteresis: 0) });
        Answer(snapshots, 0, passed: true);
        Answer(snapshots, 1, passed: false);
        Answer(snapshots, 2, passed: true);
        Turn(snapshots);

        Assert.Equal([2, 2, 2], Picks(snapshots));

        Answer(snapshots, 2, passed: false);
        Turn(snapshots);
        Assert.Equal([Scheduler.None], Picks(snapshots).Distinct()); // the sorry server's
        snapshots = Serve(Web(main: 2, fallback: 1) with { Quorum = Rule(up: 2, hysteresis: 0), SorryServer = null });
        Answer(snapshots, 0, passed: true);
        Answer(snapshots, 1, passed: false);
        Answer(snapshots, 2, passed: false);
        Turn(snapshots);
        Assert.Equal([0, 0, 0], Picks(snapshots)); // nobody else is there
    }

    [Fact]
    public void Without_a_quorum_who_has_a_session_goes_on_and_who_is_new_goes_elsewhere()
    {
        SnapshotHolder snapshots = Serve(Web(main: 2, fallback: 1) with { Quorum = Rule(up: 2, hysteresis: 0), Persistence = new SourcePersistence() });
        for (int i = 0; i < 3; i++)
            Answer(snapshots, i, passed: true);
        Turn(snapshots);
        int his = Picks(snapshots)[0];

        Answer(snapshots, 1 - his, passed: false);
        Turn(snapshots);

        Assert.Equal([his, his, his], Picks(snapshots));
        Assert.Equal(2, snapshots.Current.VirtualServers[0].Pick(new ClientAddress(0, 0x0A000002, 4000, IsIpv4: true), default, new Random(1), out _));
    }

    [Fact]
    public void A_fallback_server_gets_work_only_while_no_real_server_can_and_keeps_no_client_after_that()
    {
        SnapshotHolder snapshots = Serve(Web(main: 2, fallback: 2) with { Persistence = new SourcePersistence() });
        for (int i = 0; i < 4; i++)
            Answer(snapshots, i, passed: true);
        Turn(snapshots);
        Assert.All(Picks(snapshots), index => Assert.InRange(index, 0, 1));

        Answer(snapshots, 0, passed: false);
        Answer(snapshots, 1, passed: false);
        Turn(snapshots);
        Assert.All(Picks(snapshots), index => Assert.InRange(index, 2, 3));

        Answer(snapshots, 1, passed: true);
        Turn(snapshots);
        Assert.Equal([1, 1, 1], Picks(snapshots));
    }

    [Fact]
    public void Whom_no_real_server_accepts_gets_a_fallback_server_before_any_check_has_noticed()
    {
        SnapshotHolder snapshots = Serve(Web(main: 2, fallback: 2));
        for (int i = 0; i < 4; i++)
            Answer(snapshots, i, passed: true);
        Turn(snapshots);
        TriedServers tried = default;
        List<int> picked = [];
        for (int i = 0; i < 4; i++)
        {
            picked.Add(snapshots.Current.VirtualServers[0].Pick(default, tried, new Random(1), out _));
            tried.Add(picked[^1]);
        }

        Assert.Equal([0, 1], picked.Take(2).Order());
        Assert.Equal([2, 3], picked.Skip(2).Order());
        Assert.Equal(Scheduler.None, snapshots.Current.VirtualServers[0].Pick(default, tried, new Random(1), out _));
    }

    [Theory]
    [InlineData(true, 5)]
    [InlineData(false, 3)]
    public void The_last_try_is_a_fallback_servers_where_one_can(bool fallbackCan, int expected)
    {
        SnapshotHolder snapshots = Serve(Web(main: 5, fallback: 1) with { Scheduler = SchedulerKind.FailOver });
        for (int i = 0; i < 6; i++)
            Answer(snapshots, i, passed: i < 5 || fallbackCan);
        Turn(snapshots);

        Assert.Equal(expected, snapshots.Current.VirtualServers[0].Pick(default, Farm.Tried(0, 1, 2), new Random(1), out _));
    }

    [Fact]
    public void Failing_open_gives_everybody_work_but_those_in_maintenance()
    {
        SnapshotHolder snapshots = Serve(Web(main: 3, fallback: 0) with { Panic = Panic.Open });
        for (int i = 0; i < 3; i++)
            Answer(snapshots, i, passed: false);
        snapshots.Current.VirtualServers[0].RealServers[1].State = AdministrativeState.Maintenance;

        Assert.Equal(["ServingChanged: all real servers, though they seem to be down"], Turn(snapshots));
        Assert.Equal([0, 2], Picks(snapshots, times: 10).Distinct().Order());

        Answer(snapshots, 2, passed: true);
        Assert.Equal(["ServingChanged: its real servers"], Turn(snapshots));
        Assert.Equal([2, 2, 2], Picks(snapshots));
    }

    [Fact]
    public void Draining_everybody_is_no_panic()
    {
        SnapshotHolder snapshots = Serve(Web(main: 2, fallback: 0) with { Panic = Panic.Open });
        for (int i = 0; i < 2; i++)
        {
            Answer(snapshots, i, passed: true);
            snapshots.Current.VirtualServers[0].RealServers[i].State = AdministrativeState.Drain;
        }

        Assert.Equal(["ServingChanged: its sorry server"], Turn(snapshots));
    }

    [Fact]
    public void Clients_are_refused_only_when_no_fallback_server_can_serve_either()
    {
        SnapshotHolder snapshots = Serve(Web(main: 1, fallback: 1) with { Panic = Panic.Refuse, SorryServer = null });
        Answer(snapshots, 0, passed: false);
        Answer(snapshots, 1, passed: true);
        Turn(snapshots);
        Assert.Equal([1, 1, 1], Picks(snapshots));

        Answer(snapshots, 1, passed: false);
        Turn(snapshots);
        Assert.Equal((Serving.Nobody, Scheduler.None), (snapshots.Current.VirtualServers[0].Standing.Serving, Picks(snapshots).Distinct().Single()));
    }

    private static QuorumRule Rule(int up, int hysteresis) => new() { Up = up, Hysteresis = hysteresis, OnUp = null, OnDown = null };

    private static VirtualServer Web(int main, int fallback) => Sample.Web with
    {
        Check = new TcpCheck { Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(1), Rise = 1, Fall = 1, Port = null },
        RealServers = [.. Enumerable.Range(0, main + fallback).Select(i => new RealServer(new(new System.Net.IPAddress([10, 0, 2, (byte)i]), 80), 1) { IsFallback = i >= main })],
    };

    private SnapshotHolder Serve(VirtualServer web)
    {
        _keeper = new(_clock);
        return new(Snapshot.First(Sample.Configuration(web), 1, new(_clock)));
    }

    private void Answer(SnapshotHolder snapshots, int index, bool passed) =>
        snapshots.Current.VirtualServers[0].RealServers[index].Health!.Apply(new(passed, "answered", TimeSpan.Zero), _clock.GetUtcNow());

    private string[] Turn(SnapshotHolder snapshots) => [.. _keeper.Turn(snapshots.Current).Changes.Select(c => $"{c.Kind}: {c.Why}")];

    private static int[] Picks(SnapshotHolder snapshots, int times = 3) =>
        [.. Enumerable.Range(0, times).Select(turn => snapshots.Current.VirtualServers[0].Pick(new ClientAddress(0, 0x0A000001, 4000, IsIpv4: true), default, new Random(1), out _))];
}
