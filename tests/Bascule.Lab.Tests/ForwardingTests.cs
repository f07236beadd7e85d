namespace Bascule.Lab.Tests;

/// <summary>Real traffic through the datapath, every way there is.</summary>
[Collection("Lab")]
public sealed class ForwardingTests(LabFixture lab)
{
    private const string V4 = LabPlan.VirtualAddress, V6 = $"[{LabPlan.VirtualAddress6}]";

    [LabTheory]
    [InlineData("nat")]
    [InlineData("full nat")]
    [InlineData("dr")]
    [InlineData("dr on the other interface")]
    [InlineData("ipip")]
    [InlineData("gue")]
    [InlineData("gre")]
    public async Task A_download_is_whole_and_every_real_server_has_its_turn(string name)
    {
        Way way = Way.Of(name);
        await using TestDirector director = await lab.StartDirectorAsync(way.Virtual(), Way.Settings);

        foreach (string address in (string[])[V4, V6])
        {
            await lab.DownloadsWholeAsync(address);
            string[] answers = [await lab.CurlAsync($"http://{address}/"), await lab.CurlAsync($"http://{address}/"), await lab.CurlAsync($"http://{address}/")];
            Assert.Equal(["alpha\n", "beta\n", "gamma\n"], answers.Order());
        }
    }

    [LabTheory]
    [InlineData("nat", "198.51.100.2 10.0.2.11:8080", "2001:db8:c::2 fd00:2::11:8080")]
    [InlineData("full nat", "10.0.0.3 10.0.0.11:8080", "fd00::3 fd00::11:8080")]
    [InlineData("dr", "198.51.100.2 192.0.2.10:80", "2001:db8:c::2 2001:db8::10:80")]
    [InlineData("ipip", "198.51.100.2 192.0.2.10:80", "2001:db8:c::2 2001:db8::10:80")]
    public async Task A_real_server_sees_the_client_and_address_that_the_method_promises(string name, string seen, string seen6)
    {
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of(name).Virtual(), Way.Settings);

        Assert.Equal($"alpha {seen}\n", await FromAlphaAsync(V4));
        Assert.Equal($"alpha {seen6}\n", await FromAlphaAsync(V6));
    }

    [LabTheory]
    [InlineData("nat", "eth2", "10.0.2.11.8080", "fd00:2::11.8080")]
    [InlineData("full nat", "eth0", "10.0.0.11.8080", "fd00::11.8080")]
    [InlineData("dr", "eth0", "192.0.2.10.80", "2001:db8::10.80")]
    public async Task Packets_arrive_with_the_right_addresses_and_checksums(string name, string port, string to, string to6)
    {
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of(name).Virtual(), Way.Settings);
        await using Capture atServer = await Capture.StartAsync(lab.Network, lab["alpha"], port, "tcp port 80 or tcp port 8080");
        await using Capture atClient = await Capture.StartAsync(lab.Network, lab.Client, "eth0", "tcp port 80");

        await FromAlphaAsync(V4);
        await FromAlphaAsync(V6);

        string[] came = [.. (await atServer.RightPacketsAsync()).Where(packet => packet.Contains("cksum", StringComparison.Ordinal))];
        Assert.Contains(came, packet => packet.Contains($" > {to}: Flags [S]", StringComparison.Ordinal));
        Assert.Contains(came, packet => packet.Contains($" > {to6}: Flags [S]", StringComparison.Ordinal));
        string[] answered = await atClient.RightPacketsAsync();
        Assert.Contains(answered, packet => packet.Contains("192.0.2.10.80 > 198.51.100.2.", StringComparison.Ordinal) && packet.Contains("Flags [S.]", StringComparison.Ordinal));
        Assert.Contains(answered, packet => packet.Contains("2001:db8::10.80 > 2001:db8:c::2.", StringComparison.Ordinal) && packet.Contains("Flags [S.]", StringComparison.Ordinal));
    }

    [LabTheory]
    [InlineData("ipip", " > 10.0.1.11: ", " > fd00:1::11: ")]
    [InlineData("gue", " > 10.0.1.11.6080: [no cksum] UDP", " > fd00:1::11.6080: [udp sum ok] UDP")]
    [InlineData("gre", " > 10.0.1.11: GREv0", " > fd00:1::11: GREv0")]
    public async Task A_tunnel_carries_the_packet_to_the_real_server(string name, string outer, string outer6)
    {
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of(name).Virtual(), Way.Settings);
        await using Capture onTheWay = await Capture.StartAsync(lab.Network, lab.Router, "far-alpha", "ip proto 4 or ip proto 47 or ip6 proto 41 or ip6 proto 47 or udp port 6080");

        await FromAlphaAsync(V4);
        await FromAlphaAsync(V6);

        string[] packets = await onTheWay.RightPacketsAsync();
        Assert.Contains(packets, packet => packet.Contains(outer, StringComparison.Ordinal));
        Assert.Contains(packets, packet => packet.Contains(outer6, StringComparison.Ordinal));
    }

    [LabTheory]
    [InlineData("generic", "dr")]
    [InlineData("tcx", "dr")]
    [InlineData("generic", "nat")]
    [InlineData("tcx", "nat")]
    [InlineData("generic", "ipip")]
    [InlineData("tcx", "ipip")]
    public async Task Other_places_on_the_interface_do_the_same(string attach, string name)
    {
        Way way = Way.Of(name);
        await using TestDirector director = await lab.StartDirectorAsync(
            way.Virtual(), $"packets: {{ interfaces: [eth0, eth1], attach: {attach}, state: PINS }}");

        await lab.DownloadsWholeAsync(V4);
        await lab.DownloadsWholeAsync(V6);
    }

    [LabTheory]
    [InlineData("dr")]
    [InlineData("nat")]
    public async Task Echo_requests_to_the_virtual_address_are_answered(string name)
    {
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of(name).Virtual(), Way.Settings);

        Assert.Contains(" 0% packet loss", await lab.Client.RunAsync("ping", "-c", "3", "-i", "0.1", "-W", "2", LabPlan.VirtualAddress), StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", await lab.Client.RunAsync("ping", "-c", "3", "-i", "0.1", "-W", "2", LabPlan.VirtualAddress6), StringComparison.Ordinal);
    }

    [LabFact]
    public async Task A_client_in_the_real_servers_own_network_is_served_by_full_NAT()
    {
        await using TestDirector director = await lab.StartDirectorAsync(Way.Of("full nat").Virtual(), Way.Settings);

        // The router's own requests come from 10.0.0.1, which the real servers would answer directly if they saw it.
        string[] answers = [await FromRouterAsync(V4), await FromRouterAsync(V6)];

        Assert.All(answers, answer => Assert.Contains(answer.Trim(), LabPlan.RealServers));

        Task<string> FromRouterAsync(string address) => lab.Router.RunAsync("curl", "-sS", "--fail", "--max-time", "5", $"http://{address}/");
    }

    // Round robin: at most three questions until alpha has its turn.
    private async Task<string> FromAlphaAsync(string address)
    {
        string[] answers = [await AskAsync(), await AskAsync(), await AskAsync()];
        return answers.Single(answer => answer.StartsWith("alpha", StringComparison.Ordinal));

        Task<string> AskAsync() => lab.CurlAsync($"http://{address}/from");
    }
}
