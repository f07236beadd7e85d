using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>The real servers' scheduler, and that of the fallback servers for whom the first finds nobody. The fallback servers stand at the end of the list.</summary>
internal sealed class Tiers(ImmutableArray<LiveRealServer> realServers, Scheduler main, int mainCount, Scheduler fallback) : Scheduler(realServers)
{
    /// <inheritdoc/>
    public override bool GoesByDestination => main.GoesByDestination;

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        int index = main.Pick(client, tried, random);
        if (index != None)
            return index;
        index = fallback.Pick(client, tried.From(mainCount), random);
        return index == None ? None : index + mainCount;
    }
}
