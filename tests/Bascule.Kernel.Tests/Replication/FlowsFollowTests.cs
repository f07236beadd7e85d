using Bascule.Kernel.Tests.Flows;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Replication;

/// <summary>A stream that one director began goes on at the other as if it had begun there.</summary>
public sealed class FlowsFollowTests
{
    private const ushort Port = 5000;

    [KernelTheory]
    [InlineData(false, false, false)]
    [InlineData(false, false, true)]
    [InlineData(true, false, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, false)]
    [InlineData(false, true, true)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    public void Nat_rewrites_both_sides_packets_as_the_first_director_would_have(bool isIpv6, bool isFullNat, bool everything)
    {
        using Pair pair = Pair.Nat(isIpv6, isFullNat);
        pair.Connect(4999, realServer: 1);
        pair.Connect(Port, realServer: 2);
        Sent asked = Pair.FromClient(pair.A, Port, TcpFlag.Ack | TcpFlag.Push, "GET /");

        pair.Active.Tell(pair.Backup, everything);

        // The download first: the client has nothing to say for a while.
        foreach (TcpFlag flags in new[] { TcpFlag.Ack, TcpFlag.Ack | TcpFlag.Push, TcpFlag.Fin | TcpFlag.Ack })
        {
            AssertSame(Pair.FromRealServer(pair.A, asked, flags, "data"), Pair.FromRealServer(pair.B, asked, flags, "data"));
            AssertSame(Pair.FromClient(pair.A, Port, flags, "more"), Pair.FromClient(pair.B, Port, flags, "more"));
        }
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Direct_routing_by_a_scheduler_that_counts_keeps_each_flow_at_its_real_server(bool everything)
    {
        using Pair pair = new(Farm.With(Scheduler.Lc), Method.Dr);
        int[] chosen = [.. Enumerable.Range(Port, 5).Select(port => pair.A.Connect((ushort)port))];

        pair.Active.Tell(pair.Backup, everything);

        Assert.Equal(chosen, Enumerable.Range(Port, 5).Select(port => Farm.Chosen(pair.B.Tcp((ushort)port, TcpFlag.Ack))));
        Assert.Equal([1, 2], chosen.Distinct().Order());
        Assert.Equal(Farm.Chosen(pair.A.Tcp(6000, TcpFlag.Syn)), Farm.Chosen(pair.B.Tcp(6000, TcpFlag.Syn)));
    }

    [KernelFact]
    public void A_datagram_flow_follows_too()
    {
        using Pair pair = new(Farm.With(Scheduler.Rr), Method.Nat, protocol: System.Net.Sockets.ProtocolType.Udp);
        pair.A.Udp(4999);
        pair.A.Udp(Port);
        pair.A.Udp(Port);

        pair.Active.TellChanges(pair.Backup);

        Assert.Equal(2, Farm.Chosen(pair.A.Udp(Port)));
        AssertSame(pair.A.Udp(Port), pair.B.Udp(Port));
    }

    [KernelFact]
    public void Connections_are_counted_at_the_other_director_and_when_they_end_no_more()
    {
        using Pair pair = Pair.Nat();
        pair.Connect(Port, realServer: 1);
        pair.Connect(5001, realServer: 2);
        pair.Active.TellEverything(pair.Backup);
        pair.Active.TellChanges(pair.Backup); // the same again
        Assert.Equal((1u, 1u), Counted(pair.B, 1));
        Assert.Equal((1u, 1u), Counted(pair.B, 2));

        Pair.FromClient(pair.A, Port, TcpFlag.Fin | TcpFlag.Ack);
        pair.Active.TellChanges(pair.Backup);

        Assert.Equal((0u, 1u), Counted(pair.B, 2)); // the active one's number 1
        Assert.Equal(FlowState.CloseWait, pair.B.Flow(Port)!.Value.State);

        pair.A.Age(Port, 3600);
        AgeReplies(pair.A, 3600);
        pair.A.Sweep();
        pair.Active.TellChanges(pair.Backup);

        Assert.Null(pair.B.Flow(Port));
        Assert.Equal((0u, 0u), Counted(pair.B, 2));
        Assert.Equal((1u, 1u), Counted(pair.B, 1));
        Assert.Single(pair.B.Datapath.Map<Tuple4, Reply4>("replies4").Entries());
    }

    [KernelFact]
    public void The_sweep_of_the_backup_counts_the_same_and_throws_nothing_out_that_lives_at_the_active_one()
    {
        using Pair pair = Pair.Nat();
        pair.Connect(Port, realServer: 1);
        pair.Active.TellChanges(pair.Backup);

        pair.B.Age(Port, 1500); // timeout: 900 s
        AgeReplies(pair.B, 1500);
        Assert.Equal(1u, pair.B.Sweep().Flows4);
        pair.B.Age(Port, 400);
        AgeReplies(pair.B, 400);
        Assert.Equal(0u, pair.B.Sweep().Flows4);
        Assert.Equal((0u, 0u), Counted(pair.B, 2));
    }

    [KernelFact]
    public void A_flow_that_goes_on_for_long_is_told_of_once_in_a_quarter_of_its_timeout()
    {
        using Pair pair = Pair.Nat();
        pair.Connect(Port, realServer: 1);
        pair.Active.TellChanges(pair.Backup);

        Told(pair.A, 200);
        pair.A.Sweep();
        Assert.Empty(pair.Active.Changes());
        Told(pair.A, 230);
        pair.A.Sweep();
        Assert.Single(pair.Active.Changes());
        pair.A.Sweep();
        Assert.Empty(pair.Active.Changes());

        static void Told(Farm farm, double before)
        {
            Flow flow = farm.Flow(Port)!.Value;
            farm.Datapath.Map<Tuple4, Flow>("flows4").Set(Farm.Key(Port), flow with { Told = Farm.Older(flow.Seen, before) });
        }
    }

    [KernelFact]
    public void More_changes_than_the_ring_holds_are_made_good_by_everything()
    {
        using Pair pair = new(Farm.With(Scheduler.Rr), Method.Dr);
        const int Many = 900; // 64 KiB hold 819
        for (int i = 0; i < Many; i++)
            pair.A.Connect((ushort)(Port + i));

        Assert.False(pair.Active.Flows.TakeChanges(entry => pair.Backup.Flows.Apply(entry.Span)));
        Assert.InRange(pair.B.Sweep().Flows4, 700u, Many - 1u);
        pair.Active.TellEverything(pair.Backup);

        Assert.Equal((uint)Many, pair.B.Sweep().Flows4);
        Assert.Equal(Many / 2u, pair.B.Load(1).Active);
        Assert.Equal(Many / 2u, pair.B.Load(2).Active);
        Assert.True(pair.Active.Flows.TakeChanges(_ => { }));
    }

    [KernelFact]
    public void An_active_director_s_own_word_about_a_flow_stands_against_an_older_one()
    {
        using Pair pair = Pair.Nat();
        pair.Connect(Port, realServer: 1);
        List<byte[]> old = pair.Active.Changes();
        old.ForEach(entry => pair.Backup.Flows.Apply(entry));
        Pair.FromClient(pair.B, Port, TcpFlag.Fin | TcpFlag.Ack); // it took over

        Pair.FromClient(pair.A, Port, TcpFlag.Rst); // a stray packet at the old one
        pair.A.Age(Port, 30);
        AgeReplies(pair.A, 30);
        pair.A.Sweep(); // which gives the flow up
        List<byte[]> late = pair.Active.Changes();
        Assert.NotEmpty(late);
        foreach (byte[] entry in late.Where(entry => (entry[4] & 1) != 0).Concat(old.Select(Aged)))
            Assert.True(pair.Backup.Flows.Apply(entry));

        Flow flow = pair.B.Flow(Port)!.Value;
        Assert.Equal((FlowState.CloseWait, FlowFlag.Inactive | FlowFlag.Replies), (flow.State, flow.Flags));

        static byte[] Aged(byte[] entry) => [.. entry[..6], 0, 0, 0x80, 0, .. entry[10..]]; // half a minute
    }

    [KernelFact]
    public void What_was_heard_is_not_told_back_until_the_client_comes()
    {
        using Pair pair = Pair.Nat();
        pair.Connect(Port, realServer: 1);
        pair.Active.TellChanges(pair.Backup);
        Assert.Empty(pair.Backup.Changes());

        Pair.FromClient(pair.B, Port);

        Assert.Single(pair.Backup.Changes());
        Assert.False(pair.B.Flow(Port)!.Value.Flags.HasFlag(FlowFlag.Followed));
    }

    [KernelFact]
    public void A_flow_that_ended_at_the_active_director_does_not_come_back_from_the_other_one_that_missed_it()
    {
        using Pair pair = Pair.Nat();
        pair.Connect(Port, realServer: 1);
        pair.Active.TellChanges(pair.Backup);
        pair.A.Age(Port, 3600);
        AgeReplies(pair.A, 3600);
        pair.A.Sweep();
        Assert.Null(pair.A.Flow(Port));

        pair.Backup.TellEverything(pair.Active);

        Assert.Null(pair.A.Flow(Port));
    }

    [KernelFact]
    public void A_director_that_begins_with_empty_tables_gets_also_the_flows_that_the_other_one_only_heard_of()
    {
        using Pair pair = Pair.Nat();
        pair.Connect(Port, realServer: 1);
        pair.Active.TellChanges(pair.Backup);
        using Pair reborn = Pair.Nat();

        pair.Backup.TellEverything(reborn.Active);

        Assert.Equal(1u, reborn.A.Load(1).Active);
        Assert.Equal(FlowState.Established, reborn.A.Flow(Port)!.Value.State);
    }

    [KernelFact]
    public void Without_a_way_to_the_client_answers_wait_for_its_next_packet_and_then_go_where_it_came_from()
    {
        using Pair pair = Pair.Nat(knowsLink: false);
        pair.Connect(Port, realServer: 1);
        Sent asked = Pair.FromClient(pair.A, Port);
        pair.Active.TellChanges(pair.Backup);

        Assert.Equal(Verdict.Drop, Pair.FromRealServer(pair.B, asked, data: "data").Verdict);
        Assert.Equal(1u, pair.B.Datapath.Drops(DropReason.NoNeighbour));
        AssertSame(Pair.FromClient(pair.A, Port), Pair.FromClient(pair.B, Port));
        AssertSame(Pair.FromRealServer(pair.A, asked, data: "data"), Pair.FromRealServer(pair.B, asked, data: "data"));
    }

    [KernelFact]
    public void A_backup_that_does_not_serve_the_address_carries_the_flows_that_it_knows_as_soon_as_they_are_sent_to_it()
    {
        using Pair pair = Pair.Nat();
        BpfServices(pair.B).Remove(ServiceKey());
        pair.Connect(Port, realServer: 1);
        Sent asked = Pair.FromClient(pair.A, Port);

        pair.Active.TellChanges(pair.Backup);
        Assert.Equal(1u, pair.B.Sweep().Flows4);
        AssertSame(Pair.FromRealServer(pair.A, asked), Pair.FromRealServer(pair.B, asked));

        // Nobody's flow is the network stack's, which resets what it does not know.
        AssertSame(Pair.FromClient(pair.A, Port), Pair.FromClient(pair.B, Port));
        Assert.Equal(Verdict.Pass, Pair.FromClient(pair.B, 5001).Verdict);
        Assert.Equal(Verdict.Pass, pair.B.Datapath.Send(pair.B.Ip(PacketBuilder.Ethernet(PacketBuilder.ClientMac, "02:00:00:00:00:77"), Farm.Client, Farm.Address)
            .Tcp(Port, Farm.Port)).Verdict); // sent to the other director
        BpfServices(pair.B).Set(ServiceKey(), Farm.Id);
        AssertSame(Pair.FromClient(pair.A, Port), Pair.FromClient(pair.B, Port));

        static Linux.Bpf.BpfMap<Service4, uint> BpfServices(Farm farm) => farm.Datapath.Map<Service4, uint>("services4");
        static Service4 ServiceKey() => new() { Address = Wire32.Of(System.Net.IPAddress.Parse(Farm.Address)), Port = Farm.Port, Protocol = 6 };
    }

    [KernelFact]
    public void The_port_of_a_full_nat_flow_is_taken_at_the_other_director_too()
    {
        using Pair pair = Pair.Nat(isFullNat: true);
        pair.Connect(Port, realServer: 1);
        Wire16 taken = pair.A.Flow(Port)!.Value.NatPort;
        pair.Active.TellChanges(pair.Backup);

        Reply4 reply = Assert.Single(pair.B.Datapath.Map<Tuple4, Reply4>("replies4").Entries()).Value;

        Assert.Equal(taken, pair.B.Flow(Port)!.Value.NatPort);
        Assert.Equal(Port, reply.Client.SourcePort.Value);
    }

    internal static void AgeReplies(Farm farm, double seconds)
    {
        var replies = farm.Datapath.Map<Tuple4, Reply4>("replies4");
        foreach ((Tuple4 key, Reply4 reply) in replies.Entries())
            replies.Set(key, reply with { Way = reply.Way with { Seen = Farm.Older(reply.Way.Seen, seconds) } });
    }

    private static void AssertSame(Sent expected, Sent actual)
    {
        Assert.Equal(Verdict.Transmit, expected.Verdict);
        Assert.Equal(expected.Verdict, actual.Verdict);
        Assert.Equal(expected.Frame, actual.Frame);
    }

    // Active, and all that are confirmed.
    private static (uint Active, uint Confirmed) Counted(Farm farm, uint id) => (farm.Load(id).Active, farm.Load(id).Active + farm.Load(id).Inactive);
}
