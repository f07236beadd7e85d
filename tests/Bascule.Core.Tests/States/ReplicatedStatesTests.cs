using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Replication;
using Bascule.Core.States;
using Bascule.Core.Tests.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.States;

public sealed class ReplicatedStatesTests
{
    private static readonly StateTarget First = new("web", Sample.One);

    private readonly ManualClock _clock = new();
    private readonly List<StateOrder> _learned = [];
    private readonly StateBook _here;
    private readonly StateBook _there;
    private readonly ReplicatedStates _from;
    private readonly ReplicatedStates _to;

    public ReplicatedStatesTests()
    {
        (_here, _there) = (Book(), Book());
        _from = new(_here, _ => Assert.Fail("nobody told this side anything"));
        _to = new(_there, _learned.Add);
    }

    [Fact]
    public void What_is_said_here_counts_there_and_is_not_told_back()
    {
        _here.Say(First, AdministrativeState.Drain, "anna", "new disk");

        Assert.Equal(1, Exchange());

        StateOrder learned = Assert.Single(_learned);
        Assert.Equal((First, AdministrativeState.Drain, "anna", "new disk"), (learned.Target, learned.State, learned.By, learned.Why));
        Assert.Equal(AdministrativeState.Drain, _there.Of(First)!.State);
        Assert.True(_to.TakeChanges(_ => Assert.Fail("it was told back")));
        Assert.Equal(0, Exchange());
    }

    [Fact]
    public void A_peer_that_has_just_come_is_told_everything_and_enable_too()
    {
        _there.Say(First, AdministrativeState.Drain, "bert", "");
        _clock.Advance(TimeSpan.FromSeconds(1));
        _here.Say(First, AdministrativeState.Enabled, "anna", "");

        foreach (ReadOnlyMemory<byte> entry in _from.Everything())
            Assert.True(_to.Apply(entry.Span));

        Assert.Equal(AdministrativeState.Enabled, _there.Of(First)!.State);
    }

    [Fact]
    public void What_the_file_has_overruled_does_not_come_back_on_a_peer_that_knows_nothing()
    {
        _here.Say(First, AdministrativeState.Drain, "anna", "");
        _here.Publish(Saying(AdministrativeState.Maintenance));
        _here.Publish(Saying(AdministrativeState.Enabled));
        Assert.Null(_here.Of(First));

        foreach (ReadOnlyMemory<byte> entry in _from.Everything())
            Assert.True(_to.Apply(entry.Span));

        Assert.Null(_there.Of(First));
        Assert.True(_learned.Single().IsSpent); // and is known, so that what is said later is later there too
    }

    [Fact]
    public void More_than_can_wait_is_told_as_everything()
    {
        for (int i = 0; i < 1_001; i++)
            _here.Say(First, AdministrativeState.Drain, "anna", "");

        Assert.False(_from.TakeChanges(_ => { }));
        Assert.True(_from.TakeChanges(_ => { }));
    }

    [Fact]
    public void The_longest_order_fits_into_an_entry()
    {
        _here.Say(First, AdministrativeState.Drain, string.Concat(Enumerable.Repeat("\U0001F600", 100)), new string('"', 200));

        Assert.True(_from.TakeChanges(entry => Assert.True(entry.Length <= IReplicatedState.LongestEntry && _to.Apply(entry.Span))));

        Assert.Equal(_here.Of(First)!.By, _there.Of(First)!.By);
    }

    [Fact]
    public void Hostile_bytes_do_no_harm()
    {
        Random random = new(1);
        _here.Say(First, AdministrativeState.Drain, "anna", "why");
        byte[] good = [.. _from.Everything().Single().Span];
        for (int i = 0; i < 2_000; i++)
        {
            byte[] damaged = [.. good[..random.Next(good.Length)], .. good[random.Next(good.Length)..]];
            if (damaged.Length > 0)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            _to.Apply(damaged);
        }

        _there.Say(First, AdministrativeState.Maintenance, "bert", "");
        Assert.Equal(AdministrativeState.Maintenance, _there.Of(First)!.State);
    }

    private int Exchange()
    {
        int entries = 0;
        Assert.True(_from.TakeChanges(entry =>
        {
            entries++;
            Assert.True(_to.Apply(entry.Span));
        }));
        return entries;
    }

    private StateBook Book() => new(new(Saying(AdministrativeState.Enabled)), _clock);

    /// <summary>A file that says this of the first real server.</summary>
    private Snapshot Saying(AdministrativeState state) => Snapshot.First(
        Sample.Configuration(Sample.Web with { Check = null, RealServers = [new(Sample.One, 1) { State = state }, new(Sample.Two, 1)] }), 1, new HealthBoard(_clock));
}
