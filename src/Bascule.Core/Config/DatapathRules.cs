using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Config.Checks;
using Bascule.Core.Model;
using VS = Bascule.Core.Config.VirtualServerSection;

namespace Bascule.Core.Config;

/// <summary>What must hold for a virtual server on the packet datapath.</summary>
internal static class DatapathRules
{
    /// <summary>bpf/types.h: MAX_MEMBERS.</summary>
    private const int MostCountedRealServers = 512;

    /// <summary>A machine that packets are sent to, with how and where that is written.</summary>
    private readonly record struct Target(WrittenAddress Address, Location At, Forwarding? Forwarding, string What);

    public static void Relate(string name, Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(VS.Timeouts))
            problems.Add(fields.AtOf(VS.Timeouts), "`timeouts` are the proxy's; they do nothing on the packet datapath", "remove them, or write `flowTimeouts`");
        if (fields.IsWritten(VS.ProxyProtocol))
            problems.Add(fields.AtOf(VS.ProxyProtocol), "`proxyProtocol` is the proxy's; the packet datapath leaves connections as they are", "remove it, or write `forward: proxy`");
        if (fields.IsWritten(VS.Transparent))
            problems.Add(fields.AtOf(VS.Transparent), "`transparent` is the proxy's; on the packet datapath real servers see the client's address anyway, but for full nat", "remove it");
        if (fields.IsWritten(VS.PassiveCheck))
            problems.Add(fields.AtOf(VS.PassiveCheck), "`passiveCheck` is the proxy's; the packet datapath does not read answers", "remove it, or write `forward: proxy`");
        if (!fields.IsBroken(VS.Protocol))
            RelateProtocol(fields, fields.Get(VS.Protocol), problems);
        RefuseTooMany(fields, problems);
        if (fields.IsWritten(VS.SorryServer) && !fields.IsWritten(VS.Forward))
            problems.Add(fields.AtOf(VS.SorryServer), "nothing says how the sorry server is reached: only real servers have a `forward`", "write `forward` for the virtual server");
        if (VS.Listeners(fields) is { IsEmpty: false } listeners)
            RelateAddresses(name, fields, listeners, problems);
    }

    private static void RelateProtocol(Fields fields, VirtualServerProtocol protocol, ProblemList problems)
    {
        if (protocol == VirtualServerProtocol.Http)
            problems.Add(fields.AtOf(VS.Protocol), "`protocol: http` is for the proxy; the packet datapath switches packets, not requests", "write `protocol: tcp`, or `forward: proxy`");
        if (fields.FindValue(VS.OnePacket) == true && protocol == VirtualServerProtocol.Udp && ForwardRules.RealServers(fields).Any(r => ForwardRules.Of(r, fields) is NatForwarding))
            problems.Add(fields.AtOf(VS.OnePacket), "`onePacket` records nothing, and nat finds the way back by what it has recorded", "write `forward: dr` or `tun`, or remove `onePacket`");
        FlowTimeoutsSection.RefuseUnused(fields.Get(VS.FlowTimeouts), protocol, problems);
    }

    private static void RefuseTooMany(Fields fields, ProblemList problems)
    {
        ImmutableArray<Fields> realServers = ForwardRules.RealServers(fields);
        if (realServers.Length <= MostCountedRealServers || fields.IsBroken(VS.Scheduler) || fields.Get(VS.Scheduler).IsBroken(SchedulerSection.Type)
            || SchedulerSection.IsByTable(fields.Get(VS.Scheduler).Get(SchedulerSection.Type)))
            return;
        problems.Add(realServers[MostCountedRealServers].At, $"this is more than the {MostCountedRealServers} real servers among which the datapath counts connections", "write `scheduler: mh`, which has no such bound, or make two virtual servers of it");
    }

    private static void RelateAddresses(string name, Fields fields, ImmutableArray<Placed<ListenAddress>> listeners, ProblemList problems)
    {
        foreach ((_, Location at) in listeners.Where(l => l.Value.IsEveryPort && l.Value.IsEveryAddress))
            problems.Add(at, $"`{name}` would take every packet there is, also those to the director itself", "write the port, or the address");
        if (listeners[0].Value.IsEveryPort && HasCheckWithoutPort(fields))
            problems.Add(fields.At, $"`{name}` is for every port, so its check does not know which to ask", "write `check: { type: tcp, port: … }`, or `check: none`");
        foreach (Target target in Targets(fields))
            Relate(target, listeners, problems);
        foreach (Setting<ImmutableArray<IPNetwork>> list in (Setting<ImmutableArray<IPNetwork>>[])[VS.Allow, VS.Deny])
            ClientAddressRules.RefuseOtherFamily(name, list.Name, fields.FindValue(list) ?? [], fields.AtOf(list), listeners, problems);

        foreach (IPNetwork both in (fields.FindValue(VS.Allow) ?? []).Intersect(fields.FindValue(VS.Deny) ?? []))
            problems.Add(fields.AtOf(VS.Deny), $"{both} is both in `allow` and in `deny`", "keep one; of different prefixes the longer decides");
    }

    private static bool HasCheckWithoutPort(Fields fields) =>
        !fields.IsBroken(VS.Check) && ForwardRules.RealServers(fields).Any(r => !r.IsBroken(RealServerSection.Check)
            && CheckSection.NeedsPort(r.IsWritten(RealServerSection.Check) ? r.Get(RealServerSection.Check) : fields.Get(VS.Check)));

    private static void Relate(Target target, ImmutableArray<Placed<ListenAddress>> listeners, ProblemList problems)
    {
        IPAddress ip = target.Address.Ip;
        if (IPAddress.IsLoopback(ip))
            problems.Add(target.At, $"{ip} is a loopback address, and no packet may leave for it", "write an address of one of the machine's interfaces");
        bool isMixed = listeners.Any(l => l.Value.Family == ip.AddressFamily);
        ListenAddress? ofOtherFamily = listeners.FirstOrDefault(l => l.Value.Family != ip.AddressFamily)?.Value;
        switch (target.Forwarding)
        {
            case TunnelForwarding { Sources: { } sources } when sources.BaseAddress.AddressFamily != ip.AddressFamily:
                problems.Add(target.At, $"the tunnel to {ip} is {Show.FamilyOf(ip)}, but its source {sources} is {Show.FamilyOf(sources.BaseAddress)}", "give this real server a `forward` of its own, with a source of its family");
                break;
            case TunnelForwarding:
                break;
            case NatForwarding { Full: { } full } when ofOtherFamily is null && full.Source.AddressFamily != ip.AddressFamily:
                problems.Add(target.At, $"packets to {ip} are {Show.FamilyOf(ip)}, but `source: {full.Source}` is {Show.FamilyOf(full.Source)}", "write a source of the same family");
                break;
            case not null when ofOtherFamily is not null:
                string clients = listeners.Length == 1 ? "clients" : $"clients of {ofOtherFamily}";
                problems.Add(target.At, $"{ip} is {Show.FamilyOf(ip)}, and {clients} come with {Show.FamilyOf(ofOtherFamily.Ip)}; only a tunnel leads from one to the other", $"write `forward: {{ tun: ipip }}` for this {target.What}, or {(isMixed ? "make a virtual server for each family" : $"{Show.FamilyOf(ofOtherFamily.Ip)} addresses of it")}");
                break;
        }

        if (target.Address.Port is { } own)
            RelatePort(target, own, listeners, problems);
    }

    private static void RelatePort(Target target, int own, ImmutableArray<Placed<ListenAddress>> listeners, ProblemList problems)
    {
        bool isEveryPort = listeners.Any(l => l.Value.IsEveryPort);
        bool isRewritten = target.Forwarding is NatForwarding;
        if (isEveryPort || (!isRewritten && listeners.Any(l => l.Value.FirstPort != own || l.Value.LastPort != own)))
        {
            problems.Add(target.At, isEveryPort ? $"the virtual server is for every port, so {target.Address.WithPort(own)} cannot have one" : $"direct routing and tunnels leave packets as they are, so the port cannot become {own}",
                $"leave the port of this {target.What} out{(isEveryPort ? "" : ", or write `forward: nat`")}");
        }
    }

    private static IEnumerable<Target> Targets(Fields fields)
    {
        foreach (Fields realServer in ForwardRules.RealServers(fields))
        {
            if (realServer.Find(RealServerSection.Address) is { } address)
                yield return new(address, realServer.AtOf(RealServerSection.Address), ForwardRules.Of(realServer, fields), "real server");
        }

        if (fields.Find(VS.SorryServer) is { } sorry && fields.IsWritten(VS.Forward))
            yield return new(sorry, fields.AtOf(VS.SorryServer), ForwardSection.Meant(fields.Get(VS.Forward)), "sorry server");
    }
}
