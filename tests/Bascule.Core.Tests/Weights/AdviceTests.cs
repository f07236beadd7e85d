using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Core.Weights;
using Bascule.Testing;

namespace Bascule.Core.Tests.Weights;

public sealed class AdviceTests
{
    private static readonly AgentCheck Agent = new() { Question = null };

    [Fact]
    public void Half_of_a_weight_of_1_is_half_of_the_work()
    {
        LiveVirtualServer web = Serve(Web(new(Sample.One, 1), new(Sample.Two, 1)));

        Say(web, 0, percent: 50);
        Say(web, 1, percent: 100);

        Assert.Equal((50, 100), (web.RealServers[0].Weight, web.RealServers[1].Weight));
        int[] picks = [.. Enumerable.Range(0, 300).Select(turn => web.Pick(default, default, new Random(1), out _))];
        Assert.Equal((100, 200), (picks.Count(index => index == 0), picks.Count(index => index == 1)));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1)]
    public void Weights_stay_as_they_are_where_nobody_asks_for_parts(int weight) =>
        Assert.Equal(1, WeightScale.Of(Web(new RealServer(Sample.One, weight)) with { Check = new TcpCheck() }));

    [Theory]
    [InlineData(1, 100)]
    [InlineData(100, 65)] // so that ten times 100 still fits
    [InlineData(60_000, 1)]
    public void A_check_may_ask_for_ten_times_the_weight(int weight, int scale)
    {
        VirtualServer own = Web(new RealServer(Sample.One, weight) { Check = new AllCheck([new TcpCheck(), new AnyCheck([Agent])]) }) with { Check = null };

        Assert.Equal(scale, WeightScale.Of(own));
        Assert.InRange(weight * scale * 10L, 1, long.Max(65_535, weight * 10L));
    }

    private static VirtualServer Web(params RealServer[] realServers) => Sample.Web with { Check = Agent, RealServers = [.. realServers] };

    private static LiveVirtualServer Serve(VirtualServer web) => Snapshot.First(Sample.Configuration(web), 1, new HealthBoard(new ManualClock())).VirtualServers[0];

    private static void Say(LiveVirtualServer web, int index, int percent)
    {
        web.RealServers[index].Health!.Apply(new(Passed: true, "agent", TimeSpan.Zero) { Weight = new(percent, IsPercent: true) }, DateTimeOffset.UnixEpoch);
        web.RealServers[index].Reweigh();
    }
}
