using System.Collections.Immutable;
using Bascule.Core.Health;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;

namespace Bascule.Core.Model;

/// <summary>
/// One virtual server at work: its configuration, its scheduler, its real servers. A reload that does not change its
/// configuration keeps this very object, so engines see "unchanged" by comparing references.
/// </summary>
public sealed class LiveVirtualServer
{
    internal LiveVirtualServer(VirtualServer configured, Scheduler scheduler, ClientSessions? sessions, ImmutableArray<LiveRealServer> realServers, ImmutableArray<HealthRecord?> healthRecords,
        LiveRealServer? sorryServer, VirtualServerCounters[] counters)
    {
        Configured = configured;
        Scheduler = scheduler;
        Sessions = sessions;
        RealServers = realServers;
        HealthRecords = healthRecords;
        SorryServer = sorryServer;
        Counters = counters;
    }

    /// <summary>As meant by the file.</summary>
    public VirtualServer Configured { get; }

    /// <summary>Its choices are indexes into <see cref="RealServers"/>.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>Who returns to which real server; null where there is no persistence. What it knows is kept over reloads.</summary>
    public ClientSessions? Sessions { get; }

    /// <summary>In the order of the file.</summary>
    public ImmutableArray<LiveRealServer> RealServers { get; }

    /// <summary>Of each real server, in the same order, the record of the check that is configured; in force once the snapshot is published.</summary>
    public ImmutableArray<HealthRecord?> HealthRecords { get; }

    /// <summary>Answers when no real server can; null means nobody does.</summary>
    public LiveRealServer? SorryServer { get; }

    /// <summary>What each worker counted; a worker writes only its own. Kept over reloads.</summary>
    public VirtualServerCounters[] Counters { get; }

    /// <summary>Chooses the real server: the one the client returns to, where there is persistence, else the scheduler's choice.</summary>
    /// <param name="hold">To be released when the connection or request has ended.</param>
    /// <returns>An index into <see cref="RealServers"/>, or <see cref="Scheduler.None"/>.</returns>
    /// <inheritdoc cref="Scheduler.Pick"/>
    public int Pick(in ClientAddress client, in TriedServers tried, Random random, out SessionHold hold)
    {
        if (Sessions is not null)
            return Sessions.Pick(client, tried, Scheduler, random, out hold);
        hold = default;
        return Scheduler.Pick(client, tried, random);
    }
}

/// <summary>What one worker counted for one virtual server. Written by that worker alone.</summary>
public sealed class VirtualServerCounters
{
    private readonly long[] _outcomes = new long[Enum.GetValues<ForwardOutcome>().Length];

    /// <summary>Client connections accepted.</summary>
    public long Connections { get; set; }

    /// <summary>Client connections open now.</summary>
    public long OpenConnections { get; set; }

    /// <summary>Counts an ending.</summary>
    public void Count(ForwardOutcome outcome) => _outcomes[(int)outcome]++;

    /// <summary>How often it ended so.</summary>
    public long this[ForwardOutcome outcome] => Volatile.Read(ref _outcomes[(int)outcome]);
}
