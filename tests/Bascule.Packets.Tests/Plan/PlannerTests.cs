using System.Collections.Immutable;
using System.Net;
using System.Text;
using Bascule.Core.Config;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;
using Bascule.Testing;

namespace Bascule.Packets.Tests.Plan;

public partial class PlannerTests
{
    private static readonly TimeSpan Noon = TimeSpan.FromHours(12);
    private static readonly ServiceKey Web = new(IPAddress.Parse("192.0.2.10"), 80, 6);
    private readonly Planner _planner = new();
    private Snapshot? _snapshot;

    [Fact]
    public void Serves_the_address_and_answers_echo_requests_to_it()
    {
        PacketPlan plan = Plan(Dr("rr", "10.0.0.11", "10.0.0.12"));

        ushort id = plan.Services[Web];
        Assert.Equal(id, plan.Services[new(Web.Address, 0, 1)]);
        Assert.Equal(Xdp.Scheduler.Rr, plan.VirtualServers[id].Entry.Scheduler);
        Assert.Equal(2, plan.VirtualServers[id].Members.Length);
    }

    [Fact]
    public void Keeps_no_state_for_a_consistent_hash_and_state_for_counting_schedulers()
    {
        Assert.False(FlagsOf(Plan(Dr("mh", "10.0.0.11"))).HasFlag(VirtualServerFlag.Stateful));
        Assert.True(FlagsOf(Plan(Dr("wlc", "10.0.0.11"))).HasFlag(VirtualServerFlag.Stateful));
    }

    [Fact]
    public void A_table_takes_more_real_servers_than_can_be_counted_among()
    {
        string[] many = [.. Enumerable.Range(0, Planner.MostMembers + 1).Select(i => $"10.0.{i / 250}.{1 + (i % 250)}")];

        PacketPlan plan = Plan(Dr("mh", many));

        Assert.Empty(_planner.Problems);
        Assert.Equal(many.Length, SlotsOf(plan).Select(slot => slot.Current).Distinct().Count());
    }

    [Fact]
    public void Plans_the_same_again_when_nothing_changed()
    {
        PacketPlan before = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"));

        Assert.Empty(PlanDifference.Between(before, Plan(Dr("mh", "10.0.0.11", "10.0.0.12"))));
    }

    [Fact]
    public void A_real_server_keeps_its_id_when_others_come_before_it()
    {
        ushort before = IdOf(Plan(Dr("mh", "10.0.0.11")), "10.0.0.11");

        Assert.Equal(before, IdOf(Plan(Dr("mh", "10.0.0.9", "10.0.0.11")), "10.0.0.11"));
    }

    [Fact]
    public void Slots_that_a_new_real_server_takes_are_in_transition()
    {
        ushort old = IdOf(Plan(Dr("mh", "10.0.0.11")), "10.0.0.11");

        PacketPlan plan = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"));

        ushort added = IdOf(plan, "10.0.0.12");
        Slot[] moved = [.. SlotsOf(plan).Where(slot => slot.Current == added)];
        Assert.NotEmpty(moved);
        Assert.All(moved, slot => Assert.Equal(old, slot.Previous));
        Assert.All(SlotsOf(plan).Where(slot => slot.Current == old), slot => Assert.Equal(old, slot.Previous));
    }

    [Fact]
    public void A_removed_real_server_is_gone_and_keeps_its_id_until_nothing_refers_to_it()
    {
        ushort id = IdOf(Plan(Dr("rr", "10.0.0.11", "10.0.0.12")), "10.0.0.12");

        PacketPlan plan = Plan(Dr("rr", "10.0.0.11"));
        Assert.Equal(RealServerFlag.Gone | RealServerFlag.Valid, plan.RealServers[id].Flags);

        Assert.Contains(id, _planner.AfterSweep(new(_ => true, _ => true), Noon).RealServers.Keys);
        Assert.DoesNotContain(id, _planner.AfterSweep(new(_ => false, _ => false), Noon + TimeSpan.FromHours(1)).RealServers.Keys);
    }

    [Fact]
    public void A_real_server_that_comes_back_before_that_has_its_old_id()
    {
        ushort id = IdOf(Plan(Dr("rr", "10.0.0.11", "10.0.0.12")), "10.0.0.12");
        Plan(Dr("rr", "10.0.0.11"));

        Assert.Equal(id, IdOf(Plan(Dr("rr", "10.0.0.11", "10.0.0.12")), "10.0.0.12"));
    }

