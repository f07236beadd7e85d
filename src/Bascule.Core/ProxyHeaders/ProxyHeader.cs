using Bascule.Core.Scheduling;

namespace Bascule.Core.ProxyHeaders;

/// <summary>What the beginning of a connection is, read as a header of the PROXY protocol. All but the first two end the connection.</summary>
public enum ProxyHeaderResult
{
    /// <summary>A whole header.</summary>
    Complete,

    /// <summary>The beginning of one.</summary>
    Incomplete,

    /// <summary>Something else.</summary>
    Missing,

    /// <summary>It does not keep to the protocol.</summary>
    Malformed,

    /// <summary>It is longer than <see cref="ProxyHeader.LongestV1"/> or <see cref="ProxyHeader.LongestV2"/>.</summary>
    TooLong,

    /// <summary>Its CRC32c does not fit. §2.2.4.</summary>
    WrongChecksum,
}

/// <summary>A header of the PROXY protocol, in front of the bytes of a connection.</summary>
/// <param name="Length">Its bytes; what the client said follows them.</param>
public readonly record struct ProxyHeader(int Length)
{
    /// <summary>§2.1: "PROXY TCP6", two addresses and two ports, at their longest, and a line's end.</summary>
    public const int LongestV1 = 107;

    /// <summary>
    /// Bytes of a header of version 2, of up to 65,551 by the protocol. Ours: the addresses take 52, the rest are TLVs, which are skipped; the largest one known to be sent is a
    /// client's certificate.
    /// </summary>
    public const int LongestV2 = 4096;

    /// <summary>Room for any header that is written.</summary>
    public const int LongestWritten = LongestV1;

    /// <summary>Whether it says who is connected to whom; otherwise (LOCAL, UNKNOWN, unix sockets) the connection's own addresses stay.</summary>
    public bool HasAddresses { get; init; }

    /// <summary>The client. An IPv4 address that is written as IPv6 (::ffff:192.0.2.1) is IPv4 again.</summary>
    public ClientAddress Source { get; init; }

    /// <summary>Where the client connected.</summary>
    public ClientAddress Destination { get; init; }
}
