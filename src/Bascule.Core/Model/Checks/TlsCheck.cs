namespace Bascule.Core.Model;

/// <summary>Does it make a TLS connection, with a certificate that is trusted?</summary>
public sealed record TlsCheck : Check
{
    /// <inheritdoc cref="TlsTerms"/>
    public required TlsTerms Tls { get; init; }

    /// <inheritdoc/>
    public override string Words => Tls.ServerName is { } name ? $"tls {name}" : "tls";
}

/// <summary>What is asked of the TLS that a real server speaks.</summary>
public sealed record TlsTerms
{
    /// <summary>Sent as SNI (RFC 6066 §3), and the name the certificate must be for; null: no name is sent, and none is compared.</summary>
    public required string? ServerName { get; init; }

    /// <summary>Whether the certificate must be trusted: its chain, its dates and, where one is known, its name.</summary>
    public required bool Verifies { get; init; }

    /// <summary>PEM file of the certificates of those who may sign; null: whom this machine trusts.</summary>
    public required string? AuthorityFile { get; init; }

    /// <summary>SHA-256 of the one certificate that is accepted; null: any.</summary>
    public required ValueList<byte>? Pin { get; init; }

    /// <summary>So long before the certificate expires the check begins to warn; zero: never.</summary>
    public required TimeSpan WarnBefore { get; init; }
}
