using Bascule.Core.Api;

namespace Bascule.Core.Tests.Api;

public sealed class TrafficEstimatorTests
{
    private static readonly TimeSpan Two = TimeSpan.FromSeconds(2);

    [Fact]
    public void Averages_in_the_rate_of_each_two_seconds_with_a_quarter_of_the_weight()
    {
        TrafficEstimator estimator = new();
        estimator.Sample(Packets(0), Two);

        estimator.Sample(Packets(800), Two); // 400 a second
        Assert.Equal(100, estimator.Rate.Packets);

        estimator.Sample(Packets(1600), Two); // 100 × ¾ + 400 × ¼
        Assert.Equal(175, estimator.Rate.Packets);

        estimator.Sample(Packets(1600), Two);
        Assert.Equal(131.25, estimator.Rate.Packets);
    }

    [Fact]
    public void Comes_to_a_steady_rate()
    {
        TrafficEstimator estimator = new();
        for (int i = 0; i <= 50; i++)
            estimator.Sample(new(i * 2, i * 200, i * 20_000, i * 100, i * 1_000_000), Two);

        Assert.Equal((1, 100, 10_000, 50, 500_000), (Math.Round(estimator.Rate.Connections, 3), Math.Round(estimator.Rate.Packets!.Value, 3), Math.Round(estimator.Rate.Bytes, 1),
            Math.Round(estimator.Rate.ReplyPackets!.Value, 3), Math.Round(estimator.Rate.ReplyBytes, 0)));
    }

    [Fact]
    public void What_nobody_counts_has_no_rate()
    {
        TrafficEstimator estimator = new();
        estimator.Sample(new(0, null, 0, null, 0), Two);
        estimator.Sample(new(8, null, 800, null, 0), Two);

        Assert.Equal(new TrafficRate(1, null, 100, null, 0), estimator.Rate);
    }

    [Fact]
    public void Counters_that_began_anew_are_not_a_negative_rate()
    {
        TrafficEstimator estimator = new();
        estimator.Sample(Packets(1_000_000), Two);
        estimator.Sample(Packets(0), Two);
        estimator.Sample(Packets(800), Two);

        Assert.Equal(100, estimator.Rate.Packets);
    }

    [Fact]
    public void Rates_are_kept_for_each_server_and_forgotten_with_it()
    {
        TrafficRates rates = new();
        rates.Sample([Web(0)], Two);
        rates.Sample([Web(800)], Two);

        Assert.Equal((100, 100), (rates.Of("web", null)!.Packets, rates.Of("web", "10.0.0.1:80")!.Packets));

        rates.Sample([], Two);
        Assert.Null(rates.Of("web", null));
    }

    private static TrafficCount Packets(long packets) => new(packets, packets, packets, packets, packets);

    private static VirtualServerStatus Web(long packets) => ApiSamples.VirtualServer with
    {
        Traffic = Packets(packets),
        RealServers = [ApiSamples.RealServer with { Traffic = Packets(packets) }],
    };
}
