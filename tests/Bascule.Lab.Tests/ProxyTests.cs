using Bascule.Core.Api;

namespace Bascule.Lab.Tests;

/// <summary>The proxy across a network: <c>forward: proxy</c>.</summary>
[Collection("Lab")]
public sealed class ProxyTests(LabFixture lab)
{
    private const string Web = """
          web:
            address: 192.0.2.10:80
            scheduler: rr
            check: { type: http, path: /, interval: 200ms, timeout: 200ms, rise: 1, fall: 1 }
            realServers: [10.0.0.11:80, 10.0.0.12:80, 10.0.0.13:80]
          web6:
            address: "[2001:db8::10]:80"
            scheduler: rr
            realServers: ["[fd00::11]:80", "[fd00::12]:80", "[fd00::13]:80"]
        """;

    [LabTheory]
    [InlineData("192.0.2.10")]
    [InlineData("[2001:db8::10]")]
    public async Task A_download_is_whole_and_every_real_server_has_its_turn(string address)
    {
        await using TestDirector director = await lab.StartDirectorAsync(Web);

        await lab.DownloadsWholeAsync(address);

        string[] answers = [await lab.CurlAsync($"http://{address}/"), await lab.CurlAsync($"http://{address}/"), await lab.CurlAsync($"http://{address}/")];
        Assert.Equal(["alpha\n", "beta\n", "gamma\n"], answers.Order());
    }

    [LabFact]
    public async Task A_killed_real_server_leaves_within_its_check_interval()
    {
        await using TestDirector director = await lab.StartDirectorAsync(Web);

        TimeSpan took = default;
        await lab.WithoutAsync("beta", "nginx", async () =>
            took = await director.SeesAsync(status => status.VirtualServers[0].RealServers[1].State == RealServerState.Down));

        Assert.True(took < TimeSpan.FromSeconds(1.5), $"it took {took}"); // interval and timeout 200 ms each; the rest is asking for the status
    }
}
