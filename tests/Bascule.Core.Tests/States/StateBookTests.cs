using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.States;
using Bascule.Core.Tests.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.States;

public sealed class StateBookTests
{
    private static readonly StateTarget Whole = new("web", null);
    private static readonly StateTarget First = new("web", Sample.One);

    private readonly ManualClock _clock = new();
    private readonly HealthBoard _health;
    private readonly SnapshotHolder _snapshots;
    private readonly StateBook _book;

    public StateBookTests()
    {
        _health = new(_clock);
        _snapshots = new(Snapshot.First(Sample.Configuration(Sample.Web with { Check = null }), 1, _health));
        _book = new(_snapshots, _clock);
    }

    [Fact]
    public void What_was_said_of_a_real_server_counts_for_it_alone()
    {
        (StateOrder order, AdministrativeState before) = _book.Say(First, AdministrativeState.Drain, "anna", "new disk");

        Assert.Equal((AdministrativeState.Enabled, "anna", "new disk"), (before, order.By, order.Why));
        Assert.Equal([AdministrativeState.Drain, AdministrativeState.Enabled], States());
        Assert.Equal([false, true], _snapshots.Current.VirtualServers[0].RealServers.Select(r => r.TakesConnections));
    }

    [Fact]
    public void The_stricter_of_virtual_server_and_real_server_counts()
    {
        _book.Say(Whole, AdministrativeState.Drain, "anna", "");
        _book.Say(First, AdministrativeState.Maintenance, "anna", "");
        Assert.Equal([AdministrativeState.Maintenance, AdministrativeState.Drain], States());

        _book.Say(Whole, AdministrativeState.Maintenance, "anna", "");
        _book.Say(First, AdministrativeState.Enabled, "anna", "");
        Assert.Equal([AdministrativeState.Maintenance, AdministrativeState.Maintenance], States());

        _book.Say(Whole, AdministrativeState.Enabled, "anna", "");
        Assert.Equal([AdministrativeState.Enabled, AdministrativeState.Enabled], States());
    }

    [Fact]
    public void A_command_goes_before_the_file_until_the_file_says_something_else()
    {
        _book.Say(First, AdministrativeState.Drain, "anna", "");
        Publish(AdministrativeState.Enabled);
        Assert.Equal(AdministrativeState.Drain, States()[0]);

        Publish(AdministrativeState.Maintenance);
        Assert.Equal(AdministrativeState.Maintenance, States()[0]);
        Assert.Null(_book.Of(First));

        Publish(AdministrativeState.Enabled);
        Assert.Equal(AdministrativeState.Enabled, States()[0]); // the old command does not come back
    }

    [Fact]
    public void Enable_goes_before_a_drain_in_the_file()
    {
        Publish(AdministrativeState.Drain);

        _book.Say(First, AdministrativeState.Enabled, "anna", "");

        Assert.Equal(AdministrativeState.Enabled, States()[0]);
    }

    [Fact]
    public void A_new_real_server_of_a_drained_virtual_server_never_takes_connections()
    {
        _book.Say(Whole, AdministrativeState.Drain, "anna", "");
        Snapshot next = Next(Sample.Web with { Check = null, RealServers = [new(Sample.One, 1), new(Sample.Three, 1)] });
        Assert.True(next.VirtualServers[0].RealServers[1].TakesConnections);

        _book.Publish(next);

        Assert.Same(next, _snapshots.Current);
        Assert.Equal([AdministrativeState.Drain, AdministrativeState.Drain], States());
    }

    [Fact]
    public void A_real_server_that_was_taken_off_and_put_on_again_begins_anew()
    {
        _book.Say(First, AdministrativeState.Drain, "anna", "");

        Assert.True(_book.Publish(Next(Sample.Web with { Check = null, RealServers = [new(Sample.Two, 1)] })));
        _book.Publish(Next(Sample.Web with { Check = null }));

        Assert.Equal([AdministrativeState.Enabled, AdministrativeState.Enabled], States());
    }

    [Fact]
    public void What_was_kept_is_in_force_after_a_restart()
    {
        _book.Say(First, AdministrativeState.Drain, "anna", "a \"new\" disk");
        _book.Say(Whole, AdministrativeState.Enabled, "bert", "");
        ImmutableArray<StateOrder> kept = StateFile.Read(StateFile.Write(_book.Orders))!.Value;

        StateBook again = new(_snapshots, _clock);
        Assert.False(again.Load(kept));

        Assert.Equal(_book.Orders.ToHashSet(), [.. again.Orders]);
        Assert.Equal([AdministrativeState.Drain, AdministrativeState.Enabled], States());
    }

    [Fact]
    public void After_a_restart_with_another_file_the_file_counts()
    {
        _book.Say(First, AdministrativeState.Drain, "anna", "");
        SnapshotHolder other = new(Snapshot.First(Sample.Configuration(Sample.Web with { Check = null, RealServers = [Real(AdministrativeState.Maintenance), new(Sample.Two, 1)] }), 1, _health));

        StateBook again = new(other, _clock);
        Assert.True(again.Load(_book.Orders)); // to be kept anew: or the order would count again once the file is as it was

        Assert.Equal(AdministrativeState.Maintenance, other.Current.VirtualServers[0].RealServers[0].State);
    }

    [Fact]
    public void What_is_not_in_the_file_any_more_after_a_restart_is_to_be_kept_no_longer()
    {
        _book.Say(First, AdministrativeState.Drain, "anna", "");
        SnapshotHolder other = new(Snapshot.First(Sample.Configuration(Sample.Web with { Check = null, RealServers = [new(Sample.Two, 1)] }), 1, _health));

        StateBook again = new(other, _clock);

        Assert.True(again.Load(_book.Orders));
        Assert.Empty(again.Orders);
    }

