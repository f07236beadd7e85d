using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>How a real server has answered for an interval.</summary>
public readonly record struct AnswerCount(long Good, long Bad)
{
    /// <summary>All of them.</summary>
    public long All => Good + Bad;

    /// <summary>The part of good ones, 0 to 1.</summary>
    public double SuccessRate => (double)Good / All;
}

/// <summary>
/// Finds those whose success rate lies far below the others': below mean - factor × standard deviation (of the whole population), as Envoy reckons it.
/// </summary>
/// <remarks>
/// Of n rates none can lie more than √(n - 1) standard deviations below their mean, so with few real servers a large factor finds nobody:
/// <see cref="CanFind"/>. Where nearly every answer is good a deviation is next to nothing, and one error more than the others would be far out;
/// so an outlier also lies <see cref="SmallestGap"/> below the mean.
/// </remarks>
public static class Outliers
{
    /// <summary>Five of a hundred answers.</summary>
    public const double SmallestGap = 0.05;

    /// <summary>The indexes of the outliers, the worst first.</summary>
    public static IReadOnlyList<int> Find(IReadOnlyList<AnswerCount> counts, OutlierRule rule, out double mean)
    {
        int[] compared = [.. Enumerable.Range(0, counts.Count).Where(i => counts[i].All >= rule.MinRequests)];
        mean = compared.Length == 0 ? 1 : compared.Average(i => counts[i].SuccessRate);
        if (compared.Length < rule.MinServers)
            return [];
        double middle = mean;
        double deviation = Math.Sqrt(compared.Average(i => Math.Pow(counts[i].SuccessRate - middle, 2)));
        double threshold = middle - double.Max(rule.Factor * deviation, SmallestGap);
        return [.. compared.Where(i => counts[i].SuccessRate < threshold).OrderBy(i => counts[i].SuccessRate)];
    }

    /// <summary>Whether one of so many could ever be an outlier.</summary>
    public static bool CanFind(int servers, OutlierRule rule) => servers >= rule.MinServers && rule.Factor < Math.Sqrt(servers - 1);
}