    [Fact]
    public void Another_counting_scheduler_changes_the_virtual_server_in_place()
    {
        ushort before = Plan(Dr("rr", "10.0.0.11")).Services[Web];

        Assert.Equal(before, Plan(Dr("wlc", "10.0.0.11")).Services[Web]);
    }

    [Fact]
    public void Another_hash_is_another_virtual_server_that_looks_recorded_flows_up_and_takes_over_in_one_step()
    {
        PacketPlan before = Plan(Dr("wlc", "10.0.0.11", "10.0.0.12"));

        PacketPlan after = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"));

        Assert.NotEqual(before.Services[Web], after.Services[Web]);
        Assert.Equal(IdOf(before, "10.0.0.11"), IdOf(after, "10.0.0.11"));
        Assert.All(SlotsOf(after), slot => Assert.Equal(SlotTransition.Nobody, slot.Previous));
        List<MapChange> steps = [.. PlanDifference.Between(before, after)];
        int swap = steps.FindIndex(step => step is PutService { Key.Port: 80 });
        Assert.InRange(steps.FindIndex(step => step is PutTable), 0, swap);
        Assert.InRange(steps.FindIndex(step => step is PutVirtualServer), 0, swap);
    }

    [Fact]
    public void Another_daemon_goes_on_with_the_ids_and_the_slots_it_finds()
    {
        Plan(Dr("mh", "10.0.0.11"));
        PacketPlan left = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"));

        Planner next = new();
        next.Adopt(left, Noon);
        PacketPlan plan = next.Next(_snapshot!.OnDatapath, Surroundings.Unknown, RoleSet.Alone, Noon);

        Assert.Empty(PlanDifference.Between(left, plan));
    }

    [Fact]
    public void An_address_that_another_director_has_keeps_its_keys_so_that_nothing_must_be_written_at_a_takeover()
    {
        PacketPlan ours = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"));

        PacketPlan theirs = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"), roles: Pairs.Roles(1, isActive: false, Pairs.Instance("192.0.2.10")));

        Assert.Empty(PlanDifference.Between(ours, theirs));
    }

    [Fact]
    public void Told_to_listen_only_where_it_is_Active_an_address_elsewhere_is_planned_but_for_its_keys()
    {
        PacketPlan ours = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"));

        PacketPlan theirs = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"), roles: Pairs.Roles(1, isActive: false, OnlyWhereActive()));

        Assert.Empty(theirs.Services);
        Assert.Equal([new RemoveService(Web), new RemoveService(EntryForms.EchoOf(Web))], PlanDifference.Between(ours, theirs).OrderBy(c => c.ToString()?.Contains("Port = 0")));
    }

    [Fact]
    public void To_take_an_address_over_is_to_write_its_keys()
    {
        HaInstance instance = OnlyWhereActive();
        PacketPlan theirs = Plan(Dr("wlc", "10.0.0.11", "10.0.0.12"), roles: Pairs.Roles(0, isActive: false, instance));
        ushort id = _planner.IdOf(Web)!.Value;

        PacketPlan ours = Plan(Dr("wlc", "10.0.0.11", "10.0.0.12"), roles: Pairs.Roles(1, isActive: true, instance));

        Assert.Equal([new PutService(Web, id), new PutService(EntryForms.EchoOf(Web), id)], PlanDifference.Between(theirs, ours).OrderBy(c => c.ToString()?.Contains("Port = 0")));
    }

    [Fact]
    public void A_virtual_server_whose_address_is_elsewhere_is_not_retired_by_a_sweep()
    {
        RoleSet roles = Pairs.Roles(0, isActive: false, OnlyWhereActive());
        PacketPlan before = Plan(Dr("wlc", "10.0.0.11"), roles: roles);

        PacketPlan after = _planner.AfterSweep(new(_ => false, _ => false), Noon + TimeSpan.FromHours(1));

        Assert.Same(before, after);
    }

