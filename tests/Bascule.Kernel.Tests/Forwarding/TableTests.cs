using Bascule.Core.Scheduling;
using Bascule.Linux.Process;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Forwarding;

/// <summary>bpf/table.h, hash.h and explain.h: by hash, and the answer to "why".</summary>
public sealed class TableTests
{
    private const ushort Sorry = 9;

    [KernelTheory]
    [InlineData(HashKind.KeyedSource, 0x9020926a, 0x6aecf92e)]
    [InlineData(HashKind.KeyedSourcePort, 0x9d82a6bd, 0x62c5e024)]
    public void Keyed_hashes_are_those_of_the_table_in_the_header(HashKind kind, uint hash4, uint hash6)
    {
        Assert.Equal(hash4, HashOf(kind, isIpv6: false));
        Assert.Equal(hash6, HashOf(kind, isIpv6: true));
    }

    [KernelTheory]
    [InlineData(HashKind.Source)]
    [InlineData(HashKind.SourcePort)]
    [InlineData(HashKind.Destination)]
    public void The_other_hashes_are_core_s(HashKind kind)
    {
        ClientAddress client4 = new(0, 0xC633_6407, Web.ClientPort, true) { DestinationLow = 0xC000_020A };
        ClientAddress client6 = new(0x2001_0db8_0000_0000, 7, Web.ClientPort, false) { DestinationHigh = 0x2001_0db8_0001_0000, DestinationLow = 0x10 };
        uint Expected(in ClientAddress client) => kind == HashKind.Destination ? FlowHash.Destination(client) : FlowHash.Source(client, kind == HashKind.SourcePort);

        Assert.Equal(Expected(client4), HashOf(kind, isIpv6: false));
        Assert.Equal(Expected(client6), HashOf(kind, isIpv6: true));
    }

    [KernelFact]
    public void The_slot_is_the_hash_s_share_of_the_table()
    {
        const int Slots = 4093;
        int slot = FlowHash.SlotOf(0x9d82a6bd, Slots);
        using Datapath datapath = Web.With(Web.By(Method.Dr), explaining: true);
        Resize(datapath, Slots);
        datapath.Set(Web.Real + 1, Web.By(Method.Dr));
        Slot[] slots = [.. Enumerable.Repeat(new Slot { Current = Web.Real + 1, Previous = Web.Real + 1 }, Slots)];
        slots[slot] = new() { Current = Web.Real, Previous = Web.Real };
        datapath.SetTable(Web.Id, slots);

        datapath.Arrives(Web.Request());

        Explanation told = Told(datapath);
        Assert.Equal((uint)slot, told.Slot);
        Assert.Equal(Web.Real, told.RealServer);
        Assert.Equal(ChoiceReason.Table, told.Reason);
    }

    [KernelFact]
    public void An_explanation_counts_nothing_and_names_the_drop()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr) with { Flags = RealServerFlag.Up | RealServerFlag.Valid }, explaining: true);

        datapath.Arrives(Web.Request());

        Assert.Equal(DropReason.NoNeighbour, Told(datapath).Drop);
        Assert.Equal(Web.Id, Told(datapath).VirtualServer);
        Assert.Equal(0u, datapath.Drops(DropReason.NoNeighbour));
        Assert.Equal(default, datapath.TrafficOfVirtualServer(Web.Id));
    }

    [KernelFact]
    public void An_explanation_says_nothing_of_the_packet_before()
    {
        using PinnedThread pinned = new(0); // what is told is told per processor
        using Datapath datapath = Web.With(Web.By(Method.Dr), explaining: true);
        datapath.Arrives(Web.Request());

        datapath.Arrives(PacketBuilder.Ip.Ipv4(Web.Client4, "203.0.113.1").Tcp(Web.ClientPort, 80));

        Assert.Equal(default, Told(datapath));
    }

    [KernelFact]
    public void A_stable_table_records_nothing_not_even_for_a_syn()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr));

        foreach (TcpFlag flags in new[] { TcpFlag.Syn, TcpFlag.Ack, TcpFlag.Fin | TcpFlag.Ack, TcpFlag.Rst })
            datapath.Arrives(Web.Request(flags: flags));

        Assert.Empty(datapath.Map<Tuple4, Flow>("flows4").Entries());
        Assert.Empty(datapath.Map<Tuple4, Flow>("half_open4").Entries());
        Assert.Equal(4u, datapath.TrafficOfRealServer(Web.Real).Packets);
    }

    [KernelFact]
    public void A_slot_without_a_server_is_the_sorry_server_s_or_nobody_s()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr));
        datapath.SetTable(Web.Id, new Slot());

        Assert.Equal(Verdict.Drop, datapath.Arrives(Web.Request()).Verdict);
        Assert.Equal(1u, datapath.Drops(DropReason.NoRealServer));

        datapath.Map<uint, VirtualServer>("virtual_servers").Set(Web.Id, new() { Hash = HashKind.KeyedSourcePort, Slots = 1, Sorry = Sorry });
        datapath.Set(Sorry, Web.By(Method.Dr));

        Assert.Equal(Verdict.Transmit, datapath.Arrives(Web.Request()).Verdict);
        Assert.Equal(1u, datapath.TrafficOfRealServer(Sorry).Packets);
    }

    [KernelFact]
    public void A_closed_virtual_server_takes_no_new_connection_and_keeps_the_old_ones()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr), new() { Hash = HashKind.KeyedSourcePort, Flags = VirtualServerFlag.Closed });

        Assert.Equal(Verdict.Drop, datapath.Arrives(Web.Request(flags: TcpFlag.Syn)).Verdict);
        Assert.Equal(Verdict.Transmit, datapath.Arrives(Web.Request()).Verdict);
        Assert.Equal(1u, datapath.Drops(DropReason.Closed));
    }

    private static uint HashOf(HashKind kind, bool isIpv6)
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr), new() { Hash = kind }, explaining: true);
        datapath.Arrives(Web.Request(isIpv6));
        return Told(datapath).Hash;
    }

    private static void Resize(Datapath datapath, uint slots) =>
        datapath.Map<uint, VirtualServer>("virtual_servers").Set(Web.Id, new() { Hash = HashKind.KeyedSourcePort, Slots = slots });

    // One of the processors ran the program; the others' entries are as they were made.
    private static Explanation Told(Datapath datapath) =>
        datapath.Counters<uint, Explanation>("explanations").Get(0).FirstOrDefault(told => told != default);
}
