namespace Bascule.Core.Model;

/// <summary>One question asked of a real server. Two checks that are equal ask the same question, and share its answer.</summary>
public abstract record Check
{
    /// <summary>From the start of one check to the start of the next.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>For the whole answer.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Passed checks in a row that bring a real server back.</summary>
    public required int Rise { get; init; }

    /// <summary>Failed checks in a row that take a real server out.</summary>
    public required int Fall { get; init; }

    /// <summary>Port to ask, when it is not the real server's own.</summary>
    public required int? Port { get; init; }

    /// <summary>In place of <see cref="Interval"/> while it is down and stays down; null: the same.</summary>
    public TimeSpan? IntervalDown { get; init; }

    /// <summary>In place of <see cref="Interval"/> before the first answer and while answers disagree with the state; null: the same.</summary>
    public TimeSpan? IntervalUnknown { get; init; }

    /// <summary>How often a failed check is repeated before it counts as failed. 0 to 10.</summary>
    public int Retries { get; init; }

    /// <summary>From a failed check to its repetition.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1); // keepalived delay_before_retry

    /// <summary>A real server that was down comes back at the earliest so long after its first passed check (Piranha reentry).</summary>
    public TimeSpan Reentry { get; init; }

    /// <summary>The first checks of a file are spread over so long, by chance; zero: as fast as the director can ask.</summary>
    public TimeSpan WarmUp { get; init; }

    /// <summary>What is done about a real server that goes up and down again and again; null: nothing.</summary>
    public FlapHold? FlapHold { get; init; }
}

/// <summary>A real server that changed between up and down too often stays down for a while.</summary>
/// <param name="Changes">With so many changes, 2 to 100,</param>
/// <param name="Window">in so long,</param>
/// <param name="Hold">it is held down for so long after the last.</param>
public sealed record FlapHold(int Changes, TimeSpan Window, TimeSpan Hold);

/// <summary>Does it accept a connection?</summary>
public sealed record TcpCheck : Check;

/// <summary>Does it answer this request as expected?</summary>
public sealed record HttpCheck : Check
{
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
