using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>What happened.</summary>
public enum WeightChangeKind
{
    /// <summary>A real server is given nothing for a while because of its answers to clients.</summary>
    Ejected,

    /// <summary>It is given work again.</summary>
    Readmitted,

    /// <summary>The weights of those that are up add up to enough.</summary>
    QuorumGained,

    /// <summary>They do not.</summary>
    QuorumLost,

    /// <summary>Others serve than before.</summary>
    ServingChanged,
}

/// <summary>Something that an operator wants to know of.</summary>
/// <param name="VirtualServer">Where.</param>
/// <param name="RealServer">Which one; null: the whole virtual server.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Why">In a few words.</param>
/// <param name="At">When, UTC.</param>
public sealed record WeightChange(LiveVirtualServer VirtualServer, LiveRealServer? RealServer, WeightChangeKind Kind, string Why, DateTimeOffset At)
{
    /// <summary>Of <see cref="WeightChangeKind.Ejected"/>: for how long, though it may have been readmitted in the same turn. Otherwise zero.</summary>
    public TimeSpan Length { get; init; }
}

/// <summary>What came of a turn.</summary>
/// <param name="Moves">Something goes on moving, so that there should be another turn soon.</param>
/// <param name="Changes">In the order in which they happened.</param>
public readonly record struct WeightTurn(bool Moves, IReadOnlyList<WeightChange> Changes);
