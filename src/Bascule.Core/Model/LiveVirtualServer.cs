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
    private readonly Scheduler _chooser;
    private ServingState _standing = new(Serving.Main, 0, HasQuorum: null);

    internal LiveVirtualServer(VirtualServer configured, Scheduler scheduler, ClientSessions? sessions, CookieSessions? cookies, ImmutableArray<LiveRealServer> realServers, ImmutableArray<HealthRecord?> healthRecords,
        LiveRealServer? sorryServer, VirtualServerCounters[] counters)
    {
        Configured = configured;
        Scheduler = _chooser = scheduler;
        Sessions = sessions;
        Cookies = cookies;
        RealServers = realServers;
        HealthRecords = healthRecords;
        SorryServer = sorryServer;
        Counters = counters;
    }

    /// <summary>As meant by the file.</summary>
    public VirtualServer Configured { get; }

    /// <summary>Its choices are indexes into <see cref="RealServers"/>; it does not choose fallback servers.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>Who returns to which real server; null where nothing is remembered of clients. What it knows is kept over reloads.</summary>
    public ClientSessions? Sessions { get; }

    /// <summary>Persistence by cookie; null where there is none.</summary>
    public CookieSessions? Cookies { get; }

    /// <summary>In the order of the file; fallback servers at the end.</summary>
    public ImmutableArray<LiveRealServer> RealServers { get; }

    /// <summary>Chooses among the fallback servers; null where there are none.</summary>
    internal Scheduler? FallbackScheduler
    {
        init => _chooser = value is null ? Scheduler : new Tiers(RealServers, Scheduler, Configured.RealServers.Count(r => !r.IsFallback), value);
    }

    /// <summary>Who serves it. Written by who keeps weights.</summary>
    public ServingState Standing
    {
        get => Volatile.Read(ref _standing);
        internal set => Volatile.Write(ref _standing, value);
    }

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
    public int Pick(in ClientAddress client, in TriedServers tried, Random random, out SessionHold hold) => Pick(client, claim: default, tried, random, out hold);

    /// <summary>The same for an HTTP request.</summary>
    /// <param name="claim">What it says of its session.</param>
    /// <inheritdoc cref="Pick(in ClientAddress, in TriedServers, Random, out SessionHold)"/>
    public int Pick(in ClientAddress client, in SessionClaim claim, in TriedServers tried, Random random, out SessionHold hold)
    {
        hold = default;
        if (Cookies is not null)
            return Cookies.Pick(client, claim, tried, _chooser, random);
        if (Sessions is null)
            return _chooser.Pick(client, tried, random);
        return Sessions.IsBySource
            ? Sessions.Pick(client, tried, _chooser, random, out hold)
            : Sessions.Pick(client, claim, tried, _chooser, random, out hold);
    }
}

/// <summary>What one worker counted for one virtual server. Written by that worker alone.</summary>
public sealed class VirtualServerCounters
{
    private readonly long[] _outcomes = new long[Enum.GetValues<ForwardOutcome>().Length];

    /// <summary>Client connections accepted, or UDP sessions begun (or datagrams, where each is scheduled by itself).</summary>
    public long Connections { get; set; }

    /// <summary>Client connections or UDP sessions open now.</summary>
    public long OpenConnections { get; set; }

    /// <summary>Counts an ending.</summary>
    public void Count(ForwardOutcome outcome) => _outcomes[(int)outcome]++;

    /// <summary>Counts several of a kind; there may be none.</summary>
    public void Count(ForwardOutcome outcome, int times) => _outcomes[(int)outcome] += times;

    /// <summary>How often it ended so.</summary>
    public long this[ForwardOutcome outcome] => Volatile.Read(ref _outcomes[(int)outcome]);
}
