using Bascule.Kernel.Tests.Flows;
using Bascule.Packets.Replication;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Replication;

/// <summary>Whatever the other director says, our tables and counts agree afterwards.</summary>
public sealed class HostileTests
{
    [KernelTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void Entries_with_anything_in_them_leave_tables_and_counts_that_agree(int seed)
    {
        Random random = new(seed);
        using Pair pair = Pair.Nat(isFullNat: seed % 2 == 0);
        for (ushort port = 5000; port < 5016; port++)
            pair.Connect(port, 1 + (port % 2));
        List<byte[]> told = pair.Active.Changes();

        for (int i = 0; i < 4000; i++)
        {
            byte[] entry = [.. told[random.Next(told.Count)]];
            for (int changes = random.Next(4); changes > 0; changes--)
                entry[random.Next(entry.Length)] = (byte)random.Next(256);
            pair.Backup.Flows.Apply(entry.AsSpan(0, random.Next(20) == 0 ? random.Next(entry.Length) : entry.Length));
            if (i % 100 == 0)
                Pair.FromClient(pair.B, (ushort)(5000 + random.Next(16)), random.Next(2) == 0 ? TcpFlag.Ack : TcpFlag.Fin | TcpFlag.Ack);
        }

        AssertAgrees(pair.B);
    }

    [KernelFact]
    public void A_port_that_is_not_of_the_pool_is_refused()
    {
        using Pair pair = Pair.Nat(isFullNat: true);
        pair.Connect(5000, realServer: 1);
        byte[] entry = Assert.Single(pair.Active.Changes());
        Assert.True(FlowEntry.TryRead(entry, out FlowEntry told));

        int length = (told with { NatPort = 22 }).Write(entry);
        Assert.True(pair.Backup.Flows.Apply(entry.AsSpan(0, length)));

        Assert.Empty(pair.B.Datapath.Map<Tuple4, Flow>("flows4").Entries());
        Assert.Empty(pair.B.Datapath.Map<Tuple4, Reply4>("replies4").Entries());
    }

    [KernelFact]
    public void A_way_back_that_another_flow_has_is_refused_and_nothing_of_the_flow_is_left()
    {
        using Pair pair = Pair.Nat(isFullNat: true);
        pair.Connect(5000, realServer: 1);
        byte[] entry = Assert.Single(pair.Active.Changes());
        pair.Backup.Flows.Apply(entry);
        Assert.True(FlowEntry.TryRead(entry, out FlowEntry told));

        int length = (told with { Client = told.Client with { SourcePort = 5001 } }).Write(entry);
        Assert.True(pair.Backup.Flows.Apply(entry.AsSpan(0, length)));

        Assert.Null(pair.B.Flow(5001));
        Assert.NotNull(pair.B.Flow(5000));
        AssertAgrees(pair.B);
    }

    private static void AssertAgrees(Farm farm)
    {
        List<KeyValuePair<Tuple4, Flow>> flows = farm.Datapath.Map<Tuple4, Flow>("flows4").Entries();
        Assert.NotEmpty(flows);
        Assert.Equal(flows.Count, farm.Datapath.Map<Tuple4, Reply4>("replies4").Entries().Count);
        for (ushort id = 1; id <= 2; id++)
        {
            Assert.Equal((uint)flows.Count(f => f.Value.RealServer == id && f.Value.Flags.HasFlag(FlowFlag.Active)), farm.Load(id).Active);
            Assert.Equal((uint)flows.Count(f => f.Value.RealServer == id && f.Value.Flags.HasFlag(FlowFlag.Inactive)), farm.Load(id).Inactive);
        }
    }
}
