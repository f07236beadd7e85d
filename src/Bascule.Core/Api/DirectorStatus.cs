using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Api;

/// <summary>What the running daemon says about itself and everything it balances: <c>GET /v1/status</c>.</summary>
public sealed record DirectorStatus
{
    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>Process id of the daemon.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The file the configuration came from, with its whole path.</summary>
    public required string ConfigurationFile { get; init; }

    /// <summary>When the daemon started, UTC.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When this was written, UTC: what "how long ago" is reckoned from.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Reactor threads.</summary>
    public required int Workers { get; init; }

    /// <summary>1 at start, one more with each reload.</summary>
    public required long Snapshot { get; init; }

    /// <summary>The packet datapath; null when this director has none.</summary>
    public required PacketStatus? Packets { get; init; }

    /// <summary>What it is for each instance of <c>ha</c>, in the order of the file; null where it is alone.</summary>
    public ImmutableArray<InstanceRole>? Roles { get; init; }

    /// <summary>Changes that are in force and not in the file, the oldest first: the next reload or restart drops them.</summary>
    public ImmutableArray<UnsavedChange> Unsaved { get; init; } = [];

    /// <summary>In the order of the file.</summary>
    public required ImmutableArray<VirtualServerStatus> VirtualServers { get; init; }
}

/// <summary>One virtual server: what it is, and what it has done since it was first configured.</summary>
public sealed record VirtualServerStatus
{
    /// <summary>The key under <c>virtualServers</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The first of <see cref="Addresses"/>.</summary>
    public string Address => Addresses[0];

    /// <summary>Where clients connect: <c>192.0.2.10:80</c>, <c>192.0.2.10:8000-8099</c>, <c>[2001:db8::1]:80</c>; at least one.</summary>
    public required ImmutableArray<string> Addresses { get; init; }

    /// <inheritdoc cref="VirtualServer.Protocol"/>
    public required VirtualServerProtocol Protocol { get; init; }

    /// <summary>The scheduler's short name, as in the file: <c>wlc</c>.</summary>
    public required string Scheduler { get; init; }

    /// <summary>What is said about the scheduler beside its name, as IPVS names it: <c>mh-fallback</c>, <c>sh-port</c>.</summary>
    public required ImmutableArray<string> SchedulerFlags { get; init; }

    /// <summary>How its real servers are reached unless they say otherwise, as the file says it: <c>proxy</c>, <c>dr</c>, <c>tun ipip</c>.</summary>
    public required string Forwarding { get; init; }

    /// <summary>What is wanted of the whole virtual server; null where nobody said anything.</summary>
    public AdministrationStatus? Administration { get; init; }

    /// <summary>The same client returns to the same real server; null: the scheduler alone decides.</summary>
    public required PersistenceStatus? Persistence { get; init; }

    /// <summary>The PROXY protocol; null: no headers are awaited or sent.</summary>
    public ProxyProtocolStatus? ProxyProtocol { get; init; }

    /// <summary>Real servers see clients' own addresses.</summary>
    public bool IsTransparent { get; init; }

    /// <summary>UDP: each packet is scheduled by itself.</summary>
    public required bool OnePacket { get; init; }

    /// <summary>Client connections accepted; of UDP, sessions begun (datagrams with <see cref="OnePacket"/>); on the datapath, flows scheduled.</summary>
    public required long Connections { get; init; }

    /// <summary>Client connections or UDP sessions open now; on the datapath, recorded flows that are established.</summary>
    public required long OpenConnections { get; init; }

    /// <summary>TCP connections, HTTP requests or UDP sessions that have ended, whatever their outcome, and datagrams that were dropped. 0 on the datapath, which does not ask how they end.</summary>
    public required long Requests { get; init; }

    /// <summary>How they ended; an outcome that never happened is absent.</summary>
    public required ImmutableSortedDictionary<ForwardOutcome, long> Outcomes { get; init; }

    /// <summary>What went through since it was first configured; null on the datapath while that does not run.</summary>
    public required TrafficCount? Traffic { get; init; }

    /// <summary>What goes through in a second; null before it was estimated.</summary>
    public required TrafficRate? Rate { get; init; }

    /// <summary>Who serves it now.</summary>
    public Serving Serving { get; init; }

    /// <summary>How much is alive, and how much must be; null: no quorum is asked for.</summary>
    public QuorumStatus? Quorum { get; init; }

    /// <summary>In the order of the file, fallback servers behind the others; the sorry server, if there is one, comes last.</summary>
    public required ImmutableArray<RealServerStatus> RealServers { get; init; }
}

/// <summary>The PROXY protocol of one virtual server.</summary>
/// <param name="From">Peers whose connections begin with a header: <c>10.0.0.0/8</c>.</param>
/// <param name="Send">What connections to real servers begin with: <c>v1</c>, <c>v2</c>; null: no header.</param>
public sealed record ProxyProtocolStatus(ImmutableArray<string> From, string? Send);

/// <summary>One real server of one virtual server.</summary>
public sealed record RealServerStatus
{
    /// <summary>Where the director connects.</summary>
    public required string Address { get; init; }

    /// <summary>How traffic reaches it, as the file says it: <c>proxy</c>, <c>nat</c>, <c>nat full</c>, <c>dr</c>, <c>tun ipip</c>.</summary>
    public required string Forwarding { get; init; }

    /// <summary>The weight in force, 0 to 65535; while it starts slowly, rounded up.</summary>
    public required int Weight { get; init; }

    /// <summary>What its check makes of its configured weight, 0 to 1000 percent; null: it says nothing, or a weight of its own.</summary>
    public int? AdvisedPercent { get; init; }

