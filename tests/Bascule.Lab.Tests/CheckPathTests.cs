using Bascule.Core.Api;

namespace Bascule.Lab.Tests;

/// <summary>Checks go the way that clients' packets take.</summary>
[Collection("Lab")]
public sealed class CheckPathTests(LabFixture lab)
{
    [LabFact]
    public async Task A_check_takes_the_way_through_the_tunnel_and_sees_when_only_that_is_broken()
    {
        await using TestDirector director = await lab.StartDirectorAsync(
            Way.Of("ipip").Virtual("rr", "check: { type: tcp, interval: 200ms, timeout: 200ms, rise: 1, fall: 1 }"), Way.Settings);

        // beta itself can be reached all the time; only tunnelled packets to it get lost.
        await lab.Router.RunScriptAsync("nft add table ip hole; nft 'add chain ip hole way { type filter hook forward priority 0; }'; nft add rule ip hole way ip daddr 10.0.1.12 ip protocol 4 drop");
        TimeSpan took;
        string reached;
        try
        {
            took = await director.SeesAsync(status => status.VirtualServers[0].RealServers[1].State == RealServerState.Down);
            reached = await lab.CurlAsync("http://10.0.1.12/");
        }
        finally
        {
            await lab.Router.RunScriptAsync("nft delete table ip hole");
        }

        await director.SeesAsync(status => status.VirtualServers[0].RealServers[1].State == RealServerState.Up);
        Assert.Equal("beta\n", reached);
        Assert.True(took < TimeSpan.FromSeconds(2), $"it took {took}");
    }
}
