using System.Collections.Immutable;
using Bascule.Core.Model;
using VS = Bascule.Core.Config.VirtualServerSection;

namespace Bascule.Core.Config;

/// <summary>What must hold between how a virtual server is forwarded and its other settings.</summary>
internal static class ForwardRules
{
    private static readonly ImmutableArray<Setting> OnlyDatapath = [VS.ExpireNoDestination, VS.Allow, VS.Deny, VS.Rates, VS.FlowTimeouts];

    /// <summary>Whether the virtual server is on the datapath; null when it cannot be told, or it would be on both sides.</summary>
    public static bool? IsOnDatapath(Fields fields)
    {
        bool? own = fields.IsBroken(VS.Forward) ? null : ForwardSection.IsDatapath(fields.Get(VS.Forward));
        if (own is null)
            return null;
        bool?[] all = [.. RealServers(fields).Select(r => r.IsBroken(RealServerSection.Forward) ? null
            : r.IsWritten(RealServerSection.Forward) ? ForwardSection.IsDatapath(r.Get(RealServerSection.Forward)) : own)];
        bool side = fields.IsWritten(VS.Forward) || all.Length == 0 ? own.Value : all[0] ?? own.Value;
        return all.All(a => a == side) ? side : null;
    }

    public static void Relate(string name, Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(VS.Protocol))
            RelateDatagrams(name, fields, problems);
        switch (IsOnDatapath(fields))
        {
            case true:
                DatapathRules.Relate(name, fields, problems);
                break;
            case false:
                RelateProxied(name, fields, problems);
                break;
            case null:
                RefuseMixed(name, fields, problems);
                break;
        }
    }

    /// <summary>How a real server is reached; null where what is written is broken.</summary>
    public static Forwarding? Of(Fields realServer, Fields virtualServer)
    {
        Fields said = realServer.IsWritten(RealServerSection.Forward) ? realServer.Get(RealServerSection.Forward) : virtualServer.Get(VS.Forward);
        return ForwardSection.IsDatapath(said) is null ? null : ForwardSection.Meant(said);
    }

    /// <summary>Fallback servers at the end.</summary>
    public static ImmutableArray<Fields> RealServers(Fields fields) => [.. fields.FindValue(VS.RealServers) ?? [], .. fields.FindValue(VS.FallbackServers) ?? []];

    private static void RefuseMixed(string name, Fields fields, ProblemList problems)
    {
        if (fields.IsBroken(VS.Forward) || ForwardSection.IsDatapath(fields.Get(VS.Forward)) is not { } own)
            return;
        foreach (Fields realServer in RealServers(fields).Where(r => r.IsWritten(RealServerSection.Forward) && !r.IsBroken(RealServerSection.Forward)))
        {
            if (ForwardSection.IsDatapath(realServer.Get(RealServerSection.Forward)) is not { } side || side == own)
                continue;
            problems.Add(realServer.AtOf(RealServerSection.Forward), own
                    ? $"this real server is on the proxy, and `{name}` is on the packet datapath; a virtual server is wholly on one of them"
                    : $"this real server is on the packet datapath, and others of `{name}` are on the proxy; a virtual server is wholly on one of them",
                own ? "write `nat`, `dr` or `tun`, or move it to a virtual server of its own" : "write `forward: nat`, `dr` or `tun` for the virtual server, or move it to a virtual server of its own");
            return; // the rest is the same sentence
        }
    }

    private static void RelateDatagrams(string name, Fields fields, ProblemList problems)
    {
        bool isUdp = fields.Get(VS.Protocol) == VirtualServerProtocol.Udp;
        if (isUdp && !fields.IsWritten(VS.Check) && !problems.IsPartial && !RealServers(fields).All(r => r.IsWritten(RealServerSection.Check)))
            problems.Add(fields.At, $"`{name}` is for UDP and has no `check`; the default one asks for a TCP connection", "write `check: { type: udp, payload: … }`, `check: tcp` if its real servers take TCP there too (as DNS does), `check: ping`, or `check: none`");
        if (fields.FindValue(VS.OnePacket) == true && !isUdp)
            problems.Add(fields.AtOf(VS.OnePacket), "`onePacket` is for `protocol: udp`; the packets of a connection belong together", "remove it");
    }

    private static void RelateProxied(string name, Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(VS.Protocol))
            TimeoutsSection.RefuseUnused(fields.Get(VS.Timeouts), fields.Get(VS.Protocol), fields.Get(VS.ProxyProtocol).IsWritten(ProxyProtocolSection.From), problems);
        ClientAddressRules.Relate(name, fields, problems);
        foreach ((_, Location at) in VS.Listeners(fields).Where(l => l.Value.IsEveryPort))
            problems.Add(at, $"`{name}` is for every port, and the proxy listens on one", "write the port or a range, or `forward: nat`, `dr` or `tun`");
        foreach (Setting setting in OnlyDatapath.Where(fields.IsWritten))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` does nothing for a virtual server on the proxy", "remove it, or write `forward: nat`, `dr` or `tun`");
    }
}
