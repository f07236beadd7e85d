using Bascule.Packets.Plan;

namespace Bascule.Packets.Tests.Plan;

public class TransitionTableTests
{
    private const ushort A = 1, B = 2, C = 3;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Noon = TimeSpan.FromHours(12);

    [Fact]
    public void Says_nothing_changed_when_nothing_did()
    {
        TransitionTable table = TransitionTable.Fresh([A, B, A]);

        Assert.False(table.Change([A, B, A], Everybody, Window, Noon));
        Assert.Equal(0, table.Unsettled);
    }

    [Fact]
    public void Changes_only_the_slots_that_move()
    {
        TransitionTable table = TransitionTable.Fresh([A, B, A]);

        Assert.True(table.Change([A, B, C], Everybody, Window, Noon));

        Assert.Equal(1, table.Unsettled);
        Assert.Equal([(A, A), (B, B), (C, A)], Pairs(table));
    }

    [Fact]
    public void Closes_the_window_when_it_is_over_and_not_before()
    {
        TransitionTable table = TransitionTable.Fresh([A]);
        table.Change([B], Everybody, Window, Noon);

        Assert.False(table.Tick(hasRecordedFlows: true, Noon + Window - TimeSpan.FromSeconds(1)));
        Assert.True(table.Tick(hasRecordedFlows: true, Noon + Window));

        Assert.Equal([(B, (ushort)0)], Pairs(table));
    }

    [Fact]
    public void Goes_on_looking_up_as_long_as_recorded_flows_live()
    {
        TransitionTable table = TransitionTable.Fresh([A]);
        table.Change([B], Everybody, Window, Noon);
        table.Tick(hasRecordedFlows: true, Noon + Window);

        Assert.False(table.Tick(hasRecordedFlows: true, Noon + (10 * Window)));
        Assert.True(table.Tick(hasRecordedFlows: false, Noon + (10 * Window)));

        Assert.Equal([(B, B)], Pairs(table));
    }

    [Fact]
    public void Waits_for_half_open_flows_although_the_sweep_does_not_count_them()
    {
        TransitionTable table = TransitionTable.Fresh([A]);
        table.Change([B], Everybody, Window, Noon);
        table.Change([A], Everybody, TimeSpan.Zero, Noon + Window);

        Assert.False(table.Tick(hasRecordedFlows: false, Noon + Window + TransitionTable.HalfOpen - TimeSpan.FromSeconds(1)));
        Assert.True(table.Tick(hasRecordedFlows: false, Noon + Window + TransitionTable.HalfOpen));

        Assert.Equal([(A, A)], Pairs(table));
    }

    [Fact]
    public void Gives_adopted_transitions_a_whole_window_again()
    {
        TransitionTable before = TransitionTable.Fresh([A, C]);
        before.Change([B, C], Everybody, Window, Noon);

        TransitionTable table = TransitionTable.Adopted(before.Slots, Window, Noon + Window);

        Assert.False(table.Tick(hasRecordedFlows: false, Noon + Window + Window - TimeSpan.FromSeconds(1)));
        Assert.True(table.Tick(hasRecordedFlows: false, Noon + Window + Window));
        Assert.Equal([(B, B), (C, C)], Pairs(table));
    }

    [Fact]
    public void Knows_whom_its_slots_still_name()
    {
        TransitionTable table = TransitionTable.Fresh([A]);
        table.Change([B], Everybody, Window, Noon);

        Assert.True(table.Names(A));
        Assert.False(table.Names(C));
    }

    private static bool Everybody(ushort realServer) => true;

    private static (ushort, ushort)[] Pairs(TransitionTable table) => [.. table.Slots.Select(s => (s.Current, s.Previous))];
}
