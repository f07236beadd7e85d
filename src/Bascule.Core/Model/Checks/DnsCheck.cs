namespace Bascule.Core.Model;

/// <summary>Does a name server answer this question? RFC 1035.</summary>
public sealed record DnsCheck : Check
{
    /// <summary>The name that is asked for, without a dot at its end; <c>.</c> is the root.</summary>
    public required string Name { get; init; }

    /// <summary>The records that are asked for.</summary>
    public required DnsRecordType RecordType { get; init; }

    /// <summary>What one of the records must say, as zone files write it; null: an answer without an error passes.</summary>
    public required string? Answer { get; init; }

    /// <summary>How it is asked.</summary>
    public required Transport Transport { get; init; }

    /// <inheritdoc/>
    public override string Words => $"dns {Name} {RecordType.ToString().ToUpperInvariant()}";
}

/// <summary>Kinds of records, with their numbers on the wire. RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 2782.</summary>
public enum DnsRecordType
{
    /// <summary>An IPv4 address.</summary>
    A = 1,

    /// <summary>A name server.</summary>
    Ns = 2,

    /// <summary>The name that is meant.</summary>
    Cname = 5,

    /// <summary>The start of a zone.</summary>
    Soa = 6,

    /// <summary>The name of an address.</summary>
    ReverseName = 12,

    /// <summary>A mail server.</summary>
    Mx = 15,

    /// <summary>Any text.</summary>
    Txt = 16,

    /// <summary>An IPv6 address.</summary>
    Aaaa = 28,

    /// <summary>Where a service is.</summary>
    Srv = 33,
}

/// <summary>How a question is sent that both can carry.</summary>
public enum Transport
{
    /// <summary>In a datagram.</summary>
    Udp,

    /// <summary>Over a connection.</summary>
    Tcp,
}
