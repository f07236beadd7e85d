using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Core.States;

/// <summary>What an order is about.</summary>
/// <param name="VirtualServer">Its name.</param>
/// <param name="RealServer">One of its real servers; null: the virtual server as a whole.</param>
public readonly record struct StateTarget(string VirtualServer, IPEndPoint? RealServer)
{
    /// <summary><c>web</c>, or <c>web/10.0.0.11:8080</c>.</summary>
    public override string ToString() => RealServer is null ? VirtualServer : $"{VirtualServer}/{StatusReader.AddressText(RealServer)}";
}

/// <summary>What an operator has said of a real server or virtual server by a command, not in the file.</summary>
public sealed record StateOrder
{
    /// <summary>Characters of <see cref="By"/> and <see cref="Why"/> at most.</summary>
    public const int LongestText = 200;

    /// <summary>What it is about.</summary>
    public required StateTarget Target { get; init; }

    /// <summary>What is wanted.</summary>
    public required AdministrativeState State { get; init; }

    /// <summary>Who said so.</summary>
    public required string By { get; init; }

    /// <summary>When, UTC, by the clock of the director on which it was said.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why, in the operator's words; may be empty.</summary>
    public required string Why { get; init; }

    /// <summary>
    /// Orders them: of two orders about the same, that with the higher one is the later. Ticks of the clock, but always higher than that of the order it takes
    /// the place of, so that a clock which is behind another director's makes no order ineffective.
    /// </summary>
    public required long Number { get; init; }

    /// <summary>What the file said when this was said; null: the file does not know the target yet.</summary>
    public AdministrativeState? Over { get; init; }

    /// <summary>The file has said something else since: the newer word counts, and this one only keeps its place among the orders.</summary>
    public bool IsSpent { get; init; }

    /// <summary>Whether it takes the place of another order about the same. Of two of the same moment, all directors choose the same.</summary>
    public bool IsLaterThan(StateOrder other) =>
        Number != other.Number ? Number > other.Number : State != other.State ? State > other.State : string.CompareOrdinal(By, other.By) > 0;
}
