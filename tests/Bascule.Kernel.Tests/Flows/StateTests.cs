using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>States, timeouts and counts of TCP flows, as IPVS has them.</summary>
public sealed class StateTests
{
    private const ushort Port = 4242;

    [KernelFact]
    public void A_syn_alone_is_no_flow_yet()
    {
        using Farm farm = Dr();

        farm.Tcp(Port, TcpFlag.Syn);

        Assert.Null(farm.Flow(Port));
        Assert.Equal(FlowState.SynReceived, farm.HalfOpen(Port)!.Value.State);
        Assert.Equal(new Load { HalfOpen = 1 }, farm.Load(1));
    }

    [KernelFact]
    public void The_packet_after_the_syn_confirms_the_flow_and_makes_it_active()
    {
        using Farm farm = Dr();

        farm.Connect(Port);

        Assert.Equal(FlowState.Established, farm.Flow(Port)!.Value.State);
        Assert.Null(farm.HalfOpen(Port));
        Assert.Equal(new Load { Active = 1 }, farm.Load(1));
    }

    // What the client sends, then what the state is and whether the flow is active.
    [KernelTheory]
    [InlineData(TcpFlag.Ack, FlowState.Established, true)]
    [InlineData(TcpFlag.Ack | TcpFlag.Push, FlowState.Established, true)]
    [InlineData(TcpFlag.Syn, FlowState.Established, true)]
    [InlineData(TcpFlag.Fin | TcpFlag.Ack, FlowState.FinWait, false)]
    [InlineData(TcpFlag.Rst, FlowState.Close, false)]
    [InlineData(TcpFlag.Rst | TcpFlag.Ack, FlowState.Close, false)]
    public void With_direct_routing_the_client_alone_moves_the_state(TcpFlag sends, FlowState state, bool isActive)
    {
        using Farm farm = Dr();
        farm.Connect(Port);

        farm.Tcp(Port, sends);

        Assert.Equal(state, farm.Flow(Port)!.Value.State);
        Assert.Equal(isActive ? new Load { Active = 1 } : new Load { Inactive = 1 }, farm.Load(1));
    }

    [KernelTheory]
    [InlineData(true, FlowState.CloseWait, FlowState.TimeWait)]
    [InlineData(false, FlowState.FinWait, FlowState.TimeWait)]
    public void With_nat_both_sides_move_the_state(bool isClientFirst, FlowState first, FlowState then)
    {
        using Farm farm = Nat();
        farm.Connect(Port);

        Close(farm, isClientFirst);
        FlowState afterFirst = farm.Flow(Port)!.Value.State;
        Close(farm, !isClientFirst);

        Assert.Equal((first, then), (afterFirst, farm.Flow(Port)!.Value.State));
        Assert.Equal(new Load { Inactive = 1 }, farm.Load(1));
    }

    [KernelFact]
    public void A_reset_of_the_real_server_closes_a_nat_flow()
    {
        using Farm farm = Nat();
        farm.Connect(Port);

        farm.Answer(Port, TcpFlag.Rst);

        Assert.Equal(FlowState.Close, farm.Flow(Port)!.Value.State);
    }

    [KernelFact]
    public void After_a_refusal_the_client_s_next_try_is_scheduled_anew()
    {
        using Farm farm = Nat();
        int first = Farm.Chosen(farm.Tcp(Port, TcpFlag.Syn));

        farm.Answer(Port, TcpFlag.Rst | TcpFlag.Ack);
        int second = Farm.Chosen(farm.Tcp(Port, TcpFlag.Syn));

        Assert.Equal((1, 2), (first, second));
        Assert.Equal(new Load { HalfOpen = 1 }, farm.Load(2));
        Assert.Equal(default, farm.Load(1));
    }

    [KernelFact]
    public void A_syn_on_the_ports_of_a_closing_flow_is_a_new_connection()
    {
        using Farm farm = Dr();
        int first = farm.Connect(Port);
        farm.Tcp(Port, TcpFlag.Fin | TcpFlag.Ack);

        int second = farm.Connect(Port);

        Assert.Equal((1, 2), (first, second));
        Assert.Equal(default, farm.Load(1));
        Assert.Equal(new Load { Active = 1 }, farm.Load(2));
    }

