namespace Bascule.Lab.Tests;

/// <summary>Paths narrower than 1500 bytes: the message that says so must find the right real server, or the client.</summary>
[Collection("Lab")]
public sealed class PathMtuTests(LabFixture lab)
{
    private const string V4 = LabPlan.VirtualAddress, V6 = $"[{LabPlan.VirtualAddress6}]";

    [LabTheory]
    [InlineData("dr")]
    [InlineData("nat")]
    [InlineData("full nat")]
    [InlineData("ipip")]
    public async Task A_download_over_a_link_of_1280_bytes_is_whole(string name)
    {
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of(name).Virtual("mh"), Way.Settings);
        await lab.Router.RunScriptAsync("ip link set client mtu 1280");
        try
        {
            await lab.DownloadsWholeAsync(V4);
            await lab.DownloadsWholeAsync(V6);
        }
        finally
        {
            await lab.Router.RunScriptAsync("ip link set client mtu 1500");
            await ForgetPathsAsync();
        }
    }

    [LabTheory]
    [InlineData("ipip", "mtu 1480", "mtu 1460")]
    [InlineData("gue", "mtu 1472", "mtu 1452")]
    [InlineData("gre", "mtu 1476", "mtu 1456")]
    public async Task The_client_is_told_what_fits_into_the_tunnel(string name, string fits, string fits6)
    {
        await ForgetPathsAsync();
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of(name).Virtual("mh"), Way.Settings);
        await using Capture told = await Capture.StartAsync(lab.Network, lab.Client, "eth0", "icmp or icmp6");
        string upload = Path.Combine(lab.Network.Folder, "download");

        // Without Expect curl does not wait for an answer before it sends.
        foreach (string address in (string[])[V4, V6])
            await lab.CurlAsync($"http://{address}/", "-H", "Expect:", "--data-binary", $"@{upload}");
        await ForgetPathsAsync();

        string[] packets = await told.RightPacketsAsync();
        Assert.Contains(packets, packet => packet.Contains("192.0.2.10 > 198.51.100.2: ICMP", StringComparison.Ordinal) && packet.Contains($"need to frag ({fits})", StringComparison.Ordinal));
        Assert.Contains(packets, packet => packet.Contains("2001:db8::10 > 2001:db8:c::2: ", StringComparison.Ordinal) && packet.Contains($"packet too big, {fits6}", StringComparison.Ordinal));
    }

    // What machines learned about the path stands in their routes for ten minutes.
    private async Task ForgetPathsAsync()
    {
        foreach (LabMachine machine in lab.Network.Plan.Machines)
            await machine.RunScriptAsync("ip route flush cache; ip -6 route flush cache");
    }
}
