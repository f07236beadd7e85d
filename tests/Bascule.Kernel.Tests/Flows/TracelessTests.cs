using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>What leaves no trace in the tables: a packet that is explained, a new flow in a flood.</summary>
public sealed class TracelessTests
{
    private const ushort Port = 4242;

    [KernelTheory]
    [InlineData(TcpFlag.Syn, 2, ChoiceReason.Scheduler)]
    [InlineData(TcpFlag.Ack, 1, ChoiceReason.Fallback)]
    public void An_explained_packet_begins_nothing(TcpFlag flags, int realServer, ChoiceReason reason)
    {
        using Farm farm = Explaining();

        farm.Tcp(Port, flags);

        Explanation told = Told(farm);
        Assert.Equal((Farm.Id, (ushort)realServer, reason), (told.VirtualServer, told.RealServer, told.Reason));
        Assert.Null(farm.HalfOpen(Port));
        Assert.Null(farm.Flow(Port));
        Assert.Equal(1ul, farm.Find<uint, ulong>("turns", Farm.Id)); // as it was set
        Assert.Equal(default, farm.Load(2));
        Assert.Empty(farm.Datapath.Map<Client, Session>("half_open_sessions").Entries());
    }

    [KernelTheory]
    [InlineData(TcpFlag.Ack)]
    [InlineData(TcpFlag.Fin | TcpFlag.Ack)]
    [InlineData(TcpFlag.Rst)]
    public void An_explained_packet_changes_no_recorded_flow(TcpFlag flags)
    {
        using Farm farm = Explaining();
        Flow recorded = new() { Seen = new(1), RealServer = 2, VirtualServer = Farm.Id, State = FlowState.Established, Flags = FlowFlag.Active };
        farm.Datapath.Map<Tuple4, Flow>("flows4").Set(Farm.Key(Port), recorded);

        farm.Tcp(Port, flags);

        Assert.Equal((2, ChoiceReason.Flow), (Told(farm).RealServer, Told(farm).Reason));
        Assert.Equal(recorded, farm.Flow(Port));
    }

    [KernelFact]
    public void In_a_flood_a_known_source_s_new_flow_goes_by_hash_and_is_not_recorded()
    {
        using Farm farm = new(Farm.With(Scheduler.Rr), Method.Dr, realServers: 3);
        farm.Datapath.SetTable(Farm.Id, new Slot { Current = 3, Previous = 3 });
        farm.Apply(farm.Settings with { Slots = 1 });
        farm.Datapath.Map<uint, Runtime>("runtime").Set(0, new Runtime { FloodNewFlowsPerSecond = 1 });
        farm.Connect(5000); // the governor knows the source from here on
        int[] chosen = [];

        for (ushort port = 6000; port < 6010; port++)
            chosen = [.. chosen, Farm.Chosen(farm.Tcp(port, TcpFlag.Syn))];

        Assert.Equal(3, chosen[^1]);
        Assert.Null(farm.HalfOpen(6009));
        Assert.Equal(3, Farm.Chosen(farm.Tcp(6009, TcpFlag.Ack)));
        Assert.Null(farm.Flow(6009));
    }

    private static Explanation Told(Farm farm) =>
        farm.Datapath.Counters<uint, Explanation>("explanations").Get(0).First(told => told.VirtualServer != 0);

    private static Farm Explaining()
    {
        VirtualServer settings = Farm.With(Scheduler.Rr, VirtualServerFlag.Persistent) with { Persistence = 300, Mask4 = 32 };
        Farm farm = new(settings, Method.Dr, realServers: 2, isExplaining: true);
        farm.Datapath.SetTable(Farm.Id, new Slot { Current = 1, Previous = 1 });
        farm.Apply(farm.Settings with { Slots = 1 });
        farm.Datapath.Map<uint, ulong>("turns").Set(Farm.Id, 1); // real server 2 is next
        return farm;
    }
}
