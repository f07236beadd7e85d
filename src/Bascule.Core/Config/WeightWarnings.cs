using System.Collections.Immutable;
using System.Globalization;
using Bascule.Core.Model;
using Bascule.Core.Weights;
using VS = Bascule.Core.Config.VirtualServerSection;

namespace Bascule.Core.Config;

/// <summary>What is allowed and would never act, or never end, in what takes real servers out.</summary>
internal static class WeightWarnings
{
    /// <summary>All of them, in the order of the file.</summary>
    public static ImmutableArray<Problem> Of(Fields file, Configuration meant)
    {
        ProblemList warnings = new();
        foreach ((Named written, VirtualServer virtualServer) in file.Get(RootSection.VirtualServers).Zip(meant.VirtualServers))
        {
            if (virtualServer.Quorum is { } quorum)
                WarnOf(written.Fields, quorum, virtualServer.RealServers.Where(r => !r.IsFallback).Sum(r => (long)r.Weight), warnings);
            if (virtualServer.PassiveCheck is { } rule)
                WarnOf(written.Fields, rule, virtualServer.RealServers.Count, warnings);
            if (!SlowStart.IsNoticedBy(virtualServer.Scheduler) && virtualServer.QuestionsAsked().Any(question => question is ScriptCheck { LoadWeight: true }))
                warnings.Add(written.Fields.AtOf(VS.Scheduler), $"{SchedulerSection.NameOf(virtualServer.Scheduler)} does not look at weights that move, so `loadWeight` of its check changes nothing", "take a scheduler such as wrr or wlc");
        }

        return warnings.Sorted();
    }

    private static void WarnOf(Fields fields, QuorumRule rule, long weights, ProblemList warnings)
    {
        Fields written = fields.Get(VS.Quorum);
        if (weights < (long)rule.Up + rule.Hysteresis)
        {
            warnings.Add(written.AtOf(QuorumSection.Up), $"all weights together are {weights}, and a quorum that was lost is gained from {(long)rule.Up + rule.Hysteresis}: it would never come back",
                "lower `up` or `hysteresis`, or raise the weights");
        }
    }

    private static void WarnOf(Fields fields, PassiveCheck rule, int count, ProblemList warnings)
    {
        Fields written = fields.Get(VS.PassiveCheck);
        string real = count == 1 ? "is one real server" : $"are {count} real servers";
        if (PassiveWatch.MostEjected(count, rule) == 0)
        {
            warnings.Add(written.At, $"there {real}, and {rule.MaxEjected}% of them is less than one: nobody is ever ejected",
                count == 1 ? "add a real server, or remove `passiveCheck`" : $"write at least `maxEjected: {(99 + count) / count}%`");
        }
        else if (rule.Outliers is { } outliers && !Outliers.CanFind(count, outliers))
        {
            warnings.Add(written.AtOf(PassiveCheckSection.Outliers), $"there {real}, of which none can be an outlier by this rule",
                count < outliers.MinServers ? $"it takes {outliers.MinServers} (`minServers`); write fewer, or remove `outliers`"
                    : string.Create(CultureInfo.InvariantCulture, $"of {count} none lies {outliers.Factor} deviations below the mean; write a `factor` below {Math.Sqrt(count - 1):0.##}"));
        }
    }
}
