using System.Runtime.InteropServices;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;
using FlowHashKey = Bascule.Core.Scheduling.FlowHashKey;

namespace Bascule.Kernel.Tests.Twins;

/// <summary>
/// A datapath for one virtual server after another, under one id. Its table and its list of real servers are put in once and then written over: to
/// swap a map inside a map takes the kernel milliseconds, because it waits until no processor looks at the old one.
/// </summary>
internal sealed class TwinWorld : IDisposable
{
    public const ushort Id = 1;

    private readonly BpfMap<uint, uint> _members = BpfMap.Create<uint, uint>("members", MapType.Array, 512);
    private BpfMap<uint, SlotPair>? _table;

    public TwinWorld(FlowHashKey key)
    {
        Datapath = Datapath.Load(opened =>
        {
            opened.SetConstant("hash_key", key);
            opened.SetEntries("flows4", 65536);
        });
        Datapath.Map<uint, uint>("members").SetInner(Id, _members);
    }

    public Datapath Datapath { get; }

    /// <summary>As if no connection had ever come.</summary>
    public void Forget(int realServers)
    {
        for (uint id = 1; id <= realServers; id++)
            Datapath.Map<uint, Load>("loads").Set(id, default);
        Datapath.Map<uint, ulong>("turns").Set(Id, 0);
        BpfMap<LocalityKey, Locality> localities = Datapath.Map<LocalityKey, Locality>("localities");
        foreach ((LocalityKey key, _) in localities.Entries())
            localities.Remove(key);
    }

    public void SetMembers(int realServers) => _members.SetAll([.. Enumerable.Range(1, realServers).Select(id => (uint)id)]);

    /// <param name="slots">As many each time.</param>
    public void SetTable(ReadOnlySpan<Slot> slots)
    {
        if (_table is null)
        {
            _table = SlotPair.Table(slots);
            Datapath.Map<uint, uint>("tables").SetInner(Id, _table);
            return;
        }

        SlotPair[] pairs = new SlotPair[(slots.Length + 1) / 2];
        slots.CopyTo(MemoryMarshal.Cast<SlotPair, Slot>(pairs.AsSpan()));
        _table.SetAll(pairs);
    }

    public void Dispose()
    {
        _members.Dispose();
        _table?.Dispose();
        Datapath.Dispose();
    }
}
