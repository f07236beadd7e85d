namespace Bascule.Lab.Tests;

/// <summary>A way of forwarding, and what the lab has to offer for it.</summary>
/// <param name="Name">As a test shows it.</param>
/// <param name="Forward">The setting.</param>
/// <param name="Forward6">The same for an IPv6 virtual server.</param>
/// <param name="Segment">Where its real servers are.</param>
/// <param name="Maps">Whether the real servers' port is another one, 8080.</param>
internal sealed record Way(string Name, string Forward, string Forward6, LabSegment Segment, bool Maps)
{
    public const string Settings = "packets: { interfaces: [eth0, eth1], state: PINS }";

    private static readonly Way[] Known =
    [
        new("nat", "nat", "nat", LabSegment.Inside, true),
        new("full nat", $"{{ nat: full, source: {LabPlan.NatSource} }}", $"{{ nat: full, source: \"{LabPlan.NatSource6}\" }}", LabSegment.Lan, true),
        new("dr", "dr", "dr", LabSegment.Lan, false),
        new("dr on the other interface", "dr", "dr", LabSegment.Inside, false),
        new("ipip", "{ tun: ipip }", "{ tun: ipip }", LabSegment.Far, false),
        new("gue", "{ tun: gue, sources: 172.16.0.0/16 }", "{ tun: gue }", LabSegment.Far, false),
        new("gre", "{ tun: gre }", "{ tun: gre }", LabSegment.Far, false),
    ];

    /// <summary>Whether real servers see the virtual address as their own.</summary>
    public bool KeepsAddress => !Maps;

    public static Way Of(string name) => Known.Single(way => way.Name == name);

    /// <summary>A virtual server of each family, <c>web</c> and <c>web6</c>, at port 80.</summary>
    public string Virtual(string scheduler = "rr", string more = "") => $$"""
          web:
            address: {{LabPlan.VirtualAddress}}:80
            forward: {{Forward}}
            scheduler: {{scheduler}}
            {{more}}
            realServers: [{{string.Join(", ", LabPlan.RealServers.Select(name => LabPlan.AddressOf(name, Segment) + Port))}}]
          web6:
            address: "[{{LabPlan.VirtualAddress6}}]:80"
            forward: {{Forward6}}
            scheduler: {{scheduler}}
            {{more}}
            realServers: [{{string.Join(", ", LabPlan.RealServers.Select(name => $"\"[{LabPlan.Address6Of(name, Segment)}]{Port}\""))}}]
        """;

    private string Port => Maps ? ":8080" : ":80";
}
