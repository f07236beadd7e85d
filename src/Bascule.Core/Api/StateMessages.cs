using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Api;

/// <summary>Who said so.</summary>
public enum AdministrationSource
{
    /// <summary>The file.</summary>
    File,

    /// <summary>An operator's command.</summary>
    Command,

    /// <summary>The real server itself, by the answer to its check.</summary>
    Check,
}

/// <summary>What is wanted of a real server or virtual server, where somebody said something about it.</summary>
/// <param name="State">What is wanted.</param>
/// <param name="Source">Who said so.</param>
/// <param name="By">The operator, where it was a command; null otherwise.</param>
/// <param name="At">When, UTC, where it was a command; null otherwise.</param>
/// <param name="Why">The operator's reason, where it was a command and one was given; null otherwise.</param>
/// <param name="OfVirtualServer">It was said of the virtual server as a whole.</param>
public sealed record AdministrationStatus(AdministrativeState State, AdministrationSource Source, string? By, DateTimeOffset? At, string? Why, bool OfVirtualServer);

/// <summary>What an operator wants: the body of <c>POST /v1/state</c>.</summary>
public sealed record StateRequest
{
    /// <summary>Of what: <c>web</c>, <c>web/10.0.0.11:8080</c>, or <c>web/10.0.0.11</c> where only one port of it is listed. All or none of them are changed.</summary>
    public required ImmutableArray<string> Names { get; init; }

    /// <summary>What is wanted.</summary>
    public required AdministrativeState State { get; init; }

    /// <summary>Who says so; at most 200 characters.</summary>
    public string By { get => field ?? ""; init; } // the serializer gives null to what a body leaves out

    /// <summary>Why; at most 200 characters.</summary>
    public string Why { get => field ?? ""; init; }
}

/// <summary>What came of it: <c>POST /v1/state</c>.</summary>
/// <param name="Changed">Each target, in the order of the request.</param>
/// <param name="Notes">What else to know, each a line for the operator, such as that it will not outlive a restart.</param>
public sealed record StateResult(ImmutableArray<StateChange> Changed, ImmutableArray<string> Notes);

/// <summary>One target.</summary>
/// <param name="Name">With address and port.</param>
/// <param name="State">What is wanted now.</param>
/// <param name="Before">What was wanted before.</param>
public sealed record StateChange(string Name, AdministrativeState State, AdministrativeState Before);

/// <summary>How far a target is on the way to being empty, or in service again: an item of <c>GET /v1/state?name=web/10.0.0.11</c>.</summary>
public sealed record StateProgress
{
    /// <summary>The real server, with its virtual server.</summary>
    public required string Name { get; init; }

    /// <summary>What counts for it now, with what is said of its virtual server.</summary>
    public required AdministrativeState State { get; init; }

    /// <inheritdoc cref="RealServerState"/>
    public required RealServerState Is { get; init; }

    /// <summary>Connections or requests at work there; of UDP, recorded flows.</summary>
    public required long Connections { get; init; }

    /// <summary>Clients who would return there; 0 when they would not, because of its state or <c>expireQuiescent</c>.</summary>
    public required long Sessions { get; init; }
}
