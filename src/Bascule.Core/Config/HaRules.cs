using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using I = Bascule.Core.Config.HaInstanceSection;

namespace Bascule.Core.Config;

/// <summary>What must hold between instances, groups and peers, and between these and the rest of the file.</summary>
internal static class HaRules
{
    /// <summary>What must hold inside <c>ha</c>.</summary>
    public static void Relate(Fields fields, ProblemList problems)
    {
        ImmutableArray<Named> instances = fields.FindValue(HaSection.Instances) ?? [];
        RefuseSameRouter(instances, problems);
        RefuseSameVirtualMac(instances, problems);
        RefuseSharedAddresses(instances, problems);
        RelateGroups(fields, instances, problems);
        RelatePeers(fields, instances, problems);
    }

    /// <summary>What must hold between <c>ha</c> and the rest.</summary>
    public static void RelateToFile(Fields file, ProblemList problems)
    {
        Fields ha = file.Get(RootSection.Ha);
        ImmutableArray<Named> peers = ha.FindValue(HaSection.Peers) ?? [];
        if (!peers.IsEmpty && !file.IsWritten(RootSection.NodeName) && !problems.IsPartial)
            problems.Add(ha.AtOf(HaSection.Peers), "there are peers, and nothing says which of the directors this one is", "add `node: director-1` at the top of the file, with the name under which the others list this one");
        foreach (Named peer in peers.Where(p => p.Name == file.Find(RootSection.NodeName)))
            problems.Add(peer.Fields.At, $"{peer.Name} is this director's own `node`", "list the others only, each under its own `node`");
        foreach (Fields item in (ha.FindValue(HaSection.Instances) ?? []).SelectMany(i => i.Fields.FindValue(I.Track) ?? []))
            RelateTracked(item, file, problems);
    }

    private static void RefuseSameRouter(ImmutableArray<Named> instances, ProblemList problems)
    {
        Dictionary<(string, AddressFamily, int), string> seen = [];
        foreach ((string name, Fields fields) in instances)
        {
            if (fields.Find(I.Interface) is { } on && HaInstanceRules.Family(fields) is { } family && fields.FindValue(I.VirtualRouterId) is { } id && !seen.TryAdd((on, family, id), name))
                problems.Add(fields.AtOf(I.VirtualRouterId), $"`{name}` is virtual router {id} on {on}, and so is `{seen[(on, family, id)]}`", "give one of them another number, the same on all directors");
        }
    }

    // Its macvlan is named after the two, and there can be one interface of a name.
    private static void RefuseSameVirtualMac(ImmutableArray<Named> instances, ProblemList problems)
    {
        Dictionary<(AddressFamily, int), string> seen = [];
        foreach ((string name, Fields fields) in instances.Where(i => i.Fields.FindValue(I.VirtualMac) == true))
        {
            if (HaInstanceRules.Family(fields) is { } family && fields.FindValue(I.VirtualRouterId) is { } id && !seen.TryAdd((family, id), name))
                problems.Add(fields.AtOf(I.VirtualMac), $"`{name}` would have the same virtual MAC as `{seen[(family, id)]}`, on one machine", "give one of them another `virtualRouterId`, the same on all directors");
        }
    }

    private static void RefuseSharedAddresses(ImmutableArray<Named> instances, ProblemList problems)
    {
        Dictionary<IPAddress, string> seen = [];
        foreach ((string name, Fields fields) in instances)
        {
            foreach (Fields address in fields.FindValue(I.Addresses) ?? [])
            {
                if (address.FindValue(HaAddressSection.Address) is { } one && !one.Ip.IsIPv6LinkLocal && !seen.TryAdd(one.Ip, name) && seen[one.Ip] != name)
                    problems.Add(address.AtOf(HaAddressSection.Address), $"{one.Ip} is an address of `{name}` and of `{seen[one.Ip]}`, which may be Active on different directors", "keep it in one of them");
            }
        }
    }

    private static void RelateGroups(Fields fields, ImmutableArray<Named> instances, ProblemList problems)
    {
        Dictionary<string, string> groupOf = [];
        foreach (Group group in fields.FindValue(HaSection.SyncGroups) ?? [])
        {
            foreach (Reference member in group.Members)
            {
                if (instances.FirstOrDefault(i => i.Name == member.Name) is not { } instance)
                    RefuseUnknown(member, "instance", [.. instances.Select(i => i.Name)], fields.IsBroken(HaSection.Instances), problems);
                else if (!groupOf.TryAdd(member.Name, group.Name))
                    problems.Add(member.At, groupOf[member.Name] == group.Name ? $"`{member.Name}` is listed twice" : $"`{member.Name}` is also in the group `{groupOf[member.Name]}`", "an instance is in one group at most, once");
                else
                    RefuseWeights(group, instance, problems);
            }
        }
    }

