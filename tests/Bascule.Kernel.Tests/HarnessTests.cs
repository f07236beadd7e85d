using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>The datapath loads here, and a packet goes through it.</summary>
public sealed class HarnessTests
{
    [KernelTheory]
    [InlineData(DatapathObject.Xdp)]
    [InlineData(DatapathObject.Tcx)]
    [InlineData(DatapathObject.Probe)]
    [InlineData(DatapathObject.DecapXdp)]
    [InlineData(DatapathObject.DecapTcx)]
    public void The_kernel_takes_every_program(string file) => Datapath.Load(file: file).Dispose();

    [KernelFact]
    public void What_is_not_for_us_passes_unchanged()
    {
        using Datapath datapath = Datapath.Load();
        byte[] frame = PacketBuilder.Ethernet().Ipv4("198.51.100.7", "192.0.2.10").Tcp(4242, 80, TcpFlag.Syn).Frame();

        Sent sent = datapath.Send(frame);

        Assert.Equal(Verdict.Pass, sent.Verdict);
        Assert.Equal(frame, sent.Frame);
    }

    [KernelFact]
    public void Direct_routing_sends_the_packet_to_the_real_server_s_mac()
    {
        using Datapath datapath = Datapath.Load();
        datapath.Set(1, new VirtualServer { Scheduler = Scheduler.Table, Slots = 1, Members = 1 }, "192.0.2.10", 80);
        datapath.Set(1, new RealServer
        {
            Method = Method.Dr,
            Family = 4,
            Flags = RealServerFlag.Up | RealServerFlag.Valid | RealServerFlag.Neighbour,
            Interface = (uint)Datapath.LoopbackIndex,
            Mtu = 1500,
            MacDestination = Mac.Parse("02:00:00:00:00:11"),
            MacSource = Mac.Parse(PacketBuilder.DirectorMac),
            VirtualServer = 1,
            Weight = 1,
        });
        datapath.SetTable(1, new Slot { Current = 1, Previous = 1 });
        PacketBuilder packet = PacketBuilder.Ip.Ipv4("198.51.100.7", "192.0.2.10").Tcp(4242, 80, TcpFlag.Syn);

        Sent sent = datapath.Send(PacketBuilder.Ethernet().Then(packet));

        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, "02:00:00:00:00:11").Then(packet).Frame(), sent.Frame);
        Assert.Equal(1u, datapath.TrafficOfVirtualServer(1).Packets);
    }
}
