using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>All processors at once, and the sweep beside them: no count is lost, no flow is counted twice.</summary>
public sealed class TogetherTests
{
    private const int Rounds = 60;

    private static readonly TcpFlag[] Conversation =
        [TcpFlag.Syn, TcpFlag.Ack, TcpFlag.Ack, TcpFlag.Fin | TcpFlag.Ack, TcpFlag.Syn, TcpFlag.Syn, TcpFlag.Ack, TcpFlag.Rst, TcpFlag.Syn, TcpFlag.Ack];

    [KernelTheory]
    [InlineData(Scheduler.Wlc, Method.Dr)]
    [InlineData(Scheduler.Wrr, Method.Nat)]
    public void The_counts_are_those_of_the_flows_that_are_recorded(Scheduler scheduler, Method method)
    {
        using Farm farm = new(Farm.With(scheduler), method, realServers: 3);
        farm.Sweep(); // the program and the map are opened before others need them

        // Everyone says the same on the same ports, so that each step is contended.
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                foreach (TcpFlag flags in Conversation)
                {
                    for (ushort port = 5000; port < 5004; port++)
                        Talk(farm, method, flags, port);
                }

                if (worker == 0)
                    farm.Sweep();
            }
        });

        farm.Sweep();
        for (uint id = 1; id <= 3; id++)
        {
            References found = farm.Find<uint, References>("references", id)!.Value;
            Load load = farm.Load(id);
            Assert.Equal((found.Active, found.Inactive, (int)found.HalfOpen), (load.Active, load.Inactive, load.HalfOpen));
        }

        Assert.Equal(4, farm.Datapath.Map<Tuple4, Flow>("flows4").Entries().Count);
    }

    private static void Talk(Farm farm, Method method, TcpFlag flags, ushort port)
    {
        farm.Tcp(port, flags);
        if (method != Method.Nat)
            return;
        for (int realServer = 1; realServer <= 3; realServer++)
            farm.Answer(port, flags == TcpFlag.Syn ? TcpFlag.Syn | TcpFlag.Ack : flags, realServer);
    }
}
