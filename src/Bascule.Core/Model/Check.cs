namespace Bascule.Core.Model;

/// <summary>One question asked of a real server. Two checks that are equal ask the same question, and share its answer.</summary>
public abstract record Check
{
    /// <summary>What is asked, in a few words and as the file says it: <c>http /healthz</c>.</summary>
    public abstract string Words { get; }

    /// <summary>The single questions of which it consists.</summary>
    public virtual IEnumerable<Check> Questions() => [this];

    /// <summary>From the start of one check to the start of the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2); // HAProxy inter

    /// <summary>For the whole answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1); // half the interval

    /// <summary>Passed checks in a row that bring a real server back.</summary>
    public int Rise { get; init; } = 2; // HAProxy rise

    /// <summary>Failed checks in a row that take a real server out.</summary>
    public int Fall { get; init; } = 3; // HAProxy fall

    /// <summary>Port to ask, when it is not the real server's own.</summary>
    public int? Port { get; init; }

    /// <summary>The header of the PROXY protocol that a check over TCP begins with, naming nobody; null: none.</summary>
    public ProxyProtocolVersion? ProxyProtocol { get; init; }

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

    /// <summary>A real server that nobody has asked yet counts as up.</summary>
    public bool BeginsUp { get; init; }
}

/// <summary>A real server that changed between up and down too often stays down for a while.</summary>
/// <param name="Changes">With so many changes, 2 to 100,</param>
/// <param name="Window">in so long,</param>
/// <param name="Hold">it is held down for so long after the last.</param>
public sealed record FlapHold(int Changes, TimeSpan Window, TimeSpan Hold);
