using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Linux.Bpf;
using Bascule.Packets.Plan;

namespace Bascule.Packets.Xdp;

/// <summary>Reads back from the kernel's maps the plan that an earlier daemon wrote.</summary>
internal static class MapReader
{
    /// <summary>All of it.</summary>
    public static PacketPlan Read(DatapathMaps maps) => new()
    {
        Services = Services(maps),
        VirtualServers = VirtualServers(maps),
        RealServers = maps.RealServers.Entries()
            .Where(pair => pair.Value.Flags.HasFlag(RealServerFlag.Valid))
            .ToImmutableDictionary(pair => (ushort)pair.Key, pair => pair.Value),
        ProbeTargets = ProbeTargets(maps),
    };

    private static ImmutableDictionary<ServiceKey, ushort> Services(DatapathMaps maps)
    {
        ImmutableDictionary<ServiceKey, ushort>.Builder services = ImmutableDictionary.CreateBuilder<ServiceKey, ushort>();
        foreach ((Service4 key, uint id) in maps.Services4.Entries())
            services[new(key.Address.ToAddress(), key.Port.Value, key.Protocol)] = (ushort)id;
        foreach ((Service6 key, uint id) in maps.Services6.Entries())
            services[new(key.Address.ToAddress(AddressFamily.InterNetworkV6), key.Port.Value, key.Protocol)] = (ushort)id;
        return services.ToImmutable();
    }

    private static ImmutableDictionary<ushort, VirtualServerPlan> VirtualServers(DatapathMaps maps)
    {
        ILookup<ushort, KeyValuePair<IPNetwork, PrefixRule>> prefixes = maps.Prefixes4.Entries()
            .Select(pair => (Id: pair.Key.VirtualServer, Rule: KeyValuePair.Create(Prefixes.Of(pair.Key), (PrefixRule)pair.Value)))
            .Concat(maps.Prefixes6.Entries().Select(pair => (Id: pair.Key.VirtualServer, Rule: KeyValuePair.Create(Prefixes.Of(pair.Key), (PrefixRule)pair.Value))))
            .ToLookup(found => (ushort)found.Id, found => found.Rule);
        ImmutableDictionary<ushort, VirtualServerPlan>.Builder plans = ImmutableDictionary.CreateBuilder<ushort, VirtualServerPlan>();
        foreach ((uint id, VirtualServer entry) in maps.VirtualServers.Entries().Where(pair => pair.Value.Slots > 0))
            plans[(ushort)id] = new(entry, Slots(maps, id, entry.Slots), Members(maps, id, entry.Members), prefixes[(ushort)id].ToImmutableDictionary());
        return plans.ToImmutable();
    }

    private static ImmutableArray<Slot> Slots(DatapathMaps maps, uint id, uint slots)
    {
        using BpfMap<uint, SlotPair>? table = maps.Tables.Inner<uint, SlotPair>(id);
        return table is null ? [] : SlotPair.Slots(table, slots);
    }

    private static ImmutableArray<ushort> Members(DatapathMaps maps, uint id, uint count)
    {
        using BpfMap<uint, uint>? list = maps.Members.Inner<uint, uint>(id);
        return list is null ? [] : [.. list.Entries().OrderBy(pair => pair.Key).Take((int)count).Select(pair => (ushort)pair.Value)];
    }

    // Under {address, ICMP} of whose virtual server it is, an address says its family; here both stand in 16 bytes.
    private static ImmutableDictionary<ushort, IPAddress> ProbeTargets(DatapathMaps maps) =>
        maps.ProbeTargets.Entries().ToImmutableDictionary(pair => (ushort)pair.Key, pair =>
        {
            maps.RealServers.TryGet(pair.Key, out RealServer entry);
            return pair.Value.ToAddress(entry.Family == 4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
        });
}