    [Fact]
    public void New_real_servers_are_written_before_the_table_that_names_them_and_removed_ones_after()
    {
        PacketPlan before = Plan(Dr("mh", "10.0.0.11", "10.0.0.12"));
        PacketPlan after = Plan(Dr("mh", "10.0.0.11", "10.0.0.13"));

        List<MapChange> steps = [.. PlanDifference.Between(before, after)];

        int table = steps.FindIndex(step => step is PutTable);
        Assert.True(steps.FindIndex(step => step is PutRealServer put && put.Id == IdOf(after, "10.0.0.13")) < table);
        Assert.True(steps.FindIndex(step => step is PutRealServer put && put.Id == IdOf(before, "10.0.0.12")) > table);
    }

    [Fact]
    public void A_real_server_on_this_machine_is_reached_through_its_own_stack()
    {
        Surroundings here = new() { Own = [IPAddress.Parse("10.0.0.11")] };

        PacketPlan plan = Plan(Dr("rr", "10.0.0.11"), here);

        Assert.Equal(Method.Local, plan.RealServers.Values.Single().Method);
    }

    [Fact]
    public void The_way_to_a_real_server_stands_in_its_entry()
    {
        NextHop way = new(7, 1500, Mac.Parse("02:00:00:00:00:01"), Mac.Parse("02:00:00:00:00:02"), IPAddress.Parse("10.0.0.1"));
        Surroundings known = new() { NextHops = Surroundings.Unknown.NextHops.Add(IPAddress.Parse("10.0.0.11"), way) };

        Xdp.RealServer entry = Plan(Dr("rr", "10.0.0.11"), known).RealServers.Values.Single();

        Assert.Equal((7u, (ushort)1500, way.NeighbourMac, way.OwnMac), (entry.Interface, entry.Mtu, entry.MacDestination, entry.MacSource));
        Assert.True(entry.Flags.HasFlag(RealServerFlag.Neighbour));
        Assert.False(Plan(Dr("rr", "10.0.0.11")).RealServers.Values.Single().Flags.HasFlag(RealServerFlag.Neighbour));
    }

    [Fact]
    public void Who_is_not_allowed_is_denied()
    {
        PacketPlan plan = Plan(Dr("rr", "10.0.0.11") + "\n    allow: [198.51.100.0/24]\n    deny: [198.51.100.7/32]");

        VirtualServerPlan web = plan.VirtualServers[plan.Services[Web]];
        Assert.True(web.Entry.Flags.HasFlag(VirtualServerFlag.Guarded));
        Assert.Equal(PrefixRule.Allowed, web.Prefixes[IPNetwork.Parse("198.51.100.0/24")]);
        Assert.Equal(PrefixRule.Denied, web.Prefixes[IPNetwork.Parse("198.51.100.7/32")]);
        Assert.Equal(PrefixRule.Denied, web.Prefixes[IPNetwork.Parse("0.0.0.0/0")]);
    }

    private static string Dr(string scheduler, params string[] realServers) => $"""
        packets: {"{"} interfaces: [eth0] {"}"}
        virtualServers:
          web:
            address: 192.0.2.10:80
            forward: dr
            scheduler: {scheduler}
            check: none
            realServers: [{string.Join(", ", realServers)}]
        """;

    private static HaInstance OnlyWhereActive() => Pairs.Instance("192.0.2.10") with { Listen = ListenWhen.Active };

    private PacketPlan Plan(string text, Surroundings? surroundings = null, RoleSet? roles = null)
    {
        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(text));
        Assert.True(read.Meant is not null, string.Join("\n", read.Problems.Select(p => p.Format("test"))));
        HealthBoard board = new(TimeProvider.System);
        _snapshot = _snapshot is null ? Snapshot.First(read.Meant, 1, board) : _snapshot.Next(read.Meant, board);
        SnapshotHolder holder = new(_snapshot);
        holder.Publish(_snapshot);
        return _planner.Next(_snapshot.OnDatapath, surroundings ?? Surroundings.Unknown, roles ?? RoleSet.Alone, Noon);
    }

    private static VirtualServerFlag FlagsOf(PacketPlan plan) => plan.VirtualServers[plan.Services[Web]].Entry.Flags;

    private static ImmutableArray<Slot> SlotsOf(PacketPlan plan) => plan.VirtualServers[plan.Services[Web]].Slots;

    private static ushort IdOf(PacketPlan plan, string address) =>
        plan.RealServers.Single(pair => pair.Value.Address == Address.Of(IPAddress.Parse(address))).Key;
}
