using System.Collections.Immutable;
using Bascule.Core.Config.Sharing;

namespace Bascule.Core.Api;

/// <summary>The configuration that directors share, and where it comes from: <c>GET /v1/config</c>.</summary>
public sealed record ConfigurationReport
{
    /// <summary>This director.</summary>
    public required string Node { get; init; }

    /// <summary>The versions, the latest first; that is in force.</summary>
    public required ImmutableArray<VersionStatus> Versions { get; init; }

    /// <summary>What the peers have, as far as known.</summary>
    public required ImmutableArray<PeerVersion> Peers { get; init; }
}

/// <summary>One version.</summary>
/// <param name="Number">Counted on this director.</param>
/// <param name="Id">The same on all directors.</param>
/// <param name="At">When it was made, UTC.</param>
/// <param name="By">On which director.</param>
/// <param name="Why">In a few words.</param>
public sealed record VersionStatus(int Number, string Id, DateTimeOffset At, string By, string Why);

/// <summary>What is known of a peer's configuration.</summary>
/// <param name="Name">Its node name.</param>
/// <param name="Standing">How ours stands to it; null while nothing was heard of it.</param>
/// <param name="Id">Its version.</param>
/// <param name="AsOf">When it said so, UTC.</param>
/// <param name="Sentence">What to know or to do; null when they are in step.</param>
public sealed record PeerVersion(string Name, Standing? Standing, string? Id, DateTimeOffset? AsOf, string? Sentence);

/// <summary>Ours beside a peer's: <c>GET /v1/config/diff</c>.</summary>
/// <param name="Peer">Its node name.</param>
/// <param name="AsOf">When it told its own, UTC.</param>
/// <param name="Lines">Each begins with a space (on both), <c>-</c> (here only) or <c>+</c> (there only). Empty when they are the same.</param>
public sealed record ConfigurationDifference(string Peer, DateTimeOffset AsOf, ImmutableArray<string> Lines);
