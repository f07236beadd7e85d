using Bascule.Lab.Echo;

namespace Bascule.Lab.Tests.Pair;

/// <summary>The address moves because somebody wants it to.</summary>
[Collection("Pair")]
public sealed class OneOwnerTests(PairFixture lab)
{
    [PairTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_planned_handover_has_one_owner_at_a_time_and_fails_no_request(bool byCommand)
    {
        await using Echo echo = await Echo.StartAsync(lab);
        await using OurPair pair = await OurPair.StartAsync(lab, new() { VirtualServers = [Echo.Proxied] });
        await pair.Active.SeesServersUpAsync();
        await pair.Backup.SeesServersUpAsync();
        Task<VisitReport> visits = Echo.VisitAsync(lab, visitors: 8, seconds: 4);
        long began = TimeProvider.System.GetTimestamp();

        await Task.Delay(1000);
        if (byCommand)
            await pair.Active.AskAsync("handover", "web-vip");
        else
            await pair.Active.StopAsync();

        await Takeover.AnswersAsync(pair.Client, OurPair.Second, began);
        VisitReport report = await visits;
        Assert.Empty(report.Failed);
        Assert.True(report.Served.Values.Sum() > 100, "hardly anybody was served");
        Assert.InRange(pair.Client.Seen.Overlap, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));
        Assert.InRange(pair.Client.Seen.Outage(Sight.Service), TimeSpan.Zero, TimeSpan.FromMilliseconds(150));
    }
}
