using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Core.Weights;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;
using Bascule.Testing;

namespace Bascule.Packets.Tests.Plan;

/// <content>Who serves, and who is taken out.</content>
public partial class PlannerTests
{
    [Theory]
    [InlineData("wlc")]
    [InlineData("mh")]
    public void A_fallback_server_is_given_flows_while_no_real_server_can_and_those_it_has_go_on_after_that(string scheduler)
    {
        Plan(WithFallback(scheduler));
        Say(0, passed: true);
        Say(1, passed: true);
        PacketPlan plan = Turn();
        Assert.Equal(["10.0.0.11", "10.0.0.12"], TakesNewFlows(plan));
        Assert.Equal(0u, EntryOf(plan, "10.0.0.91").Weight);

        Say(0, passed: false);
        Say(1, passed: false);
        plan = Turn();
        Assert.Equal(["10.0.0.91"], TakesNewFlows(plan));

        Say(1, passed: true);
        plan = Turn();
        Assert.Equal(["10.0.0.12"], TakesNewFlows(plan));
        Assert.True(EntryOf(plan, "10.0.0.91").Flags.HasFlag(RealServerFlag.Up)); // so flows that it has go on
    }

    [Theory]
    [InlineData("wlc")]
    [InlineData("mh")]
    public void Without_a_quorum_the_real_servers_keep_their_flows_and_the_fallback_server_is_given_the_new_ones(string scheduler)
    {
        Plan(WithFallback(scheduler) + "\n    quorum: 2");

        Say(0, passed: true);
        Say(1, passed: false);
        PacketPlan plan = Turn();

        Assert.Equal(["10.0.0.91"], TakesNewFlows(plan));
        Assert.Equal((0u, true), (EntryOf(plan, "10.0.0.11").Weight, EntryOf(plan, "10.0.0.11").Flags.HasFlag(RealServerFlag.Up)));
    }

    [Theory]
    [InlineData("wlc")]
    [InlineData("mh")]
    public void Without_a_quorum_and_with_a_sorry_server_nobody_else_is_given_flows(string scheduler)
    {
        Plan(Checked(scheduler) + "\n    quorum: 2\n    sorryServer: 10.0.0.99");

        Say(0, passed: true);
        Say(1, passed: false);
        PacketPlan plan = Turn();

        Assert.Empty(TakesNewFlows(plan));
        Assert.NotEqual(SlotTransition.Nobody, (ushort)plan.VirtualServers[plan.Services[Web]].Entry.Sorry);
    }

    [Theory]
    [InlineData("wlc")]
    [InlineData("mh")]
    public void Failing_open_gives_flows_to_those_that_seem_to_be_down(string scheduler)
    {
        Plan(Checked(scheduler) + "\n    panic: open");
        Say(0, passed: false);
        Say(1, passed: false);

        Assert.Equal(["10.0.0.11", "10.0.0.12"], TakesNewFlows(Turn()));
    }

    [Theory]
    [InlineData(AdministrativeState.Drain, true, RealServerFlag.Up)]
    [InlineData(AdministrativeState.Drain, false, RealServerFlag.None)]
    [InlineData(AdministrativeState.Maintenance, true, RealServerFlag.Up | RealServerFlag.Maintenance)]
    [InlineData(AdministrativeState.Maintenance, false, RealServerFlag.Maintenance)]
    public void Who_is_taken_out_has_no_weight_and_keeps_its_flows_while_its_check_passes(AdministrativeState state, bool passes, RealServerFlag flags)
    {
        Plan(Checked("wlc"));
        Say(0, passed: true);
        Say(1, passed: true);

        Live(0).State = state;
        for (int i = 0; i < 3; i++)
            Say(0, passes);
        PacketPlan plan = Turn();

        Assert.Equal(["10.0.0.12"], TakesNewFlows(plan));
        Assert.Equal((0u, flags), (EntryOf(plan, "10.0.0.11").Weight, EntryOf(plan, "10.0.0.11").Flags & (RealServerFlag.Up | RealServerFlag.Maintenance)));
    }

    [Fact]
    public void A_weight_that_moves_stands_in_the_entry()
    {
        Plan(Checked("wlc") + "\n    slowStart: 10s");
        Say(0, passed: true);
        Say(1, passed: true);

        Live(1).Share = LiveRealServer.WholeShare / 4;
        PacketPlan plan = Next();

        Assert.Equal((100u, 25u), (EntryOf(plan, "10.0.0.11").Weight, EntryOf(plan, "10.0.0.12").Weight));
    }

    private static string Checked(string scheduler) => Dr(scheduler, "10.0.0.11", "10.0.0.12").Replace("check: none", "check: { type: tcp, rise: 1, fall: 1 }", StringComparison.Ordinal);

    private static string WithFallback(string scheduler) => Checked(scheduler) + "\n    fallbackServers: [{ address: 10.0.0.91, check: none }]";

    private LiveRealServer Live(int index) => _snapshot!.VirtualServers[0].RealServers[index];

    private void Say(int index, bool passed) => Live(index).Health!.Apply(new(passed, "answered", TimeSpan.Zero), DateTimeOffset.UnixEpoch);

    // Who serves is decided before, as by the daemon.
    private PacketPlan Turn()
    {
        new WeightKeeper(new ManualClock()).Turn(_snapshot!);
        return Next();
    }

    private PacketPlan Next() => _planner.Next(_snapshot!.OnDatapath, Surroundings.Unknown, RoleSet.Alone, Noon);

    private static string[] TakesNewFlows(PacketPlan plan)
    {
        VirtualServerPlan web = plan.VirtualServers[plan.Services[Web]];
        IEnumerable<ushort> ids = web.Entry.Scheduler == Xdp.Scheduler.Table
            ? web.Slots.Select(slot => slot.Current).Where(id => id != SlotTransition.Nobody).Distinct()
            : web.Members.Where(id => plan.RealServers[id] is { Weight: > 0 } entry && entry.Flags.HasFlag(RealServerFlag.Up));
        return [.. ids.Select(id => plan.RealServers[id].Address.ToAddress(AddressFamily.InterNetwork).ToString()).Order()];
    }

    private static Xdp.RealServer EntryOf(PacketPlan plan, string address) => plan.RealServers[IdOf(plan, address)];
}