    // As keepalived: a weight would pull one member away from the others.
    private static void RefuseWeights(Group group, Named instance, ProblemList problems)
    {
        foreach (Fields item in instance.Fields.FindValue(I.Track) ?? [])
        {
            if (item.IsBroken(HaTrackSection.Weight))
                continue;
            if (item.FindValue(HaTrackSection.Weight) is { } weight ? weight != 0 : item.IsWritten(HaTrackSection.File))
                problems.Add(item.IsWritten(HaTrackSection.Weight) ? item.AtOf(HaTrackSection.Weight) : item.At, $"`{instance.Name}` moves with the group `{group.Name}`, and a weight would change its priority alone", "write `weight: 0`, with which the whole group gives up, or take it out of the group");
        }
    }

    private static void RelatePeers(Fields fields, ImmutableArray<Named> instances, ProblemList problems)
    {
        ImmutableArray<Named> peers = fields.FindValue(HaSection.Peers) ?? [];
        Dictionary<IPAddress, string> virtualOnes = [];
        foreach ((string name, Fields instance) in instances)
        {
            foreach (IPAddress ip in (instance.FindValue(I.Addresses) ?? []).Select(a => a.FindValue(HaAddressSection.Address)?.Ip).OfType<IPAddress>())
                virtualOnes.TryAdd(ip, name);
        }

        Dictionary<IPAddress, string> seen = [];
        foreach ((string name, Fields peer) in peers)
        {
            foreach (IPAddress ip in (peer.FindValue(HaPeerSection.Addresses) ?? []).Distinct())
            {
                if (!seen.TryAdd(ip, name))
                    problems.Add(peer.AtOf(HaPeerSection.Addresses), $"{ip} is an address of `{name}` and of `{seen[ip]}`", "each peer has addresses of its own");
                if (virtualOnes.TryGetValue(ip, out string? instance))
                    problems.Add(peer.AtOf(HaPeerSection.Addresses), $"{ip} is an address of `{instance}` that moves, so it leads to whoever is Active", "list the peer's own addresses");
            }
        }

        if (peers.IsEmpty && !fields.IsBroken(HaSection.Peers) && fields.FindValue(HaSection.ShareConfiguration) == true)
            problems.Add(fields.AtOf(HaSection.ShareConfiguration), "`shareConfiguration` is on, and there is no peer to share with", "add `peers`, or remove it");
    }

    private static void RelateTracked(Fields item, Fields file, ProblemList problems)
    {
        ImmutableArray<Named> virtualServers = file.FindValue(RootSection.VirtualServers) ?? [];
        foreach (Reference tracked in item.FindValue(HaTrackSection.VirtualServers) ?? [])
        {
            if (virtualServers.FirstOrDefault(v => v.Name == tracked.Name) is not { } virtualServer)
                RefuseUnknown(tracked, "virtual server", [.. virtualServers.Select(v => v.Name)], file.IsBroken(RootSection.VirtualServers), problems);
            else if (item.FindValue(HaTrackSection.AtLeast) is { } least && virtualServer.Fields.FindValue(VirtualServerSection.RealServers) is { Length: > 0 } realServers && least > realServers.Length)
                problems.Add(item.AtOf(HaTrackSection.AtLeast), $"`{tracked.Name}` has {realServers.Length} real servers, so {least} of them are never up", $"write at most {realServers.Length}");
        }
    }

    private static void RefuseUnknown(Reference reference, string kind, ImmutableArray<string> known, bool isBroken, ProblemList problems)
    {
        // Where names could not be read, the missing one may be among them.
        if (problems.IsPartial || isBroken)
            return;
        string? meant = Nearest.To(reference.Name, known);
        problems.Add(reference.At, $"there is no {kind} {Show.Quoted(reference.Name)}", meant is not null ? $"did you mean `{Show.Safe(meant)}`?" : $"there are: {string.Join(", ", known.Take(20).Select(Show.Safe))}");
    }
}
