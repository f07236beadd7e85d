namespace Bascule.Lab.Tests.Pair;

/// <summary>What a director of the pair is told; the same record makes both files.</summary>
internal sealed record PairSettings
{
    public const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    public int Version { get; init; } = 3;

    public string Interval { get; init; } = "100ms";

    /// <summary>By director; 100 for who is not named.</summary>
    public Dictionary<string, int> Priority { get; init; } = [];

    public string Preempt { get; init; } = "false";

    public string Address { get; init; } = $"{PairPlan.VirtualAddress}/24";

    public bool Unicast { get; init; }

    /// <summary>Whether the other is Bascule too, and heartbeats go to it over the lan and the heart.</summary>
    public bool HasPeer { get; init; } = true;

    /// <summary>More lines of the instance.</summary>
    public string[] More { get; init; } = [];

    /// <summary>More lines under <c>ha</c>.</summary>
    public string[] Ha { get; init; } = [];

    /// <summary>More instances, as <c>name: { … }</c>; DIRECTOR-1 and DIRECTOR-2 stand for the priorities of who is preferred, and of the other.</summary>
    public string[] Instances { get; init; } = [];

    /// <summary>Lines under <c>virtualServers</c>; empty: one at port 80 of the address.</summary>
    public string[] VirtualServers { get; init; } = [];

    /// <summary>More lines at the top.</summary>
    public string[] Top { get; init; } = [];

    /// <summary>The real servers, as a list.</summary>
    public static string Servers(int port) => string.Join(", ", LabPlan.RealServers.Select(name => $"\"{LabPlan.AddressOf(name, LabSegment.Inside)}:{port}\""));

    /// <summary>The file.</summary>
    public string Text(string director, string folder, string pins)
    {
        string other = PairPlan.OtherOf(director);
        return $$"""
            node: {{director}}
            workers: 1
            admin: { socket: {{folder}}/admin.sock }
            shutdownTimeout: 1s
            {{Lines(0, [.. Top.Select(line => line.Replace("PINS", pins))])}}
            ha:
              stateFolder: {{folder}}/state
              {{(HasPeer ? $"peers: {{ {other}: {{ addresses: [ {PairPlan.LanOf(other)}, {PairPlan.HeartOf(other)} ], key: {Key} }} }}" : "")}}
              {{Lines(2, Ha)}}
              instances:
                web-vip:
                  interface: eth0
                  virtualRouterId: 51
                  priority: {{Priority.GetValueOrDefault(director, 100)}}
                  version: {{Version}}
                  advertInterval: {{Interval}}
                  preempt: {{Preempt}}
                  addresses: [ "{{Address}}" ]
                  {{(Unicast ? $"unicast: [ {PairPlan.LanOf(other)} ]" : "")}}
                  {{Lines(6, More)}}
                {{Lines(4, [.. Instances.Select(line => Prefer(line, director))])}}
            virtualServers:
              {{(VirtualServers.Length == 0 ? $"web: {{ address: \"{Endpoint}\", realServers: [ {Servers(80)} ] }}" : Lines(2, VirtualServers))}}

            """;
    }

    private string Endpoint => Address.Split('/')[0] is var address && address.Contains(':') ? $"[{address}]:80" : $"{address}:80";

    // DIRECTOR-1 in an instance: 150 at director-1, and 100 at the other.
    private static string Prefer(string line, string director) =>
        PairPlan.Directors.Aggregate(line, (text, preferred) => text.Replace(preferred.ToUpperInvariant(), preferred == director ? "150" : "100"));

    private static string Lines(int indent, string[] lines) => string.Join($"\n{new string(' ', indent)}", lines);
}
