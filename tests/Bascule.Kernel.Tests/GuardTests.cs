using System.Buffers.Binary;
using System.Net;
using Bascule.Linux.Process;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>bpf/guard.h: prefixes, rates, flood governor.</summary>
public sealed class GuardTests : IDisposable
{
    // Rates are counted per processor.
    private readonly PinnedThread _pinned = new(PinnedThread.CurrentProcessor);

    private static readonly VirtualServer Guarded = new() { Scheduler = Scheduler.Table, Flags = VirtualServerFlag.Guarded };

    [KernelFact]
    public void A_denied_prefix_is_dropped_and_counted_and_others_pass()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), Guarded);
        Rule(datapath, "198.51.100.0", 24, PrefixRule.Denied);

        Assert.Equal(Verdict.Drop, datapath.Send(Syn("198.51.100.7")).Verdict);
        Assert.Equal(Verdict.Transmit, datapath.Send(Syn("198.51.101.7")).Verdict);
        Assert.Equal(1u, datapath.Drops(DropReason.Denied));
    }

    [KernelFact]
    public void The_longest_prefix_decides()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), Guarded);
        Rule(datapath, "0.0.0.0", 0, PrefixRule.Denied);
        Rule(datapath, "10.0.0.0", 8, PrefixRule.Allowed);
        Rule(datapath, "10.1.0.0", 16, PrefixRule.Denied);
        Rule(datapath, "10.1.2.3", 32, PrefixRule.Allowed);

        Assert.Equal(Verdict.Drop, datapath.Send(Syn("198.51.100.7")).Verdict);
        Assert.Equal(Verdict.Transmit, datapath.Send(Syn("10.2.0.1")).Verdict);
        Assert.Equal(Verdict.Drop, datapath.Send(Syn("10.1.2.4")).Verdict);
        Assert.Equal(Verdict.Transmit, datapath.Send(Syn("10.1.2.3")).Verdict);
    }

    [KernelFact]
    public void Rules_are_those_of_one_virtual_server_and_one_family()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), Guarded);
        datapath.Map<Prefix6, uint>("prefixes6").Set(
            new() { Bits = 32 + 32, VirtualServer = Scene.Id6, Address = Address.Of(IPAddress.Parse("2001:db8::")) }, (uint)PrefixRule.Denied);
        datapath.Map<Prefix4, uint>("prefixes4").Set(new() { Bits = 32, VirtualServer = Scene.Id4 + 100, Address = 0 }, (uint)PrefixRule.Denied);

        Assert.Equal(Verdict.Drop, datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Tcp(4242, 80))).Verdict);
        Assert.Equal(Verdict.Transmit, datapath.Send(Syn(Scene.Client4)).Verdict);
    }

    [KernelFact]
    public void A_source_may_send_so_many_packets_a_second_and_its_neighbour_as_many()
    {
        Promptly.Test(() => Scene.WithOne(Scene.By(Method.Dr), Guarded with { PacketsPerSecondSource = 100 }), datapath =>
        {
            byte[] one = Scene.Arriving(PacketBuilder.Ip.Ipv4("198.51.100.7", Scene.Virtual4).Tcp(1, 80)).Frame();
            byte[] other = Scene.Arriving(PacketBuilder.Ip.Ipv4("198.51.100.8", Scene.Virtual4).Tcp(1, 80)).Frame();

            int passed = Enumerable.Range(0, 1000).Count(_ => datapath.Send(one).Verdict == Verdict.Transmit);

            Assert.InRange(passed, 100, 220); // a second of 2^30 ns, and where one ends in between two of them
            Assert.Equal((ulong)(1000 - passed), datapath.Drops(DropReason.SourceRate));
            Assert.Equal(Verdict.Transmit, datapath.Send(other).Verdict);
        });
    }

    [KernelFact]
    public void Among_many_sources_none_is_taken_for_another()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), Guarded with { PacketsPerSecondSource = 50 }, opened =>
        {
            opened.SetEntries("sketch", 4 * 65536);
            opened.SetConstant("sketch_cells", 65536u);
        });
        byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4("198.51.0.0", Scene.Virtual4).Tcp(1, 80)).Frame();

        for (int i = 0; i < 20_000; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14 + 14), (ushort)i);
            Assert.Equal(Verdict.Transmit, datapath.Send(frame).Verdict);
        }
    }

    [KernelFact]
    public void A_virtual_server_takes_so_many_new_flows_a_second_and_old_ones_go_on()
    {
        Promptly.Test(() => Scene.WithOne(Scene.By(Method.Dr), Guarded with { NewFlowsPerSecond = 50 }), datapath =>
        {
            int passed = Enumerable.Range(1, 500).Count(host => datapath.Send(Syn($"198.51.{host >> 8}.{host & 255}")).Verdict == Verdict.Transmit);

            Assert.InRange(passed, 50, 110);
            Assert.Equal((ulong)(500 - passed), datapath.Drops(DropReason.VirtualServerRate));
            Assert.Equal(Verdict.Transmit, datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80))).Verdict);
            Assert.Equal(Verdict.Transmit, datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Tcp(4242, 80, TcpFlag.Syn))).Verdict);
        });
    }

    [KernelFact]
    public void In_a_flood_the_first_SYN_of_a_stranger_is_dropped_and_its_retransmission_passes()
    {
        Promptly.Test(() => Scene.WithOne(Scene.By(Method.Dr)), datapath =>
        {
            Flood(datapath);

            Assert.Equal(Verdict.Drop, datapath.Send(Syn("203.0.113.5")).Verdict);
            Assert.Equal(Verdict.Transmit, datapath.Send(Syn("203.0.113.5")).Verdict);
            Assert.Equal(Verdict.Drop, datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6("2001:db8:5::5", Scene.Virtual6).Tcp(1, 80, TcpFlag.Syn))).Verdict);
            Assert.Equal(Verdict.Transmit, datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6("2001:db8:5::5", Scene.Virtual6).Tcp(1, 80, TcpFlag.Syn))).Verdict);
        });
    }

    [KernelFact]
    public void In_a_flood_who_ended_a_connection_before_passes_at_once()
    {
        Promptly.Test(() => Scene.WithOne(Scene.By(Method.Dr)), datapath =>
        {
            datapath.Map<uint, Runtime>("runtime").Set(0, new() { FloodNewFlowsPerSecond = 100 });
            datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4("203.0.113.5", Scene.Virtual4).Tcp(4242, 80, TcpFlag.Fin | TcpFlag.Ack)));
            Flood(datapath);

            Assert.Equal(Verdict.Transmit, datapath.Send(Syn("203.0.113.5")).Verdict);
            Assert.Equal(Verdict.Drop, datapath.Send(Syn("203.0.113.6")).Verdict);
        });
    }

    [KernelFact]
    public void In_a_flood_packets_that_begin_no_flow_pass()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        Flood(datapath);

        Assert.Equal(Verdict.Transmit, datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4("203.0.113.5", Scene.Virtual4).Tcp(4242, 80))).Verdict);
    }

    [KernelFact]
    public void Nearly_all_of_a_flood_from_made_up_sources_is_dropped()
    {
        Promptly.Test(() => Scene.WithOne(Scene.By(Method.Dr), prepare: opened =>
        {
            foreach (string marks in new[] { "sources_known", "sources_tried" })
                opened.SetEntries(marks, 1 << 18);
            opened.SetConstant("mark_cells", 1u << 18);
        }), datapath =>
        {
            Flood(datapath);
            byte[] frame = Syn("0.0.0.0").Frame();
            Random random = new(7);

            int passed = 0;
            for (int i = 0; i < 20_000; i++)
            {
                random.NextBytes(frame.AsSpan(14 + 12, 4));
                passed += datapath.Send(frame).Verdict == Verdict.Transmit ? 1 : 0;
            }

            Assert.InRange(passed, 0, 100);
        });
    }

    [KernelFact]
    public void The_governor_switched_off_keeps_nothing_and_drops_nothing()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));

        for (int host = 1; host < 500; host++)
            Assert.Equal(Verdict.Transmit, datapath.Send(Syn($"198.51.{host >> 8}.{host & 255}")).Verdict);
        datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4("203.0.113.5", Scene.Virtual4).Tcp(4242, 80, TcpFlag.Fin | TcpFlag.Ack)));

        foreach (string marks in new[] { "sources_known", "sources_tried" })
            Assert.DoesNotContain(datapath.Map<uint, UInt128>(marks).Entries(), entry => entry.Value != 0);
        Assert.All(datapath.Counters<uint, Rate>("new_flows").Get(0), rate => Assert.Equal(0u, rate.Count));
    }

    [KernelFact]
    public void An_explanation_counts_nothing()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), Guarded with { PacketsPerSecondSource = 5, NewFlowsPerSecond = 5 }, opened => opened.SetConstant("explaining", true));

        for (int i = 0; i < 100; i++)
            Assert.Equal(Verdict.Transmit, datapath.Send(Syn(Scene.Client4)).Verdict);
    }

    public void Dispose() => _pinned.Dispose();

    // More new flows than the governor takes, so that it acts for the rest of this second and in the next.
    private static void Flood(Datapath datapath)
    {
        datapath.Map<uint, Runtime>("runtime").Set(0, new() { FloodNewFlowsPerSecond = 100 });
        for (int host = 1; host < 300; host++)
            datapath.Send(Syn($"198.18.{host >> 8}.{host & 255}"));
        Assert.NotEqual(0u, datapath.Drops(DropReason.Flood));
    }

    private static PacketBuilder Syn(string source) => Scene.Arriving(PacketBuilder.Ip.Ipv4(source, Scene.Virtual4).Tcp(4242, 80, TcpFlag.Syn));

    private static void Rule(Datapath datapath, string prefix, uint bits, PrefixRule rule) =>
        datapath.Map<Prefix4, uint>("prefixes4").Set(new() { Bits = 32 + bits, VirtualServer = Scene.Id4, Address = Wire32.Of(IPAddress.Parse(prefix)) }, (uint)rule);
}
