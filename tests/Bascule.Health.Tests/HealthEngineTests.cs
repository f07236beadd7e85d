using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class HealthEngineTests : IAsyncLifetime
{
    private static readonly HaInstance Elsewhere = Pairs.Instance("127.0.0.1"); // where the bench's virtual server is
    private readonly Bench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.StopAsync();

    [Fact]
    public async Task The_first_check_runs_at_once_and_one_pass_brings_a_real_server_up()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        DateTimeOffset start = _bench.Clock.GetUtcNow();

        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);

        Assert.True(record.IsUp);
        Assert.Equal(start, record.Since);
        Assert.Equal([$"Information 4000 Real server {web.Address} is up: connected in 0 ms"], _bench.Log.Lines);
    }

    [Fact]
    public async Task A_real_server_that_is_down_from_the_start_is_told_once_with_the_reason()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();

        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);
        await _bench.NextAnswerAsync(record);

        Assert.False(record.IsUp);
        Assert.Equal([$"Warning 4001 Real server {web.Address} is down: connection refused (first check)"], _bench.Log.Lines);
    }

    [Fact]
    public async Task Tells_when_every_check_has_had_its_first_answer()
    {
        await using FakeRealServer well = FakeRealServer.Stalling();
        await using FakeRealServer ill = FakeRealServer.Refusing();
        Snapshot snapshot = _bench.Snapshot(Bench.Asking(Checks.Tcp, well.Address, ill.Address));

        _bench.Engine.Apply(snapshot, RoleSet.Alone);
        await _bench.Engine.FirstAnswersAsync().WaitAsync(TimeSpan.FromSeconds(10));

        Assert.All(snapshot.VirtualServers[0].RealServers, r => Assert.NotNull(r.Health!.Last));
    }

    [Fact]
    public async Task Goes_down_after_fall_failures_and_comes_back_after_rise_passes_with_one_line_each()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);
        List<bool> states = [];

        await web.RefuseAsync();
        for (int i = 0; i < Checks.Tcp.Fall; i++)
            await AskAsync();
        web.Listen();
        for (int i = 0; i < Checks.Tcp.Rise; i++)
            await AskAsync();

        Assert.Equal([true, true, false, false, true], states);
        Assert.Equal(
        [
            $"Warning 4001 Real server {web.Address} is down: connection refused (3 failures in a row)",
            $"Information 4000 Real server {web.Address} is up: connected in 0 ms",
        ], _bench.Log.Lines.Skip(1));

        async Task AskAsync()
        {
            await _bench.NextAnswerAsync(record);
            states.Add(record.IsUp);
        }
    }

    [Fact]
    public async Task Intervals_vary_by_a_tenth_either_way_around_the_configured_one()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);
        List<double> waits = [];
        for (int i = 0; i < 200; i++)
            waits.Add((await _bench.NextAnswerAsync(record)).TotalSeconds);

        Assert.All(waits, wait => Assert.InRange(wait, 9, 11));
        Assert.InRange(waits.Max() - waits.Min(), 1.5, 2);
        Assert.InRange(waits.Average(), 9.8, 10.2);
    }

    [Fact]
    public async Task The_interval_is_measured_from_the_start_of_a_check_however_long_it_took()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        HttpCheck slow = Checks.Http;
        DateTimeOffset start = _bench.Clock.GetUtcNow();
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(slow, web.Address)), RoleSet.Alone);
        await CutOffAsync(web, accepted: 1);
        await _bench.SettleAsync();

        TimeSpan fromStart = _bench.Clock.GetUtcNow() + _bench.Clock.UntilNextTimer!.Value - start;

        Assert.InRange(fromStart.TotalSeconds, 9, 11);
        Assert.InRange(_bench.Clock.UntilNextTimer!.Value.TotalSeconds, 8, 10);
    }

    [Fact]
    public async Task A_check_that_overruns_is_cut_off_and_never_overlaps_with_the_next()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        HttpCheck hasty = Checks.Http with { Interval = TimeSpan.FromMilliseconds(100) };
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(hasty, web.Address)), RoleSet.Alone);
        HealthRecord record = _bench.Board.Find(hasty, web.Address)!;

        for (int check = 1; check <= 5; check++)
        {
            await CutOffAsync(web, accepted: check);
            await Eventually.HoldsAsync(() => record.Answers == check && web.Open <= 1);
            await Eventually.HoldsAsync(() => _bench.Engine.IsResting || web.Accepted == check + 1); // by chance it is due already
            if (_bench.Engine.IsResting)
                _bench.Clock.Advance(_bench.Clock.UntilNextTimer!.Value);
        }

        Assert.Equal("no answer within 1s", record.Last!.Why);
        Assert.Equal(Checks.Timeout, record.Last.Took);
    }

    [Fact]
    public async Task Virtual_servers_that_ask_the_same_question_share_one_check()
    {
        await using FakeRealServer web = FakeRealServer.Answering("HTTP/1.1 200 OK\r\n\r\n");
        VirtualServer one = Bench.Asking(Checks.Http, web.Address);
        VirtualServer other = Bench.Asking(Checks.Http with { Headers = [] }, web.Address) with { Name = "api" };
        Snapshot snapshot = _bench.Snapshot(one, other);
        _bench.Engine.Apply(snapshot, RoleSet.Alone);
        await _bench.SettleAsync();

        await _bench.NextAnswerAsync(snapshot.VirtualServers[0].RealServers[0].Health!);

        Assert.Equal(2, web.Requests.Count); // one an interval
        Assert.All(snapshot.VirtualServers, v => Assert.True(v.RealServers[0].TakesConnections));
    }

    [Fact]
    public async Task A_reload_starts_new_checks_stops_old_ones_and_leaves_the_others_their_rhythm()
    {
        await using FakeRealServer stays = FakeRealServer.Stalling();
        await using FakeRealServer goes = FakeRealServer.Stalling();
        await using FakeRealServer comes = FakeRealServer.Stalling();
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(Checks.Tcp, stays.Address, goes.Address)), RoleSet.Alone);
        await _bench.SettleAsync();
        _bench.Clock.Advance(TimeSpan.FromSeconds(5));

        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(Checks.Tcp, stays.Address, comes.Address)), RoleSet.Alone);
        await Eventually.HoldsAsync(() => comes.Accepted == 1);
        await _bench.SettleAsync();

        await Eventually.HoldsAsync(() => (stays.Accepted, goes.Accepted) == (1, 1));
        Assert.InRange(_bench.Clock.UntilNextTimer!.Value.TotalSeconds, 4, 6); // the rest of the old interval

        _bench.Clock.Advance(_bench.Clock.UntilNextTimer.Value);
        await Eventually.HoldsAsync(() => stays.Accepted == 2);
        Assert.Equal(1, goes.Accepted);
    }

    [Fact]
    public async Task Applying_the_same_snapshot_again_asks_nobody_again()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        Snapshot snapshot = _bench.Snapshot(Bench.Asking(Checks.Tcp, web.Address));
        _bench.Engine.Apply(snapshot, RoleSet.Alone);
        await _bench.SettleAsync();

        for (int i = 0; i < 10; i++)
            _bench.Engine.Apply(snapshot, RoleSet.Alone);
        await _bench.NextAnswerAsync(snapshot.VirtualServers[0].RealServers[0].Health!);

        await Eventually.HoldsAsync(() => web.Accepted >= 2);
        Assert.Equal(2, snapshot.VirtualServers[0].RealServers[0].Health!.Answers);
    }

    [Fact]
    public async Task A_thousand_first_checks_are_spread_over_a_fifth_of_a_second_and_a_handful_is_not()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();
        HealthRecord[] records = Apply(Checks.Tcp, web.Address.Port, 1000);

        await Eventually.HoldsAsync(() => records.Count(r => r.Last is not null) == 5 && _bench.Engine.IsResting);
        _bench.Clock.Advance(TimeSpan.FromMilliseconds(100));
        await Eventually.HoldsAsync(() => records.Count(r => r.Last is not null) == 505);
        _bench.Clock.Advance(TimeSpan.FromMilliseconds(100));
        await Eventually.HoldsAsync(() => records.All(r => r.Last is not null));
    }

    [Fact]
    public async Task A_check_that_breaks_counts_as_failed_is_logged_and_asked_again()
    {
        await using FakeRealServer web = FakeRealServer.Answering("HTTP/1.1 200 OK\r\n\r\n");
        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Http with { BodyMatches = "(unclosed" }, web.Address);

        await _bench.NextAnswerAsync(record);

        Assert.StartsWith("the check itself failed: ", record.Last!.Why, StringComparison.Ordinal);
        Assert.Equal(2, _bench.Log.Lines.Count(line => line.StartsWith("Error 4002", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_breaks_on_the_thread_of_all_checks_is_logged_and_they_go_on()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);

        _bench.Engine.Post(() => throw new InvalidOperationException("by the test"));
        await _bench.NextAnswerAsync(record);

        Assert.True(record.IsUp);
        Assert.Equal(1, _bench.Log.Lines.Count(line => line.StartsWith("Error 4004", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Stopping_cuts_off_checks_in_flight_and_waits_for_them()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(Checks.Http, web.Address)), RoleSet.Alone);
        await Eventually.HoldsAsync(() => web.Open == 1);

        await _bench.Engine.StopAsync();

        await Eventually.HoldsAsync(() => web.Open == 0);
        Assert.Equal(0, _bench.Clock.ArmedTimers);
        Assert.Null(_bench.Board.Find(Checks.Http, web.Address)!.Last);
        Assert.Empty(_bench.Log.Lines);
    }

    [Fact]
    public async Task Asks_nobody_once_it_has_been_stopped()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        await _bench.Engine.StopAsync();

        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(Checks.Tcp, web.Address)), RoleSet.Alone);

        await _bench.Engine.StopAsync();
        Assert.Equal(0, web.Accepted);
    }

    [Fact]
    public async Task A_warm_up_spreads_the_first_checks_over_its_time()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();
        TcpCheck warm = Checks.Tcp with { WarmUp = TimeSpan.FromSeconds(60), Interval = TimeSpan.FromHours(1) };
        HealthRecord[] records = Apply(warm, web.Address.Port, 200);
        await _bench.SettleAsync();
        int[] asked = new int[6];

        for (int i = 0; i < 6; i++)
        {
            _bench.Clock.Advance(TimeSpan.FromSeconds(10));
            await _bench.SettleAsync();
            asked[i] = records.Count(r => r.Last is not null);
        }

        Assert.All(asked.Zip([0, .. asked]), pair => Assert.InRange(pair.First - pair.Second, 15, 55)); // 33 each on average
        Assert.Equal(200, asked[5]);
    }

    [Fact]
    public async Task A_failure_that_a_repetition_does_not_confirm_changes_nothing()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        TcpCheck patient = Checks.Tcp with { Fall = 1, Retries = 1, RetryDelay = TimeSpan.FromSeconds(2) };
        HealthRecord record = await _bench.FirstAnswerAsync(patient, web.Address);

        await web.RefuseAsync();
        await _bench.NextAnswerAsync(record);
        web.Listen();
        TimeSpan delay = await _bench.NextAnswerAsync(record);

        Assert.Equal(TimeSpan.FromSeconds(2), delay);
        Assert.True(record.IsUp);
        Assert.Single(_bench.Log.Lines);
    }

    [Fact]
    public async Task A_real_server_that_flaps_is_held_down_and_the_log_says_why()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        TcpCheck nervous = Checks.Tcp with { Rise = 1, Fall = 1, FlapHold = new(3, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)) };
        HealthRecord record = await _bench.FirstAnswerAsync(nervous, web.Address);

        await web.RefuseAsync();
        await _bench.NextAnswerAsync(record);
        web.Listen();
        await _bench.NextAnswerAsync(record);
        await web.RefuseAsync();
        await _bench.NextAnswerAsync(record);
        DateTimeOffset down = _bench.Clock.GetUtcNow();
        web.Listen();
        while (!record.IsUp)
            await _bench.NextAnswerAsync(record);

        Assert.Equal($"Warning 4001 Real server {web.Address} is down: connection refused (1 failure; 3 changes within 60s, so it stays down for 300s)", _bench.Log.Lines.ElementAt(3));
        Assert.Equal(TimeSpan.FromMinutes(5), _bench.Clock.GetUtcNow() - down); // and to the moment
    }

    [Fact]
    public async Task A_real_server_that_was_up_before_its_check_changed_is_told_nothing_when_it_passes()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);
        _bench.Board.Find(Checks.Tcp with { Fall = 5 }, web.Address, wasUp: record.IsUp);

        HealthRecord changed = await _bench.FirstAnswerAsync(Checks.Tcp with { Fall = 5 }, web.Address);

        Assert.True(changed.IsUp);
        Assert.Single(_bench.Log.Lines); // of the first check
    }

    [Fact]
    public async Task Checks_of_other_kinds_are_cut_off_too_and_asked_again()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        AllCheck both = new([Checks.Tcp, Checks.Http]) { Interval = Checks.Interval, Timeout = Checks.Timeout };
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(both, web.Address)), RoleSet.Alone);
        HealthRecord record = _bench.Board.Find(both, web.Address)!;

        await Eventually.HoldsAsync(() => web.Accepted == 2 && _bench.Clock.ArmedTimers == 1);
        _bench.Clock.Advance(Checks.Timeout);
        await _bench.SettleAsync();

        Assert.Equal("http /healthz: no answer within 1s", record.Last!.Why);
        Assert.InRange(_bench.Clock.UntilNextTimer!.Value.TotalSeconds, 8, 10);
        await Eventually.HoldsAsync(() => web.Open == 0);
    }

    [Fact]
    public async Task Stopping_waits_for_checks_of_other_kinds_too()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        AllCheck both = new([Checks.Http]) { Interval = Checks.Interval, Timeout = Checks.Timeout };
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(both, web.Address)), RoleSet.Alone);
        await Eventually.HoldsAsync(() => web.Open == 1);

        await _bench.Engine.StopAsync();

        await Eventually.HoldsAsync(() => web.Open == 0);
        Assert.Null(_bench.Board.Find(both, web.Address)!.Last);
    }

    [Fact]
    public async Task A_change_of_the_weight_alone_is_told_and_is_no_change_between_up_and_down()
    {
        string file = Path.GetTempFileName();
        List<string> told = [];
        _bench.Engine.Changed += record => told.Add($"{record.Last!.Weight?.Value}");
        _bench.Engine.WentUpOrDown += record => told.Add(record.IsUp ? "up" : "down");
        await File.WriteAllTextAsync(file, "50");
        HealthRecord record = await _bench.FirstAnswerAsync(new FileCheck { Path = file, Interval = Checks.Interval, Timeout = Checks.Timeout }, new(IPAddress.Loopback, 80));

        await _bench.NextAnswerAsync(record);
        await File.WriteAllTextAsync(file, "60");
        await _bench.NextAnswerAsync(record);
        File.Delete(file);

        Assert.Equal(["up", "50", "60"], told);
    }

    private HealthRecord[] Apply(Check check, int port, int count)
    {
        IPEndPoint[] realServers = [.. Enumerable.Range(0, count).Select(i => new IPEndPoint(new IPAddress([127, 0, (byte)(i / 250), (byte)(1 + (i % 250))]), port))];
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(check, realServers)), RoleSet.Alone);
        return [.. realServers.Select(r => _bench.Board.Find(check, r)!)];
    }

    /// <summary>Lets the check time out once the real server has it.</summary>
    private async Task CutOffAsync(FakeRealServer web, int accepted)
    {
        await Eventually.HoldsAsync(() => web.Accepted == accepted && _bench.Clock.ArmedTimers == 1);
        _bench.Clock.Advance(Checks.Timeout);
    }

    [Fact]
    public async Task A_real_server_that_only_addresses_elsewhere_use_is_asked_at_the_pace_of_a_backup()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        Snapshot snapshot = _bench.SnapshotOf(Elsewhere, Bench.Asking(Checks.Tcp, web.Address));
        _bench.Engine.Apply(snapshot, Pairs.Roles(0, isActive: false, Elsewhere));
        await _bench.SettleAsync();

        TimeSpan wait = await _bench.NextAnswerAsync(snapshot.VirtualServers[0].RealServers[0].Health!);

        Assert.InRange(wait.TotalSeconds, 27, 33); // 30 s, where the check says 10 s
    }

    [Fact]
    public async Task A_takeover_asks_at_once_and_from_then_on_as_often_as_configured()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        Snapshot snapshot = _bench.SnapshotOf(Elsewhere, Bench.Asking(Checks.Tcp, web.Address));
        HealthRecord record = snapshot.VirtualServers[0].RealServers[0].Health!;
        _bench.Engine.Apply(snapshot, Pairs.Roles(0, isActive: false, Elsewhere));
        await _bench.SettleAsync();

        _bench.Engine.Apply(snapshot, Pairs.Roles(1, isActive: true, Elsewhere));
        await Eventually.HoldsAsync(() => record.Answers == 2); // the clock stood still
        await _bench.SettleAsync();

        await Eventually.HoldsAsync(() => web.Accepted == 2);
        Assert.InRange((await _bench.NextAnswerAsync(record)).TotalSeconds, 9, 11);
    }

    [Fact]
    public async Task An_address_that_is_given_up_slows_checks_down_from_the_next_interval_on()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        Snapshot snapshot = _bench.SnapshotOf(Elsewhere, Bench.Asking(Checks.Tcp, web.Address));
        HealthRecord record = snapshot.VirtualServers[0].RealServers[0].Health!;
        _bench.Engine.Apply(snapshot, Pairs.Roles(0, isActive: true, Elsewhere));
        await _bench.SettleAsync();

        _bench.Engine.Apply(snapshot, Pairs.Roles(1, isActive: false, Elsewhere));
        await _bench.SettleAsync();

        Assert.InRange((await _bench.NextAnswerAsync(record)).TotalSeconds, 9, 11);
        Assert.InRange((await _bench.NextAnswerAsync(record)).TotalSeconds, 27, 33);
    }

    [Fact]
    public async Task A_real_server_that_an_address_of_ours_uses_too_keeps_its_pace()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        Snapshot snapshot = _bench.SnapshotOf(Elsewhere,
            Bench.Asking(Checks.Tcp, web.Address),
            Bench.Asking(Checks.Tcp, web.Address) with { Name = "ours", Address = new(IPAddress.Parse("127.0.0.2"), 80) });
        _bench.Engine.Apply(snapshot, Pairs.Roles(0, isActive: false, Elsewhere));
        await _bench.SettleAsync();

        Assert.InRange((await _bench.NextAnswerAsync(snapshot.VirtualServers[0].RealServers[0].Health!)).TotalSeconds, 9, 11);
    }

    [Fact]
    public async Task A_virtual_server_of_which_one_address_is_ours_is_asked_about_at_its_pace()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        VirtualServer both = Bench.Asking(Checks.Tcp, web.Address);
        Snapshot snapshot = _bench.SnapshotOf(Elsewhere, both with { Addresses = [.. both.Addresses, new(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 80))] });
        _bench.Engine.Apply(snapshot, Pairs.Roles(0, isActive: false, Elsewhere));
        await _bench.SettleAsync();

        Assert.InRange((await _bench.NextAnswerAsync(snapshot.VirtualServers[0].RealServers[0].Health!)).TotalSeconds, 9, 11);
    }

    [Fact]
    public async Task A_real_server_that_keeps_the_client_s_port_is_asked_on_the_first_there_is()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();
        IPEndPoint first = new(IPAddress.Loopback, web.Address.Port), second = new(IPAddress.Loopback, 1);
        Snapshot snapshot = _bench.Snapshot(Bench.Asking(Checks.Tcp, new IPEndPoint(web.Address.Address, 0)) with { Addresses = [new(first), new(second)] });

        _bench.Engine.Apply(snapshot, RoleSet.Alone);
        await _bench.SettleAsync();

        Assert.True(snapshot.VirtualServers[0].RealServers[0].IsUp);
        await Eventually.HoldsAsync(() => web.Accepted == 1);
    }
}
