using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>
/// What the load of a real server makes of its weight, as nanny of Piranha reckoned it: every 20 s the weight goes up from what it was by
/// w / 2 × ∛(1 - load) while the load lies below 1, to 10 × w at most, and down by w / 2 × ∛(load - 1) while it lies above, to w at least; w is the
/// configured weight. A change by less than w / 4 is not made, so that a load from 0.88 to 1.11 changes nothing.
/// </summary>
/// <remarks>
/// In percent of w, which for a weight of 100 is to the digit what the program reckoned in whole numbers. Its manual has it otherwise: that the weight is
/// lowered under load, and that its scale (here 10) says how high the load must be for that. The program never goes below w.
/// </remarks>
public sealed class LoadWeight
{
    /// <summary>From one reckoning to the next.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromSeconds(20);

    /// <summary>Of the configured weight, in percent: the whole of it.</summary>
    public const int Least = 100;

    /// <summary>Of the configured weight, in percent: ten times as much.</summary>
    public const int Most = 1000;

    private const double Stride = 50; // at a load of 0 or 2
    private const int SmallestChange = 25;

    private int _percent = Least;
    private TimeSpan? _reckonedAt;

    /// <summary>What it has to do now; counts when the next reckoning is due.</summary>
    /// <param name="load">At least 0.</param>
    /// <param name="now">By a clock that nobody sets.</param>
    /// <returns>What its weight is to be.</returns>
    public WeightAdvice Take(double load, TimeSpan now)
    {
        if (_reckonedAt is not { } last || now - last >= Pace)
        {
            _reckonedAt = now;
            _percent = Next(_percent, load);
        }

        return new(_percent, IsPercent: true);
    }

    /// <summary>The weight that follows a weight, both in percent of the configured one.</summary>
    public static int Next(int percent, double load)
    {
        int wanted = (int)double.Clamp(percent + (Stride * Math.Cbrt(1 - load)), Least, Most);
        return int.Abs(wanted - percent) >= SmallestChange ? wanted : percent;
    }
}
