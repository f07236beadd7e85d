using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary><c>nq</c>: the first of the list that has nothing to do; when all are busy, the <see cref="ShortestExpectedDelay"/>.</summary>
public sealed class NeverQueue(ImmutableArray<LiveRealServer> realServers) : Scheduler(realServers)
{
    private readonly ShortestExpectedDelay _whenAllAreBusy = new(realServers);

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        for (int index = 0; index < RealServers.Length; index++)
        {
            if (RealServers[index].ActiveConnections == 0 && IsUsable(index, tried))
                return index;
        }

        return _whenAllAreBusy.Pick(client, tried, random);
    }
}
