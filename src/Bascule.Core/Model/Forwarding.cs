using System.Net;

namespace Bascule.Core.Model;

/// <summary>How what a client sends reaches a real server.</summary>
public abstract record Forwarding
{
    /// <summary>The default.</summary>
    public static Forwarding Proxy { get; } = new ProxyForwarding();
}

/// <summary>The director accepts the connection itself and opens another to the real server.</summary>
public sealed record ProxyForwarding : Forwarding;

/// <summary>
/// The destination of each packet is rewritten to the real server's address and port. Answers must come back through the director,
/// which rewrites their source: the real server's default route points at it, unless <see cref="Full"/> is set.
/// </summary>
/// <param name="Full">Also rewrite the source, so that real servers need no route back; null: real servers see the client's address.</param>
public sealed record NatForwarding(FullNat? Full) : Forwarding;

/// <summary>What real servers see as the client of full NAT.</summary>
/// <param name="Source">An address of the director, of the virtual server's family.</param>
/// <param name="FirstPort">First port of the pool, 1 to 65535.</param>
/// <param name="LastPort">Last port of the pool, not below the first.</param>
public sealed record FullNat(IPAddress Source, int FirstPort, int LastPort);

/// <summary>
/// Only the destination MAC is rewritten. The real server is on a network of the director's, holds the virtual address without answering
/// ARP for it, and answers the client itself. Its port is the virtual server's.
/// </summary>
public sealed record DirectRouting : Forwarding;

/// <summary>
/// Each packet is put into another, to the real server, which takes it out (<c>bascule decap</c>) and answers the client itself. The
/// families inside and outside may differ. The port is the virtual server's.
/// </summary>
/// <param name="Kind">What the outer packet is.</param>
/// <param name="Port">UDP port of <see cref="TunnelKind.Gue"/>, 1 to 65535; 0 for the others.</param>
/// <param name="Sources">
/// Outer source addresses, of the real server's family. Bits after the prefix length come from the flow's hash, so that the real server's
/// receive queues share the work. Null: the director's own address on the way to the real server.
/// </param>
public sealed record TunnelForwarding(TunnelKind Kind, int Port, IPNetwork? Sources) : Forwarding;

/// <summary>What the outer packet of a tunnel is.</summary>
public enum TunnelKind
{
    /// <summary>IP in IP: RFC 2003, RFC 2473.</summary>
    Ipip,

    /// <summary>Generic UDP encapsulation, variant 1: the bare IP packet in UDP. draft-ietf-intarea-gue §4.</summary>
    Gue,

    /// <summary>Generic routing encapsulation without key: RFC 2784.</summary>
    Gre,
}
