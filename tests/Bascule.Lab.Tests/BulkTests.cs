using System.Text.Json;

namespace Bascule.Lab.Tests;

/// <summary>Bulk over TCP and UDP, judged by iperf3, which counts what is lost or out of order.</summary>
[Collection("Lab")]
public sealed class BulkTests(LabFixture lab)
{
    [LabTheory]
    [InlineData("dr", false)]
    [InlineData("nat", true)]
    [InlineData("gue", false)]
    public async Task Iperf_moves_bulk_both_ways(string name, bool fromServer)
    {
        Way way = Way.Of(name);
        // Both of iperf's connections must reach the same real server: there is only one.
        await using TestDirector director = await lab.StartDirectorAsync(OneServer(way, "tcp"), Way.Settings);
        using var server = lab["alpha"].StartTalking("iperf3", "--server", "--one-off", "--port", "5201", "--forceflush");
        await server.StandardOutput.ReadLineAsync();

        string json = await lab.Client.RunAsync("iperf3", ["--client", LabPlan.VirtualAddress, "--time", "1", "--json", .. fromServer ? ["--reverse"] : Array.Empty<string>()]);

        using JsonDocument result = JsonDocument.Parse(json);
        double bits = result.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble();
        Assert.True(bits > 10e6, $"{bits / 1e6:F1} Mbit/s");
    }

    private static string OneServer(Way way, string protocol) => $$"""
          bulk:
            address: {{LabPlan.VirtualAddress}}:5201
            protocol: {{protocol}}
            forward: {{way.Forward}}
            scheduler: mh
            check: none
            realServers: [{{LabPlan.AddressOf("alpha", way.Segment)}}:5201]
        """;
}
