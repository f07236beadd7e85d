using System.Net;
using Bascule.Core.Sessions;

namespace Bascule.Core.Model;

/// <summary>The whole configuration as meant: complete, checked, defaults applied, immutable.</summary>
public sealed record Configuration
{
    /// <summary>Reactor threads. 1 to 256; null means one per core.</summary>
    public int? Workers { get; init; }

    /// <summary>Path of the unix socket on which the running daemon answers.</summary>
    public required string AdminSocket { get; init; }

    /// <summary>How long requests and connections may take to finish after SIGTERM.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    /// <summary>What every worker holds itself to.</summary>
    public required Limits Limits { get; init; }

    /// <summary>The packet datapath; null: there is none, and every virtual server is on the proxy.</summary>
    public PacketSettings? Packets { get; init; }

    /// <summary>Whole path of the file in which operators' states are kept.</summary>
    public string StateFile { get; init; } = "/var/lib/bascule/state.json";

    /// <summary>This director's name among its peers; null where nothing asks for it.</summary>
    public string? Node { get; init; }

    /// <summary>Signs the cookies of persistence. It stands in no file: whoever runs the configuration puts it in.</summary>
    public CookieKey CookieKey { get; init; } = CookieKey.OfThisProcess;

    /// <summary>Who shares the virtual addresses; null: this director is alone.</summary>
    public HaSettings? Ha { get; init; }

    /// <summary>Who is told of changes of state.</summary>
    public ValueList<Receiver> Notify { get; init; } = [];

    /// <summary>In the order of the file.</summary>
    public required ValueList<VirtualServer> VirtualServers { get; init; }
}

/// <summary>Bounds of one worker, and what it answers when one is reached.</summary>
public sealed record Limits
{
    /// <summary>Client connections and UDP sessions one worker holds at a time; for the next, a session ends, or it is answered with 503 (HTTP), reset (TCP) or dropped (UDP).</summary>
    public required int ConnectionsPerWorker { get; init; }

    /// <summary>Bytes of a message's head, request line included. A larger request gets 431, a larger response 502.</summary>
    public required int HeaderSize { get; init; }

    /// <summary>Bytes of a request line. A longer one gets 414.</summary>
    public required int RequestLineSize { get; init; }

    /// <summary>Header fields in one message. More get 431 (request) or 502 (response).</summary>
    public required int HeaderCount { get; init; }

    /// <summary>Idle connections one worker keeps to one real server; the next idle one is closed.</summary>
    public required int PooledPerRealServer { get; init; }
}

/// <summary>What is switched: TCP connections, each HTTP request by itself, or UDP sessions.</summary>
public enum VirtualServerProtocol
{
    /// <summary>One scheduling decision per connection.</summary>
    Tcp,

    /// <summary>HTTP/1.1: one scheduling decision per request.</summary>
    Http,

    /// <summary>One scheduling decision per session (the datapath calls it a flow), or per packet.</summary>
    Udp,
}

/// <summary>The addresses clients use, with their scheduler and their real servers.</summary>
public sealed record VirtualServer
{
    /// <summary>The key under <c>virtualServers</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Where clients connect: at least one, in the order of the file. All share its scheduler, sessions and counters.</summary>
    public required ValueList<ListenAddress> Addresses { get; init; }

    /// <summary>The first of <see cref="Addresses"/>; to set it is to have only that one.</summary>
    public IPEndPoint Address
    {
        get => Addresses[0].First;
        init => Addresses = [new(value)];
    }

    /// <inheritdoc cref="VirtualServerProtocol"/>
    public required VirtualServerProtocol Protocol { get; init; }

    /// <summary>Chooses the real server.</summary>
    public required SchedulerKind Scheduler { get; init; }

    /// <inheritdoc cref="Model.SchedulerFlags"/>
    public SchedulerFlags SchedulerFlags { get; init; } = SchedulerFlags.None;

    /// <summary>
    /// How its sorry server is reached, and its real servers where they say nothing else (see <see cref="RealServer.Forwarding"/>, which
    /// decides). Either all of these are <see cref="ProxyForwarding"/> or none is.
    /// </summary>
    public Forwarding Forwarding { get; init; } = Forwarding.Proxy;

    /// <summary>Whether it is carried by the proxy; otherwise by the packet datapath.</summary>
    public bool IsProxied => Forwarding is ProxyForwarding;

    /// <summary>The same client returns to the same real server; null: the scheduler alone decides.</summary>
    public Persistence? Persistence { get; init; }

    /// <summary>What the datapath does beside scheduling. Of it the proxy knows <see cref="PacketRules.OnePacket"/>.</summary>
    public PacketRules Packets { get; init; } = PacketRules.Default;

    /// <summary>The question asked of every real server that has none of its own; null means none is asked and they count as up.</summary>
    public required Check? Check { get; init; }

