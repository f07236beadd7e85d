namespace Bascule.Core.Model;

/// <summary>How much must be alive for a virtual server to be served as usual.</summary>
public sealed record QuorumRule
{
    /// <summary>The sum of the weights of the real servers that are up. At least 1.</summary>
    public required int Up { get; init; }

    /// <summary>It is lost below <see cref="Up"/> less this, and gained from <see cref="Up"/> plus this. 0 to <see cref="Up"/> - 1.</summary>
    public required int Hysteresis { get; init; }

    /// <summary>The program that is run when it is gained, with its arguments; null: none.</summary>
    public required ValueList<string>? OnUp { get; init; }

    /// <summary>The program that is run when it is lost, with its arguments; null: none.</summary>
    public required ValueList<string>? OnDown { get; init; }
}

/// <summary>What is done when no real server can be used, fallback servers included.</summary>
public enum Panic
{
    /// <summary>The sorry server answers; without one clients are refused.</summary>
    Sorry,

    /// <summary>All real servers get work though they seem to be down, except those in maintenance: perhaps it is the checks that fail.</summary>
    Open,

    /// <summary>Clients are refused.</summary>
    Refuse,
}

/// <summary>Who serves a virtual server now.</summary>
public enum Serving
{
    /// <summary>Its real servers.</summary>
    Main,

    /// <summary>Its fallback servers.</summary>
    Fallback,

    /// <summary>All real servers, though they seem to be down: <see cref="Panic.Open"/>.</summary>
    Everybody,

    /// <summary>Its sorry server.</summary>
    Sorry,

    /// <summary>Nobody.</summary>
    Nobody,
}

/// <summary>How a virtual server stands.</summary>
/// <param name="Serving">Who serves it.</param>
/// <param name="LiveWeight">The sum of the weights of its real servers that are up, without fallback servers.</param>
/// <param name="HasQuorum">Whether that is enough; null: no quorum is asked for, or not every real server has answered its first check.</param>
public sealed record ServingState(Serving Serving, int LiveWeight, bool? HasQuorum);
