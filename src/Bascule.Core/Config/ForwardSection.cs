using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>How what a client sends reaches a real server.</summary>
internal static class ForwardSection
{
    /// <summary>What a single word can say.</summary>
    internal enum Word
    {
        Proxy,
        Nat,
        DirectRouting,
        Tunnel,
    }

    /// <summary>Kinds of NAT beside the one that <c>nat</c> alone means.</summary>
    internal enum NatKind
    {
        Full,
    }

    public static readonly Setting<Word> Method = new("method", new ChoiceForm<Word>(
        new("proxy", Word.Proxy, "The director accepts the connection and opens another to the real server: not on the datapath.", "relay", "user"),
        new("nat", Word.Nat, "Destination address and port are rewritten. Answers come back through the director, so it must be the real server's router.", "masq", "m", "masquerading"),
        new("dr", Word.DirectRouting, "Only the destination MAC is rewritten. Real servers are on a network of the director's and answer clients themselves.", "route", "gate", "g", "direct", "dsr"),
        new("tun", Word.Tunnel, "As `{ tun: ipip }`.", "tunnel", "ipip", "i")))
    {
        Doc = "The method, where one word says all.",
        Default = Word.Proxy,
        Source = "ours; works without root and without touching real servers or routes",
        Example = "method: dr",
    };

    public static readonly Setting<TunnelKind> Tun = new("tun", new ChoiceForm<TunnelKind>(
        new("ipip", TunnelKind.Ipip, "IP in IP (RFC 2003, RFC 2473): 20 or 40 bytes more."),
        new("gue", TunnelKind.Gue, "The bare IP packet in UDP: 28 or 48 bytes more; its port spreads the real server's receive queues.", "fou", "udp"),
        new("gre", TunnelKind.Gre, "GRE without a key (RFC 2784): 24 or 44 bytes more.")))
    {
        Doc = "Put each packet into another to the real server, which takes it out (`bascule decap`) and answers the client itself. It may be anywhere.",
        Otherwise = "not a tunnel",
        Source = "ipvsadm: --tun-type belongs to -i",
        Example = "tun: ipip",
        AlsoCalled = ["tunnel", "type", "tun-type"],
    };

    public static readonly Setting<NatKind> Nat = new("nat", new ChoiceForm<NatKind>(
        new Choice<NatKind>("full", NatKind.Full, "The source is rewritten too, so real servers need no route back and see `source` as the client.", "snat", "both", "fullnat")))
    {
        Doc = "A kind of NAT that takes more than one word.",
        Otherwise = "no NAT, or the plain one of `forward: nat`",
        Source = "IPVS: -m rewrites the destination only",
        Example = "nat: full",
    };

    public static readonly Setting<int> Port = new("port", new CountForm(1, 65_535))
    {
        Doc = "gue: UDP port on which real servers take the packets.",
        Default = 6080,
        Source = "IANA: gue",
        Example = "port: 6080",
        AlsoCalled = ["tun-port"],
    };

    public static readonly Setting<IPAddress> Source = new("source", new IpForm())
    {
        Doc = "Source address that real servers see: of the outer packet (tun), or in place of the client's (nat: full; required there).",
        Otherwise = "tun: the director's address on the way to the real server",
        Source = "the kernel's own choice for such a packet",
        Example = "source: 10.0.0.1",
        AlsoCalled = ["outerSource", "local", "snat"],
    };

    public static readonly Setting<IPNetwork> Sources = new("sources", new PrefixForm())
    {
        Doc = "tun: source addresses of the outer packet. The bits after the prefix come from the flow, so that the real server's receive queues share the work. Nothing answers to them; a router that checks sources must let them pass.",
        Otherwise = "one, `source`",
        Source = "katran: 172.16.0.0/16 for the same purpose",
        Example = "sources: 172.16.0.0/16",
    };