    /// <summary>What this real server is asked; null means nothing, and it counts as up.</summary>
    public Check? CheckOf(RealServer realServer) => realServer.Check switch
    {
        null => Check,
        OnCheck => null,
        { } own => own,
    };

    /// <summary>Every single question that is asked of some real server.</summary>
    public IEnumerable<Check> QuestionsAsked() => RealServers.SelectMany(r => CheckOf(r)?.Questions() ?? []);

    /// <summary>When answers to clients take a real server out; null: they never do.</summary>
    public PassiveCheck? PassiveCheck { get; init; }

    /// <summary>How much must be alive for it to be served as usual; null: anything above 0.</summary>
    public QuorumRule? Quorum { get; init; }

    /// <inheritdoc cref="Model.Panic"/>
    public Panic Panic { get; init; }

    /// <summary>At least one that is no fallback server, in the order of the file, no address twice. Fallback servers stand at the end.</summary>
    public required ValueList<RealServer> RealServers { get; init; }

    /// <summary>Where a check of a real server goes that names no port: where clients are sent, and where those keep their port, that of <see cref="Address"/>.</summary>
    public IPEndPoint CheckedAt(IPEndPoint realServer) => realServer.Port == 0 ? new(realServer.Address, Address.Port) : realServer;

    /// <summary>Answers when no real server can take a connection; null means nobody does. It is never checked. Port 0: as of a <see cref="RealServer"/>.</summary>
    public required IPEndPoint? SorryServer { get; init; }

    /// <summary>Of the whole virtual server, as the file says. What an operator has said since goes before it.</summary>
    public AdministrativeState State { get; init; }

    /// <inheritdoc cref="Model.Timeouts"/>
    public required Timeouts Timeouts { get; init; }

    /// <inheritdoc cref="Model.ProxyProtocol"/>
    public ProxyProtocol? ProxyProtocol { get; init; }

    /// <summary>Connections to real servers come from the client's address; on the proxy alone.</summary>
    public bool IsTransparent { get; init; }
}

/// <summary>A machine that does the work, as configured.</summary>
/// <param name="Address">Where the director connects. Port 0: the one that the client asked for.</param>
/// <param name="Weight">0 to 65535; its share of the work relative to the others. 0 takes no new connections.</param>
public sealed record RealServer(IPEndPoint Address, int Weight)
{
    /// <summary>How it is reached: its own, or that of its virtual server.</summary>
    public Forwarding Forwarding { get; init; } = Forwarding.Proxy;

    /// <summary>What it alone is asked; null: what its virtual server says. See <see cref="VirtualServer.CheckOf"/>.</summary>
    public Check? Check { get; init; }

    /// <summary>As the file says. What an operator has said since goes before it.</summary>
    public AdministrativeState State { get; init; }

    /// <summary>How many connections it is given at most; null: no bound.</summary>
    public ConnectionThresholds? Thresholds { get; init; }

    /// <summary>From coming up to its whole weight; zero: at once.</summary>
    public TimeSpan SlowStart { get; init; }

    /// <summary>It gets work only while the others cannot serve.</summary>
    public bool IsFallback { get; init; }
}

/// <summary>When a real server takes no new connections for having too many. Inactive ones count too on the datapath (as in IPVS), not on the proxy.</summary>
/// <param name="Upper">With so many it takes no more (ipvsadm -x). At least 1.</param>
/// <param name="Lower">With fewer than so many it takes new ones again (ipvsadm -y). 1 to <paramref name="Upper"/>.</param>
public sealed record ConnectionThresholds(int Upper, int Lower);

/// <summary>How long a virtual server waits, and for what.</summary>
public sealed record Timeouts
{
    /// <summary>For a real server to accept a connection; then another real server is tried.</summary>
    public required TimeSpan Connect { get; init; }

    /// <summary>TCP: without a byte in either direction; then both sides are closed. UDP: without a datagram; then the session ends.</summary>
    public required TimeSpan Idle { get; init; }

    /// <summary>HTTP: from the first byte of a request to the end of its head; then 408. Also for the header of the PROXY protocol, where one must come.</summary>
    public required TimeSpan Request { get; init; }

    /// <summary>HTTP: for the head of a response; then 504.</summary>
    public required TimeSpan Response { get; init; }

    /// <summary>HTTP: without progress in the body of a request (408) or a response (the connection is closed).</summary>
    public required TimeSpan Body { get; init; }

    /// <summary>HTTP: a client connection between two requests; then it is closed.</summary>
    public required TimeSpan KeepAlive { get; init; }

    /// <summary>HTTP: a connection to a real server between two requests; then it is closed.</summary>
    public required TimeSpan Pool { get; init; }

    /// <summary>HTTP: without a byte in either direction after an upgrade (WebSocket); then both sides are closed.</summary>
    public required TimeSpan Tunnel { get; init; }
}