    /// <summary>What part of its weight it has: less than 100 percent while it starts slowly.</summary>
    public int Share { get; init; } = 100;

    /// <inheritdoc cref="RealServerState"/>
    public required RealServerState State { get; init; }

    /// <summary>What is wanted of it, and who said so; null where nobody said anything.</summary>
    public AdministrationStatus? Administration { get; init; }

    /// <summary>It gets work only while the others cannot serve.</summary>
    public bool IsFallback { get; init; }

    /// <summary>With so many connections it takes no new ones; null: no bound.</summary>
    public required int? MaxConnections { get; init; }

    /// <summary>With fewer it takes new ones again; null without <see cref="MaxConnections"/>.</summary>
    public required int? ResumeConnections { get; init; }

    /// <summary>What keeps packets from reaching it though its check passes: <c>no route to 10.0.0.11</c>; null: nothing.</summary>
    public required string? Trouble { get; init; }

    /// <summary>Why it is ejected, and until when; null when it is not.</summary>
    public Ejection? Ejection { get; init; }

    /// <summary>Since when it is up or down, UTC; null when it is not checked.</summary>
    public required DateTimeOffset? Since { get; init; }

    /// <summary>Why this director cannot ask it, so that it stays as it was: <c>the password cannot be read: …</c>; null: it can, or it is not checked.</summary>
    public string? NotAsked { get; init; }

    /// <summary>The check's last answer; null when it is not checked or has not answered yet.</summary>
    public required CheckStatus? LastCheck { get; init; }

    /// <summary>TCP connections being relayed, HTTP requests being answered, or UDP sessions. On the datapath, recorded flows that are established.</summary>
    public required long ActiveConnections { get; init; }

    /// <summary>Connections kept open for the next request. On the datapath, recorded flows in any other state, as in IPVS.</summary>
    public required long InactiveConnections { get; init; }

    /// <summary>Connections opened to it; of UDP, sessions begun (datagrams with <see cref="VirtualServerStatus.OnePacket"/>).</summary>
    public required long Connections { get; init; }

    /// <summary>TCP connections, HTTP requests or UDP sessions given to it.</summary>
    public required long Requests { get; init; }

    /// <summary>Times it refused a connection, broke off or answered too late.</summary>
    public required long Failures { get; init; }

    /// <summary>Bytes sent to it.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Bytes received from it. On the datapath only where answers come back through the director.</summary>
    public required long BytesOut { get; init; }

    /// <summary>What went through; null on the datapath while that does not run.</summary>
    public required TrafficCount? Traffic { get; init; }

    /// <summary>What goes through in a second; null before it was estimated.</summary>
    public required TrafficRate? Rate { get; init; }
}

/// <summary>How a client is known again, and for how long.</summary>
/// <param name="By">What it is known by: <c>source</c>, <c>cookie</c> (the director's), <c>learned cookie</c>, <c>learned header</c>.</param>
public sealed record PersistenceStatus(string By)
{
    /// <summary>After its last connection or request; null: until the browser is closed.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Bits of an IPv4 address that make one client; null where it is not known by its address.</summary>
    public int? Mask4 { get; init; }

    /// <summary>Bits of an IPv6 address that make one client; null where it is not known by its address.</summary>
    public int? Mask6 { get; init; }

    /// <summary>Of the cookie or header field; null where there is none.</summary>
    public string? Name { get; init; }
}

/// <summary>How much is alive, and how much must be.</summary>
/// <param name="LiveWeight">The sum of the weights of those that are up.</param>
/// <param name="Up">What it must reach.</param>
/// <param name="Hysteresis">It is lost below <paramref name="Up"/> less this, and gained from <paramref name="Up"/> plus this.</param>
/// <param name="Has">Whether there is a quorum; null: not every real server has answered its first check.</param>
public sealed record QuorumStatus(int LiveWeight, int Up, int Hysteresis, bool? Has);

/// <summary>Whether a real server is given work, and if not, for which of the reasons.</summary>
public enum RealServerState
{
    /// <summary>It takes new connections.</summary>
    Up,

    /// <summary>Its check fails, or has not passed yet.</summary>
    Down,

    /// <summary>In maintenance: it gets nothing, whatever its check says; open connections finish.</summary>
    Maintenance,

    /// <summary>Its answers to clients were so bad that it gets nothing for a while, whatever its check says.</summary>
    Ejected,

    /// <summary>It is well and drained: no new clients; who has a connection or a session there goes on.</summary>
    Drain,

    /// <summary>It is well but has weight 0: no new connections, old ones finish.</summary>
    Quiesced,

    /// <summary>It is well but has as many connections as it may: no new ones until it has fewer.</summary>
    Full,

    /// <summary>A fallback server that is well, while others serve; or one that is well and gets no new clients because there is no quorum.</summary>
    Standby,

    /// <summary>The sorry server: it answers when no other can.</summary>
    Sorry,
}

/// <summary>The answer to a real server's last check.</summary>
public sealed record CheckStatus
{
    /// <summary>Whether it was the expected answer.</summary>
    public required bool Passed { get; init; }

    /// <summary>The answer in a few words: <c>200 in 1 ms</c>, <c>connection refused</c>.</summary>
    public required string Why { get; init; }

    /// <summary>When it came, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How loaded it said it is, 1 being as much as it can; null: it did not say.</summary>
    public double? Load { get; init; }

    /// <summary>What will be wrong soon though the check passes, such as a certificate that expires; null: nothing.</summary>
    public string? Warning { get; init; }

    /// <summary>What the check's program wrote, at most 4 KiB of each stream; null: nothing, or no program was run.</summary>
    public string? Output { get; init; }
}
