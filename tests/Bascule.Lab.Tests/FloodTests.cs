using System.Globalization;
using System.Text.Json;
using Bascule.Lab.Echo;

namespace Bascule.Lab.Tests;

/// <summary>A flood of SYNs from made-up sources, and people who want to be served meanwhile.</summary>
[Collection("Lab")]
public sealed class FloodTests(LabFixture lab)
{
    private const int PerSecond = 1_000_000, Seconds = 6;

    [LabTheory]
    [InlineData("dr", "{ type: mh, port: true }")]
    [InlineData("dr", "wlc")]
    public async Task Visitors_are_all_served_during_a_flood_of_SYNs(string name, string scheduler)
    {
        await using TestDirector director = await lab.StartDirectorAsync(
            RestartTests.Echo(Way.Of(name), scheduler), "packets: { interfaces: [eth0, eth1], state: PINS, flood: { newFlowsPerSecond: 20000 } }");
        await using Connections old = await Connections.OpenAsync(lab, 200, milliseconds: 200);
        string mac = (await lab["director"].RunAsync("cat", "/sys/class/net/eth0/address")).Trim().ToUpperInvariant().Replace(':', '-');

        // Straight into the director's port: nobody on the way takes a share of the flood.
        Task<string> flood = lab.Router.RunAsync(LabFixture.EchoProgram, "flood", "lan-director", mac, LabPlan.VirtualAddress,
            $"{LabFixture.EchoPort}", $"{PerSecond}", $"{Seconds}");
        string visits = await lab.Client.RunAsync(LabFixture.EchoProgram, "visit", LabPlan.VirtualAddress, $"{LabFixture.EchoPort}", "20", $"{Seconds}");
        int sent = int.Parse(await flood, CultureInfo.InvariantCulture);
        HolderReport held = await old.ReportAsync();

        VisitReport report = JsonSerializer.Deserialize<VisitReport>(visits)!;
        Assert.True(sent > 25_000 * Seconds, $"only {sent} SYNs in {Seconds} s: that is no flood");
        Assert.True(report.Failed.Count == 0, $"{string.Join(", ", report.Failed.Select(f => $"{f.Value} × {f.Key}"))}; served {report.Served.Values.Sum()}");
        Assert.True(report.Served.Values.Sum() > 100, $"{report.Served.Values.Sum()} visits, the slowest in {report.Slowest} ms");
        Assert.True(held.Broken.Count == 0, Connections.Describe(held));
    }
}
