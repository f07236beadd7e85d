using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Core.Weights;
using Bascule.Testing;

namespace Bascule.Core.Tests.Weights;

public sealed class SlowStartTests
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(10);

    private readonly ManualClock _clock = new();
    private readonly HealthBoard _board;
    private readonly WeightKeeper _keeper;
    private SnapshotHolder _snapshots;

    public SlowStartTests()
    {
        _board = new(_clock);
        _keeper = new(_clock);
        _snapshots = new(Snapshot.First(Sample.Configuration(Web(new(Sample.One, 10), new(Sample.Two, 10))), 1, _board));
    }

    private LiveRealServer First => _snapshots.Current.VirtualServers[0].RealServers[0];

    [Theory]
    [InlineData(0, SlowStart.Floor)]
    [InlineData(0.1, SlowStart.Floor)]
    [InlineData(2.5, 2_500)]
    [InlineData(9.999, 9_999)]
    [InlineData(10, LiveRealServer.WholeShare)]
    [InlineData(1_000_000, LiveRealServer.WholeShare)]
    public void Grows_evenly_from_a_thirty_second_to_the_whole(double seconds, int share) =>
        Assert.Equal(share, SlowStart.Share(TimeSpan.FromSeconds(seconds), Length));

    [Fact]
    public void Without_a_length_it_is_whole_at_once() => Assert.Equal(LiveRealServer.WholeShare, SlowStart.Share(TimeSpan.Zero, TimeSpan.Zero));

    [Fact]
    public void Who_was_down_and_comes_up_starts_slowly()
    {
        Answer(passed: false);
        Turn();

        Answer(passed: true);
        Assert.Equal(1, First.RoundedWeight); // already before the turn that notices it
        Assert.True(Turn());
        Assert.Equal(SlowStart.Floor, First.Share);

        _clock.Advance(Length / 2);
        Assert.True(Turn());
        Assert.Equal((5, 10), (First.RoundedWeight, First.WholeWeight));

        _clock.Advance(Length / 2);
        Assert.False(Turn());
        Assert.Equal((10, 10), (First.RoundedWeight, First.WholeWeight));
    }

    [Fact]
    public void Those_that_a_director_finds_up_when_it_starts_have_their_whole_weight()
    {
        Turn();
        Answer(passed: true);
        Turn();

        Assert.Equal(LiveRealServer.WholeShare, First.Share);
    }

    [Fact]
    public void Who_is_enabled_again_starts_slowly()
    {
        Answer(passed: true);
        Turn();
        First.State = AdministrativeState.Drain;
        Turn();

        First.State = AdministrativeState.Enabled;
        Turn();

        Assert.Equal(SlowStart.Floor, First.Share);
    }

    [Fact]
    public void Who_is_added_starts_slowly_and_the_others_keep_what_they_have()
    {
        Answer(passed: true);
        Turn();

        _snapshots.Publish(_snapshots.Current.Next(Sample.Configuration(Web(new(Sample.One, 10), new(Sample.Two, 10), new(Sample.Three, 10))), _board));
        Turn();
        LiveRealServer added = _snapshots.Current.VirtualServers[0].RealServers[2];
        added.Health!.Apply(new(true, "200", TimeSpan.Zero), _clock.GetUtcNow());
        Turn();

        Assert.Equal((SlowStart.Floor, LiveRealServer.WholeShare), (added.Share, First.Share));
    }

    [Fact]
    public void Who_goes_down_meanwhile_begins_anew()
    {
        Answer(passed: false);
        Turn();
        Answer(passed: true);
        Turn();
        _clock.Advance(Length * 0.9);
        Answer(passed: false, times: 3);
        Turn();

        Answer(passed: true, times: 2);
        Turn();

        Assert.Equal(SlowStart.Floor, First.Share);
    }

    [Fact]
    public void A_weight_of_1_has_parts_too()
    {
        _snapshots = new(Snapshot.First(Sample.Configuration(Web(new(Sample.One, 1), new(Sample.Two, 1))), 1, _board));
        Answer(passed: false);
        Turn();
        Answer(passed: true);
        Turn();

        LiveRealServer second = _snapshots.Current.VirtualServers[0].RealServers[1];
        Assert.Equal((3, 100), (First.Weight, second.Weight));
        Assert.Equal((1, 1), (First.RoundedWeight, second.RoundedWeight));
    }

    [Fact]
    public void A_step_looks_only_where_something_moves_or_was_heard_of()
    {
        SnapshotHolder two = new(Snapshot.First(Sample.Configuration(Web(new RealServer(Sample.One, 10)), Web(new RealServer(Sample.Two, 10)) with { Name = "api" }), 1, _board));
        LiveRealServer moving = two.Current.VirtualServers[0].RealServers[0];
        LiveRealServer other = two.Current.VirtualServers[1].RealServers[0];
        Come(moving);
        Assert.True(_keeper.Turn(two.Current).Moves);

        Come(other);
        _clock.Advance(Length / 2);
        _keeper.Step(two.Current);
        Assert.Equal((5, Serving.Sorry), (moving.RoundedWeight, two.Current.VirtualServers[1].Standing.Serving));

        _keeper.Hear(other.Health!);
        _keeper.Step(two.Current);
        Assert.Equal(Serving.Main, two.Current.VirtualServers[1].Standing.Serving);

        _clock.Advance(Length / 2);
        Assert.True(_keeper.Step(two.Current).Moves); // the other has begun later
        _clock.Advance(Length / 2);
        Assert.False(_keeper.Step(two.Current).Moves);
        Assert.Equal((10, 10), (moving.RoundedWeight, other.RoundedWeight));

        void Come(LiveRealServer live)
        {
            live.Health!.Apply(new(Passed: false, "answered", TimeSpan.Zero), _clock.GetUtcNow());
            _keeper.Turn(two.Current);
            live.Health.Apply(new(Passed: true, "answered", TimeSpan.Zero), _clock.GetUtcNow());
        }
    }

    [Theory]
    [InlineData(SchedulerKind.Overflow)] // to these a weight is a number of connections
    [InlineData(SchedulerKind.LocalityLeastConnection)]
    public void A_weight_that_is_a_number_of_connections_stays_one(SchedulerKind scheduler) =>
        Assert.Equal(1, WeightScale.Of(Web(new(Sample.One, 5), new(Sample.Two, 5)) with { Scheduler = scheduler }));

    [Fact]
    public void Large_weights_are_multiplied_by_as_much_as_fits() =>
        Assert.Equal((2, 1), (WeightScale.Of(Web(new RealServer(Sample.One, 30_000))), WeightScale.Of(Web(new RealServer(Sample.One, 65_535)))));

    private static VirtualServer Web(params RealServer[] realServers) => Sample.Web with { RealServers = [.. realServers.Select(r => r with { SlowStart = Length })] };

    private bool Turn() => _keeper.Turn(_snapshots.Current).Moves;

    private void Answer(bool passed, int times = 1)
    {
        for (int i = 0; i < times; i++)
            First.Health!.Apply(new(passed, "answered", TimeSpan.Zero), _clock.GetUtcNow());
    }
}