    [KernelFact]
    public void A_syn_that_comes_again_goes_to_the_same_real_server()
    {
        using Farm farm = Dr();

        int[] chosen = [.. Enumerable.Range(0, 3).Select(_ => Farm.Chosen(farm.Tcp(Port, TcpFlag.Syn)))];

        Assert.Equal([1, 1, 1], chosen);
        Assert.Equal(1, farm.Load(1).HalfOpen);
        Assert.Equal(1u, farm.Datapath.TrafficOfVirtualServer(Farm.Id).Connections);
    }

    // IPVS's timeouts in seconds; those of ESTABLISHED, FIN_WAIT and UDP are configured.
    [KernelTheory]
    [InlineData(FlowState.Established, 900)]
    [InlineData(FlowState.FinWait, 120)]
    [InlineData(FlowState.TimeWait, 120)]
    [InlineData(FlowState.Close, 10)]
    [InlineData(FlowState.CloseWait, 60)]
    [InlineData(FlowState.LastAck, 30)]
    [InlineData(FlowState.Udp, 300)]
    public void The_sweep_takes_out_a_flow_that_is_silent_for_longer_than_its_state_allows(FlowState state, int seconds)
    {
        using Farm farm = Dr();
        farm.Connect(Port);
        farm.Datapath.Map<Tuple4, Flow>("flows4").Set(Farm.Key(Port), farm.Flow(Port)!.Value with { State = state });

        farm.Age(Port, seconds - 5);
        uint before = farm.Sweep().Flows4;
        farm.Age(Port, 10);
        Sweep after = farm.Sweep();

        Assert.Equal((1u, 0u, 1u), (before, after.Flows4, after.Ended));
        Assert.Null(farm.Flow(Port));
        Assert.Equal(default, farm.Load(1));
    }

    [KernelFact]
    public void A_nat_flow_whose_real_server_still_answers_goes_on()
    {
        using Farm farm = Nat();
        farm.Connect(Port);
        farm.Answer(Port, TcpFlag.Ack);

        farm.Age(Port, 1000);
        uint flows = farm.Sweep().Flows4;

        Assert.Equal(1u, flows);
        Assert.Equal(Verdict.Transmit, farm.Answer(Port, TcpFlag.Ack).Verdict);
    }

    [KernelFact]
    public void With_a_nat_flow_its_way_back_ends()
    {
        using Farm farm = Nat();
        farm.Connect(Port);
        farm.Tcp(Port, TcpFlag.Rst);
        BackDate(farm);

        farm.Age(Port, 11);
        farm.Sweep();

        Assert.Empty(farm.Datapath.Map<Tuple4, Reply4>("replies4").Entries());
        Assert.Equal(Verdict.Pass, farm.Answer(Port, TcpFlag.Ack).Verdict);
    }

    [KernelFact]
    public void Half_open_flows_last_a_minute()
    {
        using Farm farm = Nat();
        farm.Tcp(Port, TcpFlag.Syn);

        farm.Age(Port, 50, "half_open4");
        uint before = farm.Sweep().HalfOpen4;
        farm.Age(Port, 15, "half_open4");
        uint after = farm.Sweep().HalfOpen4;

        Assert.Equal((1u, 0u), (before, after));
        Assert.Equal(default, farm.Load(1));
    }

    [KernelFact]
    public void The_sweep_puts_the_count_of_half_open_flows_right()
    {
        using Farm farm = Dr();
        farm.Tcp(Port, TcpFlag.Syn);
        farm.Datapath.Map<uint, Load>("loads").Set(1, farm.Load(1) with { HalfOpen = 77 }); // as many were evicted

        farm.Sweep();

        Assert.Equal(1, farm.Load(1).HalfOpen);
        Assert.Equal(new References { HalfOpen = 1 }, farm.Find<uint, References>("references", 1));
    }

    private static void Close(Farm farm, bool isClient)
    {
        if (isClient)
            farm.Tcp(Port, TcpFlag.Fin | TcpFlag.Ack);
        else
            farm.Answer(Port, TcpFlag.Fin | TcpFlag.Ack);
    }

    private static void BackDate(Farm farm)
    {
        var replies = farm.Datapath.Map<Tuple4, Reply4>("replies4");
        foreach ((Tuple4 key, Reply4 reply) in replies.Entries())
            replies.Set(key, reply with { Way = reply.Way with { Seen = Farm.Older(reply.Way.Seen, 1000) } });
    }

    private static Farm Dr() => new(Farm.With(Scheduler.Rr), Method.Dr);

    private static Farm Nat() => new(Farm.With(Scheduler.Rr), Method.Nat);
}
