using System.Collections.Immutable;
using System.Net;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Plan;

/// <summary>
/// What to write, and in which order, to get from one plan to another while packets arrive: a packet at any moment finds only what is complete.
/// </summary>
/// <remarks>
/// New real servers first, then the tables and lists that name them, then the virtual servers those belong to, then the swap of the service. Only
/// then what takes away: services that went, real servers that fell out (their slots are taken already), virtual servers nobody names.
/// </remarks>
public static class PlanDifference
{
    /// <summary>The steps from <paramref name="before"/> to <paramref name="after"/>; empty when they are the same.</summary>
    public static ImmutableArray<MapChange> Between(PacketPlan before, PacketPlan after)
    {
        List<MapChange> early = [], late = [];
        foreach ((ushort id, RealServer entry) in after.RealServers.OrderBy(pair => pair.Key))
        {
            if (!before.RealServers.TryGetValue(id, out RealServer old) || old != entry)
                (TakesFlows(entry) ? early : late).Add(new PutRealServer(id, entry));
        }

        return
        [
            .. early,
            .. after.VirtualServers.OrderBy(pair => pair.Key).SelectMany(pair => Changes(pair.Key, before.VirtualServers.GetValueOrDefault(pair.Key), pair.Value)),
            .. after.ProbeTargets.Where(pair => !before.ProbeTargets.TryGetValue(pair.Key, out IPAddress? old) || !old.Equals(pair.Value))
                .Select(pair => new PutProbeTarget(pair.Key, pair.Value)),
            .. after.Services.Where(pair => !before.Services.TryGetValue(pair.Key, out ushort old) || old != pair.Value).Select(pair => new PutService(pair.Key, pair.Value)),
            .. before.Services.Keys.Where(key => !after.Services.ContainsKey(key)).Select(key => new RemoveService(key)),
            .. late,
            .. before.ProbeTargets.Keys.Where(id => !after.ProbeTargets.ContainsKey(id)).Select(id => new RemoveProbeTarget(id)),
            .. before.VirtualServers.Where(pair => !after.VirtualServers.ContainsKey(pair.Key)).SelectMany(pair => Removal(pair.Key, pair.Value)),
            .. before.RealServers.Keys.Where(id => !after.RealServers.ContainsKey(id)).Select(id => new PutRealServer(id, default)),
        ];
    }

    private static IEnumerable<MapChange> Changes(ushort id, VirtualServerPlan? before, VirtualServerPlan after)
    {
        if (before is null || !before.Members.SequenceEqual(after.Members))
            yield return new PutMembers(id, after.Members);
        // The engine keeps the array when no slot changed, so comparing references is enough; a false alarm would only cost a swap.
        if (before is null || before.Slots != after.Slots)
            yield return new PutTable(id, after.Slots);
        // Before the entry, whose flag has them looked at; and those that let in before those that keep out.
        foreach ((IPNetwork prefix, PrefixRule rule) in after.Prefixes.OrderBy(pair => pair.Value))
        {
            if (before is null || !before.Prefixes.TryGetValue(prefix, out PrefixRule old) || old != rule)
                yield return new PutPrefix(id, prefix, rule);
        }

        if (before is null || before.Entry != after.Entry)
            yield return new PutVirtualServer(id, after.Entry);
        foreach (IPNetwork prefix in before?.Prefixes.Keys.Where(prefix => !after.Prefixes.ContainsKey(prefix)) ?? [])
            yield return new RemovePrefix(id, prefix);
    }

    private static IEnumerable<MapChange> Removal(ushort id, VirtualServerPlan gone) =>
        [new RemoveVirtualServer(id), .. gone.Prefixes.Keys.Select(prefix => new RemovePrefix(id, prefix))];

    private static bool TakesFlows(in RealServer entry) =>
        entry.Flags.HasFlag(RealServerFlag.Up) && !entry.Flags.HasFlag(RealServerFlag.Gone) && entry.Weight > 0;
}
