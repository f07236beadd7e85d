namespace Bascule.Core.Api;

/// <summary>
/// Rates as IPVS estimates them: every two seconds the rate of those two seconds is averaged in with a quarter of the weight
/// (<c>avg ← avg × ¾ + rate × ¼</c>). Not for several threads at once.
/// </summary>
public sealed class TrafficEstimator
{
    /// <summary>How often to take a sample.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2); // IPVS: IPVS_EST_TICK

    private const double Weight = 0.25;

    private TrafficCount? _last;

    /// <summary>The rate after the last sample; all 0 before there were two.</summary>
    public TrafficRate Rate { get; private set; } = new(0, 0, 0, 0, 0);

    /// <summary>Takes a sample.</summary>
    /// <param name="elapsed">Since the sample before; above 0.</param>
    public void Sample(TrafficCount count, TimeSpan elapsed)
    {
        // Counters that went back began anew: the real server was taken off and put on again.
        if (_last is { } last && count.Connections >= last.Connections && count.Bytes >= last.Bytes && elapsed > TimeSpan.Zero)
        {
            Rate = new(
                Average(Rate.Connections, count.Connections - last.Connections, elapsed),
                Average(Rate.Packets, count.Packets - last.Packets, elapsed),
                Average(Rate.Bytes, count.Bytes - last.Bytes, elapsed),
                Average(Rate.ReplyPackets, count.ReplyPackets - last.ReplyPackets, elapsed),
                Average(Rate.ReplyBytes, count.ReplyBytes - last.ReplyBytes, elapsed));
        }

        _last = count;
    }

    private static double Average(double average, long more, TimeSpan elapsed) => average + (((more / elapsed.TotalSeconds) - average) * Weight);

    private static double? Average(double? average, long? more, TimeSpan elapsed) => more is { } known ? Average(average ?? 0, known, elapsed) : null;
}
