using Bascule.Core.Model;
using Bascule.Core.Weights;
using VS = Bascule.Core.Config.VirtualServerSection;

namespace Bascule.Core.Config;

/// <summary>What must hold between the scheduler of a virtual server and what moves weights.</summary>
internal static class WeightRules
{
    public static void Relate(Fields fields, ProblemList problems)
    {
        RefuseUnheard(fields, problems);
        if (fields.IsBroken(VS.Scheduler) || fields.Get(VS.Scheduler).IsBroken(SchedulerSection.Type))
            return;
        SchedulerKind scheduler = fields.Get(VS.Scheduler).Get(SchedulerSection.Type);
        if (SlowStart.IsNoticedBy(scheduler))
            return;
        if (fields.FindValue(VS.SlowStart) > TimeSpan.Zero)
            Refuse(fields.AtOf(VS.SlowStart));
        foreach (Fields realServer in ForwardRules.RealServers(fields).Where(r => r.FindValue(RealServerSection.SlowStart) > TimeSpan.Zero))
            Refuse(realServer.AtOf(RealServerSection.SlowStart));

        void Refuse(Location at)
        {
            string name = SchedulerSection.NameOf(scheduler);
            string why = scheduler is SchedulerKind.RoundRobin or SchedulerKind.LeastConnection ? "it looks at no weights" : "a table that changed with each weight would move clients to and fro";
            problems.Add(at, $"`slowStart` means nothing to {name}: {why}", "remove it, or take a scheduler such as wrr or wlc");
        }
    }

    // Who says that clients are refused and names somebody to answer them says two things.
    private static void RefuseUnheard(Fields fields, ProblemList problems)
    {
        if (fields.FindValue(VS.Panic) == Panic.Refuse && fields.IsWritten(VS.SorryServer) && !fields.IsWritten(VS.Quorum))
            problems.Add(fields.AtOf(VS.Panic), "`panic: refuse` leaves the sorry server nothing to do", "remove one of the two");
    }
}
