using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Packets.Decap;

/// <summary>What a real server behind a tunnel is told.</summary>
public sealed record DecapSettings
{
    /// <summary>Names of the interfaces on which tunnelled packets come in; at least one.</summary>
    public required ImmutableArray<string> Interfaces { get; init; }

    /// <summary>The virtual addresses that it serves; packets for any other address do not come out of a tunnel.</summary>
    public required ImmutableArray<IPAddress> VirtualAddresses { get; init; }

    /// <summary>Where tunnels end: addresses of this machine.</summary>
    public required ImmutableArray<IPAddress> Ends { get; init; }

    /// <summary>UDP port of GUE. 1 to 65535.</summary>
    public int GuePort { get; init; } = 6080; // IANA: gue

    /// <summary>Where on the interfaces it is attached.</summary>
    public AttachMode Attach { get; init; } = AttachMode.Auto;
}
