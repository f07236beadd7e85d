using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>An address that moves.</summary>
internal static class HaAddressSection
{
    public static readonly Setting<PrefixedAddress> Address = new("address", new PrefixedAddressForm())
    {
        Doc = "The address that clients use, with the prefix length of its network. Without a length it is alone (/32, /128).",
        Example = "address: 192.0.2.10/24",
        AlsoCalled = ["ip", "vip"],
    };

    public static readonly Setting<string> Label = new("label", new TextForm("the name of the interface with a colon and a suffix", PathForms.LongestInterface, LabelText))
    {
        Doc = "As `ip address` shows it: the interface's name, or that with a colon and a suffix. IPv4 only; at most 15 characters.",
        Otherwise = "the interface's name",
        Source = "ip-address(8)",
        Example = "label: \"eth0:web\"",
    };

    public static readonly Setting<string> Interface = new("interface", PathForms.Interface)
    {
        Doc = "Another interface than the one on which the instance speaks.",
        Otherwise = "that of the instance",
        Source = "keepalived virtual_ipaddress",
        Example = "interface: eth1",
        AlsoCalled = ["dev", "device"],
    };

    public static readonly Setting<bool> Excluded = new("excluded", new SwitchForm())
    {
        Doc = "It moves, but is not named in messages: it may be of the other family, and there may be more than 255.",
        Default = false,
        Source = "keepalived: virtual_ipaddress_excluded is a list of its own",
        Example = "excluded: true",
    };

    public static readonly Setting<bool> Tracked = new("tracked", new SwitchForm())
    {
        Doc = "Whether the director leaves Active when somebody else removes it. With `false` it is put back.",
        Default = true,
        Source = "keepalived; `false` is its no_track",
        Example = "tracked: false",
        AlsoCalled = ["no_track", "track"],
    };

    public static readonly Section Section = new("virtualAddress", Address, Label, Interface, Excluded, Tracked)
    {
        Doc = "An address that moves. It is an item of `addresses`.",
        Place = "in an address of an instance",
        Short = Address,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static VirtualAddress Meant(Fields fields)
    {
        PrefixedAddress address = fields.Get(Address);
        return new(address.Ip, address.Length)
        {
            Interface = fields.Find(Interface),
            Label = fields.Find(Label),
            IsExcluded = fields.Get(Excluded),
            IsTracked = fields.Get(Tracked),
        };
    }

    private static Complaint? LabelText(string name, string text) =>
        text.Any(c => c is '/' || char.IsWhiteSpace(c) || !char.IsAscii(c)) ? new($"{Show.Quoted(text)} cannot be a label", "write the name of the interface, a colon and a few letters, such as \"eth0:web\"") : null;

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Label) && fields.FindValue(Address) is { Ip.AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 })
            problems.Add(fields.AtOf(Label), "`label` is for IPv4; the kernel keeps none for IPv6 addresses", "remove it");
    }
}

/// <summary>A route that moves.</summary>
internal static class HaRouteSection
{
    /// <summary>linux/rtnetlink.h: RT_TABLE_MAIN.</summary>
    public const int MainTable = 254;

    public static readonly Setting<IPNetwork> To = new("to", new PrefixForm())
    {
        Doc = "Where it leads. 0.0.0.0/0 and ::/0 are the default routes.",
        Example = "to: 0.0.0.0/0",
        AlsoCalled = ["destination", "dst", "default"],
    };

    public static readonly Setting<IPAddress> Via = new("via", new MachineForm(takesLinkLocal: true))
    {
        Doc = "The next hop.",
        Otherwise = "none: the destination is on the link itself",
        Source = "ip-route(8)",
        Example = "via: 192.0.2.1",
        AlsoCalled = ["gateway", "gw", "nexthop"],
    };

    public static readonly Setting<string> Interface = new("interface", PathForms.Interface)
    {
        Doc = "The interface it leads over.",
        Otherwise = "that of the instance",
        Source = "ours; the kernel would have to look for it",
        Example = "interface: eth0",
        AlsoCalled = ["dev", "device"],
    };

