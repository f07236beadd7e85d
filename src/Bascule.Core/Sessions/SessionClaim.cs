using System.Buffers.Binary;
using System.Security.Cryptography;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Sessions;

/// <summary>What an HTTP request says of the session it belongs to. The default says nothing.</summary>
public readonly record struct SessionClaim
{
    private readonly int _realServerPlusOne;

    private SessionClaim(int realServer, bool isDue, AddressKey? id)
    {
        _realServerPlusOne = realServer + 1;
        IsDue = isDue;
        Id = id;
    }

    /// <summary>The index of the real server that a good cookie names; <see cref="Scheduler.None"/> where there is none.</summary>
    public int RealServer => _realServerPlusOne - 1;

    /// <summary>The cookie is good, and it is time for a new one.</summary>
    public bool IsDue { get; }

    /// <summary>A session id of the application's; null where there is none.</summary>
    internal AddressKey? Id { get; }

    /// <summary>A good cookie for this real server.</summary>
    internal static SessionClaim OfCookie(int realServer, bool isDue) => new(realServer, isDue, id: null);

    /// <summary>A session id, whatever its bytes. What is kept of it is a digest (the first 128 bits of SHA-256), so that a long one takes no more memory and none lies about.</summary>
    public static SessionClaim OfId(ReadOnlySpan<byte> id)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(id, digest);
        return new(Scheduler.None, isDue: false, new(BinaryPrimitives.ReadUInt64BigEndian(digest), BinaryPrimitives.ReadUInt64BigEndian(digest[8..]), IsIpv4: false));
    }
}
