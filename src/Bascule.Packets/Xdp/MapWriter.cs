using System.Collections.Immutable;
using System.Net;
using Bascule.Linux.Bpf;
using Bascule.Packets.Plan;

namespace Bascule.Packets.Xdp;

/// <summary>Writes the steps from one plan to another into the kernel's maps, in their order.</summary>
internal sealed class MapWriter(DatapathMaps maps)
{
    /// <summary>The virtual server whose packets are being captured; 0: none.</summary>
    public ushort Captured { get; set; }

    /// <summary>Does one step.</summary>
    /// <exception cref="Bascule.Linux.KernelException">The kernel refused it: a map is full, or there is no memory.</exception>
    public void Write(MapChange change)
    {
        switch (change)
        {
            case PutRealServer put: SetRealServer(put.Id, put.Entry); break;
            case PutMembers put: Swap(maps.Members, put.VirtualServer, Members(put.Members)); break;
            case PutTable put: Swap(maps.Tables, put.VirtualServer, SlotPair.Table(put.Slots.AsSpan())); break;
            case PutVirtualServer put: SetVirtualServer(put.Id, put.Entry); break;
            case PutPrefix put: SetPrefix(put.VirtualServer, put.Prefix, put.Rule); break;
            case RemovePrefix remove: TakePrefix(remove.VirtualServer, remove.Prefix); break;
            case PutProbeTarget put: maps.ProbeTargets.Set(put.RealServer, Address.Of(put.VirtualAddress)); break;
            case RemoveProbeTarget remove: maps.ProbeTargets.Remove(remove.RealServer); break;
            case PutService put: SetService(put.Key, put.VirtualServer); break;
            case RemoveService remove: TakeService(remove.Key); break;
            case RemoveVirtualServer remove: Forget(remove.Id); break;
            default: throw new ArgumentException($"no way to write {change.GetType().Name}", nameof(change));
        }
    }

    /// <summary>The key of a service as the datapath looks it up.</summary>
    public static Service4 Key4(ServiceKey key) => new() { Address = Wire32.Of(key.Address), Port = (ushort)key.Port, Protocol = key.Protocol };

    /// <inheritdoc cref="Key4"/>
    public static Service6 Key6(ServiceKey key) => new() { Address = Address.Of(key.Address), Port = (ushort)key.Port, Protocol = key.Protocol };

    private void SetRealServer(ushort id, RealServer entry)
    {
        maps.RealServers.Set(id, entry);
        if (entry.Flags != RealServerFlag.None)
            return;
        // The next one to bear the number begins at zero.
        maps.RealServerTraffic.Set(id, default);
        maps.Loads.Set(id, default);
    }

    private void SetVirtualServer(ushort id, VirtualServer entry) =>
        maps.VirtualServers.Set(id, id == Captured ? entry with { Flags = entry.Flags | VirtualServerFlag.Captured } : entry);

    private void SetService(ServiceKey key, ushort virtualServer)
    {
        if (key.IsIpv4)
            maps.Services4.Set(Key4(key), virtualServer);
        else
            maps.Services6.Set(Key6(key), virtualServer);
    }

    private void TakeService(ServiceKey key)
    {
        if (key.IsIpv4)
            maps.Services4.Remove(Key4(key));
        else
            maps.Services6.Remove(Key6(key));
    }

    private void SetPrefix(ushort virtualServer, IPNetwork prefix, PrefixRule rule)
    {
        if (Prefixes.IsIpv4(prefix))
            maps.Prefixes4.Set(Prefixes.Key4(virtualServer, prefix), (uint)rule);
        else
            maps.Prefixes6.Set(Prefixes.Key6(virtualServer, prefix), (uint)rule);
    }

    private void TakePrefix(ushort virtualServer, IPNetwork prefix)
    {
        if (Prefixes.IsIpv4(prefix))
            maps.Prefixes4.Remove(Prefixes.Key4(virtualServer, prefix));
        else
            maps.Prefixes6.Remove(Prefixes.Key6(virtualServer, prefix));
    }

    private void Forget(ushort virtualServer)
    {
        maps.VirtualServers.Set(virtualServer, default);
        maps.Tables.Remove(virtualServer);
        maps.Members.Remove(virtualServer);
        // The next one to bear the number begins at zero.
        maps.VirtualServerTraffic.Set(virtualServer, default);
    }

    private static void Swap(BpfMap<uint, uint> outer, ushort virtualServer, BpfMap inner)
    {
        outer.SetInner(virtualServer, inner);
        inner.Dispose(); // the outer map holds it now
    }

    // All lists have room for the most, so that the kernel can look them up without a call; what is not used is nobody.
    private static BpfMap<uint, uint> Members(ImmutableArray<ushort> members)
    {
        BpfMap<uint, uint> list = BpfMap.Create<uint, uint>("members", MapType.Array, Planner.MostMembers);
        list.SetAll([.. members.Select(member => (uint)member)]);
        return list;
    }
}
