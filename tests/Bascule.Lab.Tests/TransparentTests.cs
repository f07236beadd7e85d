namespace Bascule.Lab.Tests;

/// <summary>The proxy with <c>transparent: true</c>: real servers that have the director as their way out see clients' own addresses.</summary>
[Collection("Lab")]
public sealed class TransparentTests(LabFixture lab)
{
    private const string Ours = "proto 182";

    [LabFact]
    public async Task Real_servers_see_the_client_and_the_client_gets_its_answer()
    {
        string shown = $$"""
              shown:
                addresses: ["{{LabPlan.VirtualAddress}}:80", "{{LabPlan.VirtualAddress}}:8000-8009"]
                transparent: true
                scheduler: rr
                realServers: [{{Everybody(name => LabPlan.AddressOf(name, LabSegment.Inside))}}]
              shown6:
                address: "[{{LabPlan.VirtualAddress6}}]:80"
                protocol: http
                transparent: true
                scheduler: rr
                realServers: [{{Everybody(name => $"\"[{LabPlan.Address6Of(name, LabSegment.Inside)}]:80\"")}}]
            """;
        await using (TestDirector director = await lab.StartDirectorAsync(shown))
        {
            Assert.Equal("alpha 198.51.100.4 10.0.2.11:80\n", await AskAsync("198.51.100.4", LabPlan.VirtualAddress));
            Assert.Equal("beta 198.51.100.5 10.0.2.12:8009\n", await AskAsync("198.51.100.5", $"{LabPlan.VirtualAddress}:8009"));
            await lab.DownloadsWholeAsync(LabPlan.VirtualAddress);
            for (int i = 0; i < 2; i++) // two requests of one connection, each to another real server
                Assert.Equal(["2001:db8:c::4", "2001:db8:c::4"], (await AskAsync("2001:db8:c::4", $"[{LabPlan.VirtualAddress6}]", times: 2)).TrimEnd().Split('\n').Select(line => line.Split(' ')[1]));
            Assert.Contains($"from 10.0.2.11 ipproto tcp sport 8000-8009 lookup 47708 {Ours}", await RulesAsync("-4"), StringComparison.Ordinal);

            // What is no answer of theirs goes on being routed.
            Assert.StartsWith("local 198.51.100.4 from 10.0.2.11", await RouteAsync("80"), StringComparison.Ordinal);
            Assert.StartsWith("198.51.100.4 from 10.0.2.11 via 10.0.0.1", await RouteAsync("22"), StringComparison.Ordinal);

            await director.EndAsync(kill: true);
            Assert.Contains(Ours, await RulesAsync("-4"), StringComparison.Ordinal);
            await director.StartAgainAsync();
            await director.EveryoneIsCheckedAsync();
            Assert.Equal("198.51.100.6", (await AskAsync("198.51.100.6", LabPlan.VirtualAddress)).Split(' ')[1]);

            await director.ReloadAsync(shown.Replace("transparent: true", "transparent: false", StringComparison.Ordinal));
            Assert.Equal("10.0.2.1", (await AskAsync("198.51.100.6", LabPlan.VirtualAddress)).Split(' ')[1]);
            Assert.DoesNotContain(Ours, await RulesAsync("-4") + await RulesAsync("-6"), StringComparison.Ordinal);

            await director.ReloadAsync(shown);
            Assert.Contains(Ours, await RulesAsync("-6"), StringComparison.Ordinal);
            await director.EndAsync();
        }

        Assert.DoesNotContain(Ours, await RulesAsync("-4") + await RulesAsync("-6"), StringComparison.Ordinal);
    }

    private static string Everybody(Func<string, string> address) => string.Join(", ", LabPlan.RealServers.Select(address));

    private Task<string> AskAsync(string client, string server, int times = 1) =>
        lab.CurlAsync($"http://{server}/from", ["--interface", client, .. Enumerable.Repeat($"http://{server}/from", times - 1)]);

    private Task<string> RouteAsync(string fromPort) =>
        lab["director"].RunAsync("ip", "route", "get", "198.51.100.4", "from", "10.0.2.11", "iif", "eth1", "ipproto", "tcp", "sport", fromPort);

    private Task<string> RulesAsync(string family) => lab["director"].RunAsync("ip", family, "-details", "rule", "show");
}
