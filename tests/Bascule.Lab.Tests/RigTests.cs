namespace Bascule.Lab.Tests;

/// <summary>The lab itself, without a director: what later tests take for granted.</summary>
[Collection("Lab")]
public sealed class RigTests(LabFixture lab)
{
    [LabTheory]
    [InlineData("10.0.0.11", "alpha")]
    [InlineData("10.0.1.12", "beta")]
    [InlineData("[fd00::12]", "beta")]
    [InlineData("[fd00:1::13]", "gamma")]
    public async Task The_client_reaches_a_real_server_by_way_of_the_router(string address, string name) =>
        Assert.Equal($"{name}\n", await lab.CurlAsync($"http://{address}/"));

    [LabFact]
    public async Task What_arrives_has_the_checksums_it_was_sent_with()
    {
        await using Capture capture = await Capture.StartAsync(lab.Network, lab["alpha"], "eth0", "tcp port 80");

        await lab.DownloadsWholeAsync("10.0.0.11");

        string[] packets = await capture.RightPacketsAsync();
        Assert.Contains(packets, packet => packet.Contains("198.51.100.2", StringComparison.Ordinal) && packet.Contains("(correct)", StringComparison.Ordinal));
        Assert.All(packets, packet => Assert.DoesNotContain("length 2896", packet, StringComparison.Ordinal)); // no segment larger than the wire
    }

    [LabFact]
    public async Task No_real_server_says_that_the_virtual_address_is_its_own()
    {
        string answer = await lab.Router.RunAsync("sh", "-c",
            $"ip route add {LabPlan.VirtualAddress}/32 dev far; ping -c 1 -W 1 {LabPlan.VirtualAddress} > /dev/null; ip neighbour show {LabPlan.VirtualAddress}; "
            + $"ip route del {LabPlan.VirtualAddress}/32 dev far; ip neighbour flush to {LabPlan.VirtualAddress}");

        Assert.Contains(LabPlan.VirtualAddress, answer, StringComparison.Ordinal); // it was asked for
        Assert.DoesNotContain("lladdr", answer, StringComparison.Ordinal);
    }
}