    [Fact]
    public void Of_two_directors_orders_the_later_counts_on_both_whatever_their_clocks_say()
    {
        SnapshotHolder there = new(Snapshot.First(Sample.Configuration(Sample.Web with { Check = null }), 1, _health));
        ManualClock slow = new();
        StateBook peer = new(there, slow);
        _clock.Advance(TimeSpan.FromHours(1)); // ours is an hour ahead

        Assert.True(peer.Learn(_book.Say(First, AdministrativeState.Drain, "anna", "").Order));
        Assert.True(_book.Learn(peer.Say(First, AdministrativeState.Enabled, "bert", "").Order));

        Assert.Equal(AdministrativeState.Enabled, States()[0]);
        Assert.Equal(AdministrativeState.Enabled, there.Current.VirtualServers[0].RealServers[0].State);
        Assert.Equal("bert", _book.Of(First)!.By);
    }

    [Fact]
    public void What_is_known_already_is_no_news()
    {
        StateOrder order = _book.Say(First, AdministrativeState.Drain, "anna", "").Order;
        Publish(AdministrativeState.Maintenance);

        Assert.False(_book.Learn(order)); // and so does not come back after the file said something else

        Assert.Equal(AdministrativeState.Maintenance, States()[0]);
    }

    [Fact]
    public void A_peers_order_about_what_is_not_here_yet_counts_once_it_is()
    {
        StateTarget third = new("web", Sample.Three);
        Assert.True(_book.Learn(new() { Target = third, State = AdministrativeState.Drain, By = "bert", At = _clock.GetUtcNow(), Why = "", Number = 1 }));
        Publish(AdministrativeState.Enabled);

        _book.Publish(Next(Sample.Web with { Check = null, RealServers = [new(Sample.One, 1), new(Sample.Three, 1)] }));

        Assert.Equal([AdministrativeState.Enabled, AdministrativeState.Drain], States());
        Assert.Equal("bert", _book.Of(third)!.By);
    }

    [Fact]
    public void What_a_real_server_wishes_counts_where_the_operator_lets_it_work()
    {
        LiveRealServer live = Checked(out HealthRecord health);
        Assert.True(live.TakesConnections);

        health.Apply(new(true, "drain", TimeSpan.Zero) { Wish = AdministrativeState.Drain }, DateTimeOffset.UnixEpoch);
        live.Reweigh();
        Assert.Equal((0, true), (live.Weight, live.IsUp));

        live.State = AdministrativeState.Maintenance;
        Assert.False(live.IsUp);
        live.State = AdministrativeState.Enabled;
        health.Apply(new(true, "ready", TimeSpan.Zero), DateTimeOffset.UnixEpoch);
        live.Reweigh();
        Assert.True(live.TakesConnections);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{ \"states\": null }")]
    [InlineData("{ \"states\": [null] }")]
    [InlineData("{ \"states\": [ { \"virtualServer\": \"web\" } ] }")]
    [InlineData("{ \"states\": [ { \"virtualServer\": \"web\", \"realServer\": \"nowhere\", \"state\": \"drain\", \"by\": \"\", \"at\": \"2026-01-01T00:00:00+00:00\", \"why\": \"\", \"number\": 1, \"over\": null, \"isSpent\": false } ] }")]
    public void A_state_file_that_is_none_is_not_read(string text) => Assert.Null(StateFile.Read(text));

    [Fact]
    public void Text_that_would_break_a_log_line_is_cut()
    {
        StateOrder order = _book.Say(First, AdministrativeState.Drain, "an\nna", new string('x', 1000)).Order;

        Assert.Equal(("anna", StateOrder.LongestText), (order.By, order.Why.Length));
    }

    [Theory]
    [InlineData("web", "web")]
    [InlineData("web/10.0.0.1", "web/10.0.0.1:80")]
    [InlineData("web/10.0.0.1:80", "web/10.0.0.1:80")]
    [InlineData("web/10.0.0.1:81", null)]
    [InlineData("web/10.0.0.9", null)]
    [InlineData("web/", null)]
    [InlineData("shop", null)]
    public void Names_mean_what_is_configured(string text, string? target)
    {
        StateTarget? found = StateNames.Find(_snapshots.Current.Configuration, text, out ApiError? refusal);

        Assert.Equal(target, found?.ToString());
        Assert.Equal(found is null, refusal is not null);
    }

    [Fact]
    public void An_address_with_several_ports_needs_one()
    {
        Configuration configuration = Sample.Configuration(Sample.Web with { RealServers = [new(Sample.One, 1), new(new IPEndPoint(Sample.One.Address, 81), 1)] });

        Assert.Null(StateNames.Find(configuration, "web/10.0.0.1", out ApiError? refusal));
        Assert.Contains("10.0.0.1:80, 10.0.0.1:81", refusal!.Hint, StringComparison.Ordinal);
    }

    private static LiveRealServer Checked(out HealthRecord health)
    {
        health = new(Sample.Check, Sample.One, DateTimeOffset.UnixEpoch, wasUp: true);
        return new(new(Sample.One, 3), health, 1);
    }

    private static RealServer Real(AdministrativeState state) => new(Sample.One, 1) { State = state };

    private void Publish(AdministrativeState first) => _book.Publish(Next(Sample.Web with { Check = null, RealServers = [Real(first), new(Sample.Two, 1)] }));

    private Snapshot Next(VirtualServer web) => _snapshots.Current.Next(Sample.Configuration(web), _health);

    private AdministrativeState[] States() => [.. _snapshots.Current.VirtualServers[0].RealServers.Select(r => r.State)];
}
