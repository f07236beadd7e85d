using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Tests.Plan;

public class SlotTransitionTests
{
    private const ushort A = 1, B = 2, C = 3, Nobody = 0;

    [Fact]
    public void Keeps_a_stable_slot_when_nothing_changes() => Assert.Equal((A, A), Next((A, A), A));

    [Fact]
    public void Records_flows_when_a_living_real_server_loses_its_slot() => Assert.Equal((B, A), Next((A, A), B));

    [Fact]
    public void Keeps_no_state_when_the_real_server_that_loses_its_slot_is_down() => Assert.Equal((B, B), Next((A, A), B, down: A));

    [Fact]
    public void A_second_change_still_protects_the_first_owner() => Assert.Equal((C, A), Next((B, A), C));

    [Fact]
    public void Looks_recorded_flows_up_when_the_owner_gets_its_slot_back() => Assert.Equal((A, Nobody), Next((B, A), A));

    [Fact]
    public void Stops_waiting_for_an_owner_that_went_down() => Assert.Equal((B, Nobody), Next((B, A), B, down: A));

    [Fact]
    public void A_tracked_slot_that_changes_protects_the_current_one() => Assert.Equal((C, B), Next((B, Nobody), C));

    [Fact]
    public void Refuses_new_flows_but_serves_old_ones_when_nobody_takes_new_ones() => Assert.Equal((Nobody, A), Next((A, A), Nobody));

    [Fact]
    public void Never_calls_a_slot_stable_because_all_are_down() => Assert.Equal((Nobody, A), Next((B, A), Nobody, down: A));

    [Fact]
    public void An_empty_slot_is_filled_without_state() => Assert.Equal((A, A), Next((Nobody, Nobody), A));

    [Fact]
    public void Only_looks_up_when_the_window_is_over() => Assert.Equal((B, Nobody), Pair(SlotTransition.AfterWindow(Of((B, A)))));

    [Fact]
    public void Is_stable_again_when_nothing_recorded_is_left() => Assert.Equal((B, B), Pair(SlotTransition.Settled(Of((B, Nobody)))));

    private static (ushort, ushort) Next((ushort, ushort) now, ushort wanted, ushort? down = null) =>
        Pair(SlotTransition.Next(Of(now), wanted, id => id != down));

    private static Slot Of((ushort Current, ushort Previous) pair) => new() { Current = pair.Current, Previous = pair.Previous };

    private static (ushort, ushort) Pair(Slot slot) => (slot.Current, slot.Previous);
}
