using System.Collections.Immutable;
using Bascule.Core.Roles;

namespace Bascule.Core.Api;

/// <summary>What answers about failover; the daemon fills it in.</summary>
/// <param name="Status">Answers <c>GET /v1/ha</c>.</param>
/// <param name="HandOver">Answers <c>POST /v1/handover</c>: an instance's name, or null for all.</param>
public sealed record HaAnswers(Func<Task<HaStatus>> Status, Func<string?, Task<HandoverResult>> HandOver);

/// <summary>What became of a handover: <c>POST /v1/handover</c>.</summary>
public sealed record HandoverResult
{
    /// <summary>Those that this director was Active for and has handed over, by name.</summary>
    public required ImmutableArray<string> HandedOver { get; init; }

    /// <summary>What is worth knowing about it, or why nothing was handed over; each a line for the operator.</summary>
    public required ImmutableArray<string> Notes { get; init; }
}

/// <summary>What the daemon is for one instance, in <c>bascule status</c>.</summary>
/// <param name="Instance">The key under <c>ha.instances</c>.</param>
/// <param name="Role">Now.</param>
public sealed record InstanceRole(string Instance, Role Role);
