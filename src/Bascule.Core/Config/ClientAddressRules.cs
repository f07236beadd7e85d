using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;
using VS = Bascule.Core.Config.VirtualServerSection;

namespace Bascule.Core.Config;

/// <summary>What must hold where a virtual server on the proxy learns or passes on who its clients are.</summary>
internal static class ClientAddressRules
{
    public static void Relate(string name, Fields fields, ProblemList problems)
    {
        ImmutableArray<Placed<ListenAddress>> listeners = VS.Listeners(fields);
        if (!fields.IsBroken(VS.Protocol) && fields.Get(VS.Protocol) == VirtualServerProtocol.Udp)
        {
            foreach (Setting setting in ((Setting[])[VS.ProxyProtocol, VS.Transparent]).Where(fields.IsWritten))
                problems.Add(fields.AtOf(setting), $"`{setting.Name}` is for connections, and `protocol: udp` has none", "remove it");
            return;
        }

        Fields header = fields.Get(VS.ProxyProtocol);
        RefuseOtherFamily(name, ProxyProtocolSection.From.Name, header.FindValue(ProxyProtocolSection.From) ?? [], header.AtOf(ProxyProtocolSection.From), listeners, problems);
        if (fields.FindValue(VS.Transparent) == true)
            RelateTransparent(fields, listeners, problems);
    }

    /// <summary>Complains of prefixes that no client can be in.</summary>
    public static void RefuseOtherFamily(string name, string setting, IEnumerable<IPNetwork> prefixes, Location at, ImmutableArray<Placed<ListenAddress>> listeners, ProblemList problems)
    {
        if (listeners.IsEmpty)
            return;
        foreach (IPNetwork other in prefixes.Where(p => listeners.All(l => p.BaseAddress.AddressFamily != l.Value.Family)))
            problems.Add(at, $"`{setting}` has {other}, but clients of `{name}` have {Show.FamilyOf(listeners[0].Value.Ip)} addresses", "remove it");
    }

    // A client's address can only be taken toward its own family.
    private static void RelateTransparent(Fields fields, ImmutableArray<Placed<ListenAddress>> listeners, ProblemList problems)
    {
        IEnumerable<(IPAddress Ip, Location At)> targets = ForwardRules.RealServers(fields)
            .Where(r => r.IsWritten(RealServerSection.Address) && !r.IsBroken(RealServerSection.Address))
            .Select(r => (r.Get(RealServerSection.Address).Ip, r.AtOf(RealServerSection.Address)));
        if (fields.Find(VS.SorryServer) is { } sorry)
            targets = targets.Append((sorry.Ip, fields.AtOf(VS.SorryServer)));
        foreach ((IPAddress ip, Location at) in targets)
        {
            if (listeners.FirstOrDefault(l => l.Value.Family != ip.AddressFamily)?.Value is { } other)
                problems.Add(at, $"{ip} is {Show.FamilyOf(ip)}, and clients of {other} come with {Show.FamilyOf(other.Ip)} addresses, which it cannot be shown (`transparent`)", "make a virtual server for each family, or leave `transparent` out");
        }
    }
}
