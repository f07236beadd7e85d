using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// Chooses the real server for a connection or request. One object serves all workers at once, so what it remembers fits one
/// atomic word (or an <see cref="AddressTable{TValue}"/>); it never locks and never allocates.
/// </summary>
public abstract class Scheduler(ImmutableArray<LiveRealServer> realServers)
{
    /// <summary>No real server can take the connection.</summary>
    public const int None = -1;

    /// <summary>Those it chooses from, in the order of the file.</summary>
    protected ImmutableArray<LiveRealServer> RealServers { get; } = realServers;

    /// <summary>The scheduler of that name over these real servers.</summary>
    /// <param name="weights">
    /// Theirs, in the same order, as they will be once the snapshot is published; until then <see cref="LiveRealServer.Weight"/> still
    /// has those in force. Only a scheduler that builds a table looks at them, the others read the weight in force at each choice.
    /// </param>
    /// <param name="key">Of the hash of <c>mh</c>.</param>
    /// <param name="time">For those that forget.</param>
    public static Scheduler Create(SchedulerKind kind, SchedulerFlags flags, ImmutableArray<LiveRealServer> realServers, ReadOnlySpan<int> weights,
        FlowHashKey key, TimeProvider time) => kind switch
        {
            SchedulerKind.RoundRobin => new RoundRobin(realServers),
            SchedulerKind.WeightedRoundRobin => new WeightedRoundRobin(realServers),
            SchedulerKind.LeastConnection => new LeastConnection(realServers),
            SchedulerKind.WeightedLeastConnection => new WeightedLeastConnection(realServers),
            SchedulerKind.ShortestExpectedDelay => new ShortestExpectedDelay(realServers),
            SchedulerKind.NeverQueue => new NeverQueue(realServers),
            SchedulerKind.Random => new WeightedRandom(realServers),
            SchedulerKind.PowerOfTwoChoices => new PowerOfTwoChoices(realServers),
            SchedulerKind.SourceHash or SchedulerKind.MaglevHash or SchedulerKind.DestinationHash =>
                new HashScheduler(HashTable.KindOf(kind), flags, realServers, weights, key),
            SchedulerKind.FailOver => new FailOver(realServers),
            SchedulerKind.Overflow => new Overflow(realServers),
            SchedulerKind.LocalityLeastConnection => new LocalityLeastConnection(realServers, time),
            SchedulerKind.LocalityLeastConnectionReplicated => new LocalityLeastConnectionReplicated(realServers, time),
            SchedulerKind.LeastTime => new LeastTime(realServers, time),
            SchedulerKind.RequestHash => new RequestHash(flags, realServers, weights, key),
        };

    /// <summary>Whether it looks at the address the client asked for; otherwise that need not be told.</summary>
    public virtual bool GoesByDestination => false;

    /// <summary>Whether it goes by <see cref="LiveRealServer.AnswerTime"/>; otherwise that need not be noted.</summary>
    public virtual bool GoesByTime => false;

    /// <summary>Chooses.</summary>
    /// <param name="client">Who asks for what; only schedulers that go by addresses look at it.</param>
    /// <param name="tried">Real servers that already failed this connection or request; never chosen again.</param>
    /// <param name="random">The worker's own source of chance.</param>
    /// <returns>An index into the real servers, or <see cref="None"/>.</returns>
    public abstract int Pick(in ClientAddress client, in TriedServers tried, Random random);

    /// <summary>Whether the real server may be chosen: up, weight above 0, not tried yet.</summary>
    protected bool IsUsable(int index, in TriedServers tried) => RealServers[index].TakesConnections && !tried.Contains(index);

    /// <summary>The first of the list that may be chosen.</summary>
    private protected int FirstUsable(in TriedServers tried)
    {
        for (int index = 0; index < RealServers.Length; index++)
        {
            if (IsUsable(index, tried))
                return index;
        }

        return None;
    }
}
