using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using I = Bascule.Core.Config.HaInstanceSection;

namespace Bascule.Core.Config;

/// <summary>What is allowed and most likely not wanted, where directors share addresses.</summary>
internal static class HaWarnings
{
    /// <summary>Below it nftables would be written too often for what it gains.</summary>
    private static readonly TimeSpan ShortestGate = TimeSpan.FromMilliseconds(20);

    /// <summary>All of them, in the order of the file.</summary>
    public static ImmutableArray<Problem> Of(Fields file, Configuration meant)
    {
        if (meant.Ha is not { } ha)
            return [];
        ProblemList warnings = new();
        Fields section = file.Get(RootSection.Ha);
        ImmutableArray<Named> instances = section.Get(HaSection.Instances);
        for (int i = 0; i < instances.Length; i++)
            WarnOf(ha.Instances[i], instances[i].Fields, meant, warnings);
        WarnOfPeers(ha, section, meant, warnings);
        WarnOfGroups(ha, section, warnings);
        WarnOfAddressesElsewhere(file, meant, ha, warnings);
        return warnings.Sorted();
    }

    private static void WarnOf(HaInstance instance, Fields written, Configuration meant, ProblemList warnings)
    {
        WarnOfLongLease(instance, written, warnings);
        WarnOfElection(instance, written, warnings);
        VirtualAddress first = instance.Addresses.First(a => !a.IsExcluded);
        if (first.Address.AddressFamily == AddressFamily.InterNetworkV6 && !first.Address.IsIPv6LinkLocal)
            warnings.Add(written.AtOf(I.Addresses), $"the first address of `{instance.Name}` is not link-local, as RFC 9568 §5.2.9 has it for IPv6, and other makes of router may not take its messages", "write one such as \"fe80::10/64\" first, the same on all directors");
        WarnOfUse(instance, written, meant, warnings);
    }

    private static void WarnOfLongLease(HaInstance instance, Fields written, ProblemList warnings)
    {
        // The other director waits at least so long; its skew comes on top of it, and is none for a high priority.
        TimeSpan silence = instance.MissedAdvertisements * instance.AdvertInterval;
        if (instance.Gate is { } gate)
        {
            if (gate >= silence)
                warnings.Add(written.AtOf(I.Gate), $"`{instance.Name}` is let through for {Text(gate)} after this director has died, and another may have its addresses after {Text(silence)}", GateHint(silence));
            return;
        }

        Location at = written.AtOf(written.IsWritten(I.Lease) ? I.Lease : I.AdvertInterval);
        if (instance.Lease is not { } lease)
            warnings.Add(at, $"a director that is killed keeps the addresses of `{instance.Name}` for ever, beside the one that takes them over", "remove `lease: off`, or write a `gate`");
        else if (lease >= silence)
            warnings.Add(at, $"a director that is killed keeps the addresses of `{instance.Name}` for {Text(lease)}, and another may have them after {Text(silence)}: both answer in between", GateHint(silence));
    }

    private static string GateHint(TimeSpan silence)
    {
        TimeSpan gate = TimeSpan.FromMilliseconds(10 * Math.Floor(silence.TotalMilliseconds * 5 / 60));
        return gate < ShortestGate ? "lengthen `advertInterval`" : $"write `gate: {Text(gate)}`, or lengthen `advertInterval`";
    }

    private static void WarnOfElection(HaInstance instance, Fields written, ProblemList warnings)
    {
        if (!written.IsWritten(I.Priority))
            warnings.Add(written.At, $"`{instance.Name}` has no `priority`, so it has everybody's, {instance.Priority}: of two such directors the higher IP address wins", "write `priority: 150` on the director that is to be Active, and a lower one on the other");
        if (!instance.Preempts && instance.PreemptDelay > TimeSpan.Zero)
            warnings.Add(written.Get(I.Preempt).AtOf(HaPreemptSection.Delay), "`delay` does nothing without preemption", "remove it, or write `preempt: { delay: … }` alone");
        if (!instance.Preempts && instance.Priority == byte.MaxValue)
            warnings.Add(written.AtOf(I.Preempt), "priority 255 says that the addresses are this machine's own, and their owner always takes them (RFC 9568 §6.1)", "write a priority below 255, or remove `preempt`");
    }

