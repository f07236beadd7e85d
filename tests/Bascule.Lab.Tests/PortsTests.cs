namespace Bascule.Lab.Tests;

/// <summary>One virtual server on several ports: one persistence, and each real server reached on the port that the client asked for.</summary>
[Collection("Lab")]
public sealed class PortsTests(LabFixture lab)
{
    private const int FirstOfRange = 8000, LastOfRange = 8009;

    [LabTheory]
    [InlineData("proxy")]
    [InlineData("dr")]
    [InlineData("nat")]
    public async Task A_client_meets_one_real_server_on_all_ports(string forward)
    {
        LabSegment segment = forward == "nat" ? LabSegment.Inside : LabSegment.Lan;
        await using TestDirector director = await lab.StartDirectorAsync($$"""
              shop:
                addresses: ["{{LabPlan.VirtualAddress}}:80", "{{LabPlan.VirtualAddress}}:443", "{{LabPlan.VirtualAddress}}:{{FirstOfRange}}-{{LastOfRange}}"]
                forward: {{forward}}
                scheduler: rr
                persistence: { by: source, timeout: 60s }
                realServers: [{{string.Join(", ", LabPlan.RealServers.Select(name => LabPlan.AddressOf(name, segment)))}}]
            """, Way.Settings);

        List<string> servers = [];
        foreach (string client in (string[])["198.51.100.2", "198.51.100.3", "198.51.100.4"])
        {
            (string Server, string Port)[] met = [await AskAsync(client, 80), await AskAsync(client, 443), await AskAsync(client, 80), await AskAsync(client, LastOfRange)];
            Assert.Equal(["80", "443", "80", "8009"], met.Select(m => m.Port));
            servers.Add(Assert.Single(met.Select(m => m.Server).Distinct()));
        }

        Assert.Equal(LabPlan.RealServers, servers.Order());
        string[] ofRange = (await lab.CurlAsync($"http://{LabPlan.VirtualAddress}:[{FirstOfRange}-{LastOfRange}]/from", "--interface", "198.51.100.2")).TrimEnd().Split('\n');
        Assert.Equal(Enumerable.Range(FirstOfRange, 10).Select(port => (servers[0], $"{port}")), ofRange.Select(Read));
        Assert.Contains($"{LabPlan.VirtualAddress}:80,{LabPlan.VirtualAddress}:443,{LabPlan.VirtualAddress}:8000-8009 rr", await director.AskAsync("list"), StringComparison.Ordinal);
        await director.SeesAsync(status => status.VirtualServers.Single().Connections == 22);
    }

    [LabFact]
    public async Task One_virtual_server_has_clients_of_both_families_through_tunnels_of_one()
    {
        await using TestDirector director = await lab.StartDirectorAsync($$"""
              shop:
                addresses: ["{{LabPlan.VirtualAddress}}:80", "[{{LabPlan.VirtualAddress6}}]:80"]
                forward: { tun: ipip }
                scheduler: rr
                realServers: [{{string.Join(", ", LabPlan.RealServers.Select(name => LabPlan.AddressOf(name, LabSegment.Far)))}}]
            """, Way.Settings);

        string[] answers = [await lab.CurlAsync($"http://{LabPlan.VirtualAddress}/"), await lab.CurlAsync($"http://[{LabPlan.VirtualAddress6}]/"), await lab.CurlAsync($"http://{LabPlan.VirtualAddress}/")];

        Assert.Equal(["alpha\n", "beta\n", "gamma\n"], answers);
    }

    // Says which real server answers, and on which of its ports.
    private async Task<(string Server, string Port)> AskAsync(string client, int port) =>
        Read(await lab.CurlAsync($"http://{LabPlan.VirtualAddress}:{port}/from", "--interface", client));

    private static (string Server, string Port) Read(string answer) => (answer.Split(' ')[0], answer.TrimEnd().Split(':')[^1]);
}
