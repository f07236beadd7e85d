using System.Net;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Model;

/// <summary>The packet datapath as a whole.</summary>
public sealed record PacketSettings
{
    /// <summary>Names of the interfaces it is attached to; at least one, none twice.</summary>
    public required ValueList<string> Interfaces { get; init; }

    /// <summary>Where on the interface it is attached.</summary>
    public required AttachMode Attach { get; init; }

    /// <summary>Where <see cref="StateFolder"/> is when the file does not say.</summary>
    public const string UsualStateFolder = "/sys/fs/bpf/bascule";

    /// <summary>Folder on a bpffs in which programs, maps and links are pinned, so that they outlive the daemon.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Flows that can be recorded at a time, of each address family. 1,024 to 67,108,864.</summary>
    public required int Flows { get; init; }

    /// <summary>New flows a second and processor above which the flood governor acts. 0: never.</summary>
    public required int FloodNewFlowsPerSecond { get; init; }

    /// <summary>Where the secret of the keyed hash comes from; null: made at the first start and kept with the pins.</summary>
    public required HashKeySource? HashKey { get; init; }
}

/// <summary>Where on an interface the datapath is attached.</summary>
public enum AttachMode
{
    /// <summary>The first of the others, in their order, that the interface takes.</summary>
    Auto,

    /// <summary>XDP in the driver.</summary>
    Native,

    /// <summary>XDP in the kernel's receive path: for drivers without XDP.</summary>
    Generic,

    /// <summary>tcx ingress, after the kernel has made its own picture of the packet (Linux 6.6).</summary>
    Tcx,
}

/// <summary>Where the secret of the keyed hash comes from.</summary>
public abstract record HashKeySource;

/// <summary>It stands in the configuration.</summary>
public sealed record GivenHashKey(FlowHashKey Key) : HashKeySource;

/// <summary>It stands in a file, as 32 hexadecimal digits.</summary>
public sealed record HashKeyFile(string Path) : HashKeySource;

/// <summary>It is derived from the secret that this director shares with a peer, so that both have the same; read when the daemon starts.</summary>
/// <param name="Peer">Whose.</param>
/// <param name="Secret">What the two know.</param>
public sealed record SharedHashKey(string Peer, SecretSource Secret) : HashKeySource;

/// <summary>What the datapath does for one virtual server beside scheduling.</summary>
public sealed record PacketRules
{
    /// <summary>What is done when nothing is said.</summary>
    public static PacketRules Default { get; } = new();

    /// <summary>UDP: each packet is scheduled by itself; the datapath records no flow. On the proxy, too.</summary>
    public bool OnePacket { get; init; }

    /// <summary>A recorded flow whose real server is down or gone is scheduled anew; otherwise its packets are dropped, for the server may come back.</summary>
    public bool ExpireNoDestination { get; init; }

    /// <summary>
    /// Clients that are let in; empty: everyone who is not denied. Of <see cref="Allow"/> and <see cref="Deny"/> together the longest prefix that
    /// holds the client decides.
    /// </summary>
    public ValueList<IPNetwork> Allow { get; init; } = [];

    /// <summary>Clients whose packets are dropped.</summary>
    public ValueList<IPNetwork> Deny { get; init; } = [];

    /// <summary>New flows a second and processor; 0: no bound.</summary>
    public int NewFlowsPerSecond { get; init; }

    /// <summary>Packets a second of one source address; 0: no bound.</summary>
    public int PacketsPerSecondPerSource { get; init; }

    /// <inheritdoc cref="Model.FlowTimeouts"/>
    public FlowTimeouts FlowTimeouts { get; init; } = new();
}

/// <summary>How long a recorded flow may be silent. Whole seconds. The other states' timeouts are IPVS's.</summary>
public sealed record FlowTimeouts
{
    /// <summary>TCP, established.</summary>
    public TimeSpan Established { get; init; } = TimeSpan.FromMinutes(15); // IPVS: TCP ESTABLISHED

    /// <summary>TCP, after the first FIN.</summary>
    public TimeSpan Fin { get; init; } = TimeSpan.FromMinutes(2); // IPVS: TCP FIN_WAIT

    /// <summary>UDP.</summary>
    public TimeSpan Udp { get; init; } = TimeSpan.FromMinutes(5); // IPVS: UDP
}
