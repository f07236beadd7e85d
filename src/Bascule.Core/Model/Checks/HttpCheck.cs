namespace Bascule.Core.Model;

/// <summary>Does it answer this request as expected?</summary>
public sealed record HttpCheck : Check
{
    /// <inheritdoc/>
    public override string Words => $"{(Tls is null ? "http" : "https")} {Path}";

    /// <summary>For example <c>GET</c> or <c>HEAD</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Request target in origin form; starts with a slash.</summary>
    public required string Path { get; init; }

    /// <summary>Value of the Host field; null means the address and port asked.</summary>
    public required string? Host { get; init; }

    /// <summary>Further header fields, in order.</summary>
    public required ValueList<HeaderField> Headers { get; init; }

    /// <summary>Status codes that pass.</summary>
    public required ValueList<StatusRange> Expect { get; init; }

    /// <summary>Text that the first 64 KiB of the body must contain; null means any body passes.</summary>
    public required string? BodyContains { get; init; }

    /// <summary>.NET regular expression, matched without backtracking, for the first 64 KiB of the body; null means any body passes.</summary>
    public required string? BodyMatches { get; init; }

    /// <summary>Fields that the answer's head must have, each with a text that its value must contain.</summary>
    public ValueList<HeaderField> ExpectHeaders { get; init; } = [];

    /// <summary>Text that the first 64 KiB of the body must not contain; null: anything may stand there.</summary>
    public string? BodyNotContains { get; init; }

    /// <summary>What the whole body, less than 1 MiB, comes to; null: anything.</summary>
    public BodyDigest? BodyDigest { get; init; }

    /// <summary>What is asked of its TLS; null: it speaks none.</summary>
    public TlsTerms? Tls { get; init; }
}

/// <summary>A header field. RFC 9110 §5.</summary>
public sealed record HeaderField(string Name, string Value);

/// <summary>Status codes from <paramref name="First"/> to <paramref name="Last"/>, both included. RFC 9110 §15.</summary>
public readonly record struct StatusRange(int First, int Last)
{
    /// <summary>Whether the code lies in the range.</summary>
    public bool Contains(int status) => status >= First && status <= Last;
}

/// <summary>What a body comes to.</summary>
/// <param name="Kind">How it is reckoned.</param>
/// <param name="Hex">Small hexadecimal digits.</param>
public sealed record BodyDigest(DigestKind Kind, string Hex);

/// <summary>How a digest is reckoned.</summary>
public enum DigestKind
{
    /// <summary>SHA-256, 64 digits.</summary>
    Sha256,

    /// <summary>MD5, 32 digits: what keepalived's genhash prints.</summary>
    Md5,
}
