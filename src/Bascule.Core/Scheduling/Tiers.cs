using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>The real servers' scheduler, and that of the fallback servers for whom the first finds nobody. The fallback servers stand at the end of the list.</summary>
internal sealed class Tiers(ImmutableArray<LiveRealServer> realServers, Scheduler main, int mainCount, Scheduler fallback) : Scheduler(realServers)
{
    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        // The last try is a fallback server's, however many real servers are left that would most likely fail as well.
        bool isLast = tried.Count == TriedServers.Capacity - 1;
        int index = isLast ? None : main.Pick(client, tried, random);
        if (index != None)
            return index;
        index = fallback.Pick(client, tried.From(mainCount), random);
        if (index != None)
            return index + mainCount;
        return isLast ? main.Pick(client, tried, random) : None;
    }
}