    private static void WarnOfUse(HaInstance instance, Fields written, Configuration meant, ProblemList warnings)
    {
        ImmutableArray<VirtualServer> users = [.. meant.VirtualServers.Where(v => instance.Addresses.Any(a => Serves(v, a.Address)))];
        // An address that real servers have as their router moves with one that clients use.
        if (users.IsEmpty && !meant.Ha!.SyncGroups.Any(g => g.Instances.Contains(instance.Name)))
            warnings.Add(written.AtOf(I.Addresses), $"no virtual server has an address of `{instance.Name}`, so whoever is Active has nothing to answer there", "give a virtual server one of them, or check both addresses for typing errors");
        if (!instance.Accepts && users.FirstOrDefault(v => v.IsProxied && v.Addresses.Any(a => instance.Addresses.Any(i => i.Address.Equals(a.Ip)))) is { } refused)
            warnings.Add(written.AtOf(I.Accept), $"`accept: false` drops what is sent to the addresses of `{instance.Name}`, and `{refused.Name}` is on the proxy, which waits for it there", "remove `accept`");
    }

    private static bool Serves(VirtualServer virtualServer, IPAddress address) =>
        virtualServer.Addresses.Any(a => a.Ip.Equals(address) || (a.IsEveryAddress && a.Family == address.AddressFamily));

    private static void WarnOfPeers(HaSettings ha, Fields section, Configuration meant, ProblemList warnings)
    {
        foreach ((HaPeer peer, Named written) in ha.Peers.Zip(section.FindValue(HaSection.Peers) ?? []))
        {
            if (peer.Addresses.Count == 1)
                warnings.Add(written.Fields.AtOf(HaPeerSection.Addresses), $"heartbeats to `{peer.Name}` have one way only, so a broken cable looks like a dead director", "add its address on another network that both are on");
        }

        if (meant.Packets?.HashKey is SharedHashKey && ha.Peers.Select(p => p.Key).Distinct().Count() > 1)
            warnings.Add(section.AtOf(HaSection.Peers), "peers have different keys, and nothing says which of them the datapath's hash follows from: directors may send the same client to different real servers", "write `packets: { hashKey: { file: /etc/bascule/hash.key } }`, the same on all directors");
        if (meant.VirtualServers.Any(v => v.Persistence is CookiePersistence) && ha.Peers.Select(p => p.Key).Distinct().Count() > 1)
            warnings.Add(section.AtOf(HaSection.Peers), "peers have different keys, and persistence cookies are signed with one that follows from them: after a takeover clients may be scheduled anew", "give all directors the same key");
        if (ha.Peers.Count > 0 && ha.HeartbeatInterval is { } interval && ha.Instances.Min(i => i.AdvertInterval) is var shortest && interval > shortest)
            warnings.Add(section.AtOf(HaSection.HeartbeatInterval), $"heartbeats are rarer than advertisements ({Text(shortest)}), so they cannot stand in for lost ones", "leave `heartbeatInterval` out");
    }

    private static void WarnOfGroups(HaSettings ha, Fields section, ProblemList warnings)
    {
        foreach ((SyncGroup group, Group written) in ha.SyncGroups.Zip(section.FindValue(HaSection.SyncGroups) ?? []))
        {
            ImmutableArray<HaInstance> members = [.. ha.Instances.Where(i => group.Instances.Contains(i.Name))];
            Location at = written.Members[0].At;
            if (members.Length == 1)
                warnings.Add(at, $"the group `{group.Name}` has one instance, so it moves nothing together", "add the others, or remove the group");
            if (members.Select(m => m.Priority).Distinct().Count() > 1)
                warnings.Add(at, $"the instances of `{group.Name}` move together, and their priorities differ ({string.Join(", ", members.Select(m => m.Priority).Distinct())}): the director with the highest for one may not have it for another", "give them the same priority");
        }
    }

    private static void WarnOfAddressesElsewhere(Fields file, Configuration meant, HaSettings ha, ProblemList warnings)
    {
        HashSet<IPAddress> moving = [.. ha.Instances.SelectMany(i => i.Addresses).Select(a => a.Address)];
        foreach ((VirtualServer virtualServer, Named written) in meant.VirtualServers.Zip(file.Get(RootSection.VirtualServers)))
        {
            foreach ((ListenAddress listener, Location at) in VirtualServerSection.Listeners(written.Fields).DistinctBy(l => l.Value.Ip))
            {
                IPAddress ip = listener.Ip;
                if (!listener.IsEveryAddress && !IPAddress.IsLoopback(ip) && !moving.Contains(ip))
                    warnings.Add(at, $"`{virtualServer.Name}` has an address that no instance has, so no other director takes it over", $"add {ip} to the `addresses` of an instance, if it is not this machine's alone");
            }
        }
    }

    private static string Text(TimeSpan time) => new DurationForm(TimeSpan.Zero, TimeSpan.MaxValue).Write(time);
}
