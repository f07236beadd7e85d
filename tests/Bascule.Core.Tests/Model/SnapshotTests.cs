using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.Model;

/// <summary>What a reload keeps, and what it makes anew.</summary>
public sealed class SnapshotTests
{
    private readonly HealthBoard _health = new(new ManualClock());
    private readonly Snapshot _before;

    public SnapshotTests() => _before = Snapshot.First(Sample.Configuration(Sample.Web, Sample.Api), workers: 2, _health);

    [Fact]
    public void Counts_versions_and_keeps_the_number_of_workers()
    {
        Snapshot after = Reload(Sample.Web);

        Assert.Equal((1, 2), (_before.Version, after.Version));
        Assert.Equal((2, 2), (_before.Workers, after.Workers));
    }

    [Fact]
    public void An_unchanged_virtual_server_is_the_very_same_object()
    {
        Snapshot after = Reload(Sample.Web with { SorryServer = null }, Sample.Api);

        Assert.NotSame(_before.VirtualServers[0], after.VirtualServers[0]);
        Assert.Same(_before.VirtualServers[1], after.VirtualServers[1]);
    }

    [Fact]
    public void The_order_of_the_file_makes_no_change()
    {
        Snapshot after = Reload(Sample.Api, Sample.Web);

        Assert.Same(_before.VirtualServers[0], after.VirtualServers[1]);
        Assert.Same(_before.VirtualServers[1], after.VirtualServers[0]);
    }

    [Fact]
    public void A_changed_virtual_server_keeps_its_counters_and_the_real_servers_that_stay()
    {
        LiveVirtualServer before = _before.VirtualServers[0];

        LiveVirtualServer after = Reload(Sample.Web with { RealServers = [new(Sample.Two, 2), new(Sample.Three, 1)] }).VirtualServers[0];

        Assert.Same(before.Counters, after.Counters);
        Assert.Same(before.RealServers[1], after.RealServers[0]);
        Assert.Equal(Sample.Three, after.RealServers[1].Address);
        Assert.Same(before.SorryServer, after.SorryServer);
    }

    [Fact]
    public void The_places_of_a_record_are_those_of_this_snapshot()
    {
        Snapshot after = Reload(Sample.Web with { Name = "shop", RealServers = [new(Sample.Three, 1), new(Sample.Two, 1)] }, Sample.Web);
        HealthRecord shared = after.VirtualServers[1].HealthRecords[1]!;

        Assert.Equal([new(0, 1), new(1, 1)], after.PlacesOf(shared));
        Assert.Equal([new(0, 1), new(1, 1)], _before.PlacesOf(shared)); // web and api
        Assert.Empty(_before.PlacesOf(after.VirtualServers[0].HealthRecords[0]!));
    }

    [Fact]
    public void A_virtual_server_under_another_name_is_another_one()
    {
        LiveVirtualServer after = Reload(Sample.Web with { Name = "shop" }).VirtualServers[0];

        Assert.NotSame(_before.VirtualServers[0].RealServers[0], after.RealServers[0]);
        Assert.NotSame(_before.VirtualServers[0].Counters, after.Counters);
    }

    [Fact]
    public void Another_check_is_another_question_and_takes_nobody_out_before_it_is_answered()
    {
        Up(_before.VirtualServers[0]);
        LiveRealServer one = _before.VirtualServers[0].RealServers[0];
        one.BeginActive();

        LiveVirtualServer after = Publish(Reload(Sample.Web with { Check = Sample.Check with { Path = "/other" } })).VirtualServers[0];

        Assert.All(after.RealServers, r => Assert.True(r.TakesConnections));
        Assert.All(after.RealServers, r => Assert.Null(r.Health!.Last));
        Assert.Same(one, after.RealServers[0]);
        Assert.Equal(1, after.RealServers[0].ActiveConnections);
    }

    [Fact]
    public void A_real_server_that_was_down_stays_down_under_another_check()
    {
        LiveVirtualServer after = Publish(Reload(Sample.Web with { Check = Sample.Check with { Path = "/other" } })).VirtualServers[0];

        Assert.All(after.RealServers, r => Assert.False(r.TakesConnections));
    }

    [Fact]
    public void A_changed_virtual_server_with_the_same_check_stays_up()
    {
        Up(_before.VirtualServers[0]);

        LiveVirtualServer after = Reload(Sample.Web with { Scheduler = SchedulerKind.RoundRobin }).VirtualServers[0];

        Assert.All(after.RealServers, r => Assert.True(r.TakesConnections));
    }

    [Fact]
    public void Without_a_check_a_real_server_counts_as_up()
    {
        LiveVirtualServer after = Publish(Reload(Sample.Web with { Check = null })).VirtualServers[0];

        Assert.All(after.RealServers, r => Assert.True(r.TakesConnections));
    }

    [Fact]
    public void Another_sorry_server_is_a_new_one_and_is_never_checked()
    {
        LiveRealServer after = Reload(Sample.Web with { SorryServer = Sample.Two }).VirtualServers[0].SorryServer!;

        Assert.Equal(Sample.Two, after.Address);
        Assert.True(after.TakesConnections);
        Assert.Null(after.Health);
    }

    [Fact]
    public void New_weights_are_in_force_from_the_moment_of_publishing()
    {
        SnapshotHolder holder = new(_before);
        Snapshot after = Reload(Sample.Web with { RealServers = [new(Sample.One, 0), new(Sample.Two, 7)] });
        Assert.Equal([1, 2], Weights(after));

        holder.Publish(after);

        Assert.Equal([0, 7], Weights(holder.Current));
        Assert.Same(after, holder.Current);
    }

    [Fact]
    public void Another_check_is_in_force_from_the_moment_of_publishing()
    {
        HealthRecord? before = _before.VirtualServers[0].RealServers[0].Health;
        Snapshot after = Reload(Sample.Web with { Check = null });
        Assert.Same(before, after.VirtualServers[0].RealServers[0].Health);

        Publish(after);

        Assert.Null(after.VirtualServers[0].RealServers[0].Health);
    }

    [Fact]
    public void A_source_hash_is_built_for_the_weights_of_its_own_snapshot()
    {
        Snapshot all = Reload(Sample.Web with { Scheduler = SchedulerKind.SourceHash, Check = null, RealServers = [new(Sample.One, 1), new(Sample.Two, 0)] });
        Snapshot moved = all.Next(
            Sample.Configuration(Sample.Web with { Scheduler = SchedulerKind.SourceHash, Check = null, RealServers = [new(Sample.One, 1), new(Sample.Two, 1)] }), _health);
        new SnapshotHolder(all).Publish(moved);

        int[] choices = [.. Enumerable.Range(0, 100).Select(i => moved.VirtualServers[0].Scheduler.Pick(new(0, (uint)i, 1, true), default, new Random(1)))];

        Assert.Equal([0, 1], choices.Distinct().Order());
    }

    private Snapshot Reload(params VirtualServer[] virtualServers) => _before.Next(Sample.Configuration(virtualServers), _health);

    private static void Up(LiveVirtualServer virtualServer)
    {
        foreach (LiveRealServer realServer in virtualServer.RealServers)
            realServer.Health!.Apply(new(true, "200 in 1 ms", TimeSpan.Zero), DateTimeOffset.UnixEpoch);
    }

    private Snapshot Publish(Snapshot next)
    {
        new SnapshotHolder(_before).Publish(next);
        return next;
    }

    private static IEnumerable<int> Weights(Snapshot snapshot) => snapshot.VirtualServers[0].RealServers.Select(r => r.Weight);
}
