using System.Globalization;

namespace Bascule.Lab.Tests;

/// <summary>What the director says about packets, beside what packets really do.</summary>
[Collection("Lab")]
public sealed class SeeingTests(LabFixture lab)
{
    [LabTheory] // each with ports of its own: the client's system keeps those of connections it has closed for a minute
    [InlineData("dr", "{ type: mh, port: true }", 41_000)]
    [InlineData("nat", "sh", 42_000)]
    [InlineData("ipip", "wrr", 43_000)]
    public async Task Explain_names_the_real_server_that_then_answers(string name, string scheduler, int firstPort)
    {
        Way way = Way.Of(name);
        await using TestDirector director = await lab.StartDirectorAsync(way.Virtual(scheduler), Way.Settings);

        for (int port = firstPort; port < firstPort + 4; port++)
        {
            string explained = await director.AskAsync("explain", "--packet", $"tcp {LabPlan.Client}:{port} > {LabPlan.VirtualAddress}:80");
            string answer = (await lab.CurlAsync($"http://{LabPlan.VirtualAddress}/", "--local-port", port.ToString(CultureInfo.InvariantCulture))).Trim();

            Assert.Contains(LabPlan.AddressOf(answer, way.Segment), explained, StringComparison.Ordinal);
        }
    }

    [LabFact]
    public async Task A_capture_shows_tcpdump_what_came_and_what_left()
    {
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of("ipip").Virtual(), Way.Settings);
        string file = Path.Combine(lab.Network.Folder, "capture.pcapng");

        Task<string> capturing = director.AskAsync("capture", "-v", "web", "-w", file, "--count", "4", "--seconds", "20");
        while (!capturing.IsCompleted)
            await lab.CurlAsync($"http://{LabPlan.VirtualAddress}/");
        await capturing;

        string seen = await Tool.RunAsync("tcpdump", ["-nn", "-r", file]);
        Assert.Contains($"IP {LabPlan.Client}.", seen, StringComparison.Ordinal);
        Assert.Contains(" > 10.0.1.1", seen, StringComparison.Ordinal);
    }

    [LabFact]
    public async Task Recorded_connections_are_listed_with_their_real_server()
    {
        await using TestDirector director = await lab.StartDirectorAsync(RestartTests.Echo(Way.Of("nat"), "rr"), Way.Settings);
        await using Connections connections = await Connections.OpenAsync(lab, 6, milliseconds: 50);
        await connections.TalkAsync(5);

        string list = await director.AskAsync("list", "--connections");

        foreach (string name in LabPlan.RealServers)
            Assert.Contains($"{LabPlan.AddressOf(name, LabSegment.Inside)}:{LabFixture.EchoPort}", list, StringComparison.Ordinal);
        Assert.Contains(LabPlan.Client, list, StringComparison.Ordinal);
    }
}
