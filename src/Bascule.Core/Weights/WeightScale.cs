using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>
/// Weights are whole numbers, and most files give every real server the weight 1: of that there is no half. Where parts of weights are asked for, they
/// are all multiplied while they are in force, which changes no share: by a slow start, and where a check may say so many percent.
/// </summary>
public static class WeightScale
{
    private const int Most = 100;
    private const int MostWeight = 65_535;

    /// <summary>What the weights of a virtual server are multiplied with: 1 to 100.</summary>
    public static int Of(VirtualServer virtualServer) => AsksForParts(virtualServer) && IsRelative(virtualServer.Scheduler)
        ? int.Clamp(MostWeight / (int.Max(1, virtualServer.RealServers.Max(r => r.Weight)) * Headroom(virtualServer)), 1, Most)
        : 1;

    private static bool AsksForParts(VirtualServer virtualServer) => virtualServer.RealServers.Any(r => r.SlowStart > TimeSpan.Zero) || MayAdvise(virtualServer);

    // A check may ask for more than the configured weight.
    private static int Headroom(VirtualServer virtualServer) => MayAdvise(virtualServer) ? LoadWeight.Most / LoadWeight.Least : 1;

    private static bool MayAdvise(VirtualServer virtualServer) => virtualServer.QuestionsAsked().Any(question => question is AgentCheck or ScriptCheck { LoadWeight: true });

    /// <summary>Whether only the relation of weights counts; to the others a weight is a number of connections too.</summary>
    private static bool IsRelative(SchedulerKind scheduler) => scheduler
        is not (SchedulerKind.Overflow or SchedulerKind.LocalityLeastConnection or SchedulerKind.LocalityLeastConnectionReplicated);
}