    public static readonly Setting<IPAddress> Source = new("source", new MachineForm(takesLinkLocal: false))
    {
        Doc = "The source address that packets are given which have none yet.",
        Otherwise = "the kernel's choice",
        Source = "ip-route(8) src",
        Example = "source: 192.0.2.10",
        AlsoCalled = ["src"],
    };

    public static readonly Setting<int> Table = new("table", new CountForm(1, int.MaxValue))
    {
        Doc = "The routing table it is in.",
        Default = MainTable,
        Source = "ip-route(8): main",
        Example = "table: 254",
    };

    public static readonly Setting<int> Metric = new("metric", new CountForm(0, int.MaxValue))
    {
        Doc = "Of routes to one destination the one with the lowest metric is used.",
        Default = 0,
        Source = "ip-route(8); the kernel takes 1024 for IPv6",
        Example = "metric: 0",
        AlsoCalled = ["preference", "priority"],
    };

    public static readonly Section Section = new("virtualRoute", To, Via, Interface, Source, Table, Metric)
    {
        Doc = "A route that is there only where the instance is Active. It is an item of `routes`.",
        Place = "in a route of an instance",
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static VirtualRoute Meant(Fields fields) =>
        new(fields.Get(To), fields.Find(Via), fields.Find(Interface), fields.Find(Source), fields.Get(Table), fields.Get(Metric));

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.FindValue(To) is not { } to)
            return;
        foreach (Setting<IPAddress> setting in (Setting<IPAddress>[])[Via, Source])
        {
            if (fields.Find(setting) is { } ip && ip.AddressFamily != to.BaseAddress.AddressFamily)
                problems.Add(fields.AtOf(setting), $"`to` is {Show.FamilyOf(to.BaseAddress)}, and `{setting.Name}` is {Show.FamilyOf(ip)}", "write addresses of one family");
        }
    }
}

/// <summary>A routing rule that moves.</summary>
internal static class HaRuleSection
{
    public static readonly Setting<IPNetwork> From = new("from", new PrefixForm())
    {
        Doc = "Packets with a source in it.",
        Otherwise = "any",
        Source = "ip-rule(8)",
        Example = "from: 192.0.2.10/32",
    };

    public static readonly Setting<IPNetwork> To = new("to", new PrefixForm())
    {
        Doc = "Packets with a destination in it.",
        Otherwise = "any",
        Source = "ip-rule(8)",
        Example = "to: 10.0.0.0/8",
    };

    public static readonly Setting<int> Table = new("table", new CountForm(1, int.MaxValue))
    {
        Doc = "The routing table in which these packets are looked up.",
        Example = "table: 100",
        AlsoCalled = ["lookup"],
    };

    public static readonly Setting<int> Priority = new("priority", new CountForm(1, 32_765))
    {
        Doc = "Rules are asked in its order, the lowest first. 32766 is the main table's.",
        Default = 100,
        Source = "ours; before the main table's, with room on both sides",
        Example = "priority: 100",
        AlsoCalled = ["preference", "order"],
    };

    public static readonly Section Section = new("virtualRule", From, To, Table, Priority)
    {
        Doc = "A routing rule that is there only where the instance is Active. It is an item of `rules`.",
        Place = "in a rule of an instance",
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static VirtualRule Meant(Fields fields) => new(fields.FindValue(From), fields.FindValue(To), fields.Get(Table), fields.Get(Priority));

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (!fields.IsWritten(From) && !fields.IsWritten(To) && !problems.IsPartial)
            problems.Add(fields.At, "a rule for every packet would hide the main table while this director is Active", "say for which packets it is: add `from` or `to`");
        if (fields.FindValue(From) is { } from && fields.FindValue(To) is { } to && from.BaseAddress.AddressFamily != to.BaseAddress.AddressFamily)
            problems.Add(fields.AtOf(To), $"`from` is {Show.FamilyOf(from.BaseAddress)}, and `to` is {Show.FamilyOf(to.BaseAddress)}", "write prefixes of one family");
    }
}
