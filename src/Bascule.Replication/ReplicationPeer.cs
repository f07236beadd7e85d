using System.Collections.Immutable;
using System.Net;

namespace Bascule.Replication;

/// <summary>Another director to keep in step with.</summary>
/// <param name="Name">Its node name.</param>
/// <param name="EndPoints">Where it can be reached, at least one, in the order in which they are tried; connections from elsewhere are not its.</param>
/// <param name="Key">What only the two know, 16 bytes or more.</param>
public sealed record ReplicationPeer(string Name, ImmutableArray<IPEndPoint> EndPoints, byte[] Key)
{
    /// <summary>Never shows the key.</summary>
    public override string ToString() => Name;
}

/// <summary>What was turned away, by reason.</summary>
public enum Rejection
{
    /// <summary>A connection from an address that no peer has.</summary>
    Stranger,

    /// <summary>A connection while too many others were still proving themselves.</summary>
    TooMany,

    /// <summary>Bytes that are no handshake, or our own sent back.</summary>
    NotOurs,

    /// <summary>A handshake of another version.</summary>
    OtherVersion,

    /// <summary>A handshake without the right key, or of another pair of directors.</summary>
    WrongKey,

    /// <summary>A handshake that did not end within its time, or broke off.</summary>
    Unfinished,

    /// <summary>A record that was changed, repeated, moved or of an impossible length.</summary>
    BadRecord,

    /// <summary>A record that says nothing to be understood.</summary>
    BadMessage,
}