    public static readonly Setting<PortRange> Ports = new("ports", new PortRangeForm())
    {
        Doc = "nat: full: source ports to choose from. Each real server port can have so many flows at a time.",
        Default = new(1024, 32767),
        Source = "ours; below net.ipv4.ip_local_port_range, so that no connection of the director's own has one of them",
        Example = "ports: 1024-32767",
    };

    public static readonly Section Section = new("forward", Method, Tun, Nat, Port, Source, Sources, Ports)
    {
        Doc = "How what a client sends reaches a real server: `proxy`, `nat`, `dr` or `tun`, or a map when more is to be said. All but `proxy` are the packet datapath, which needs `packets` at the top of the file.",
        Place = "in `forward` of a virtual server or a real server",
        Short = Method,
        Rule = Relate,
    };

    private static readonly ImmutableArray<Setting> Methods = [Method, Tun, Nat];

    public static Forwarding Meant(Fields fields)
    {
        if (fields.FindValue(Tun) is { } kind)
            return Tunnel(kind, fields);
        if (fields.IsWritten(Nat))
            return new NatForwarding(Full(fields));
        return fields.Get(Method) switch
        {
            Word.Proxy => Forwarding.Proxy,
            Word.Nat => new NatForwarding(Full: null),
            Word.DirectRouting => new DirectRouting(),
            Word.Tunnel => Tunnel(TunnelKind.Ipip, fields),
        };
    }

    /// <summary>Whether it puts the real server on the datapath; null where what is written is broken.</summary>
    public static bool? IsDatapath(Fields fields) =>
        Methods.Any(fields.IsBroken) ? null : fields.IsWritten(Tun) || fields.IsWritten(Nat) || fields.Get(Method) != Word.Proxy;

    private static TunnelForwarding Tunnel(TunnelKind kind, Fields fields) =>
        new(kind, kind == TunnelKind.Gue ? fields.Get(Port) : 0, fields.FindValue(Sources) ?? (fields.Find(Source) is { } one ? new IPNetwork(one, one.GetAddressBytes().Length * 8) : null));

    private static FullNat? Full(Fields fields) =>
        fields.Find(Source) is { } source ? new(source, fields.Get(Ports).First, fields.Get(Ports).Last) : null;

    private static void Relate(string name, Fields fields, ProblemList problems)
    {
        Setting[] said = [.. Methods.Where(fields.IsWritten)];
        if (said.Length == 0)
            problems.Add(fields.At, $"`{name}` names no method", "write `nat`, `dr`, `{ tun: ipip }`, `{ nat: full, source: 10.0.0.1 }`, or leave it out");
        foreach (Setting second in said.Skip(1))
            problems.Add(fields.AtOf(second), $"`{second.Name}` and `{said[0].Name}` name two methods", "keep one of them");
        if (said.Length != 1 || fields.IsBroken(said[0]))
            return;

        bool isTunnel = fields.IsWritten(Tun) || (fields.IsWritten(Method) && fields.Get(Method) == Word.Tunnel);
        bool isFullNat = fields.IsWritten(Nat);
        Refuse(Port, fields.FindValue(Tun) is TunnelKind.Gue, "only `tun: gue` has a port");
        Refuse(Source, isTunnel || isFullNat, "only a tunnel and `nat: full` have a source of their own");
        Refuse(Sources, isTunnel, "only a tunnel has several sources");
        Refuse(Ports, isFullNat, "only `nat: full` takes source ports");
        if (isTunnel && fields.IsWritten(Source) && fields.IsWritten(Sources))
            problems.Add(fields.AtOf(Sources), "`sources` and `source` say the same thing twice", "keep one of them");
        if (isFullNat && !fields.IsWritten(Source) && !problems.IsPartial)
            problems.Add(fields.At, "`nat: full` does not say which source real servers see", "add `source: ` and an address of this machine that is on the real servers' side");

        void Refuse(Setting setting, bool isUsed, string why)
        {
            if (fields.IsWritten(setting) && !isUsed)
                problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing here: {why}", "remove it");
        }
    }
}
