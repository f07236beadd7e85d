namespace Bascule.Core.Model;

/// <summary>Does it answer this request as expected?</summary>
public sealed record HttpCheck : Check
{
    /// <inheritdoc/>
    public override string Words => $"http {Path}";

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
}

/// <summary>A header field. RFC 9110 §5.</summary>
public sealed record HeaderField(string Name, string Value);

/// <summary>Status codes from <paramref name="First"/> to <paramref name="Last"/>, both included. RFC 9110 §15.</summary>
public readonly record struct StatusRange(int First, int Last)
{
    /// <summary>Whether the code lies in the range.</summary>
    public bool Contains(int status) => status >= First && status <= Last;
}
