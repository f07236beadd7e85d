namespace Bascule.Core.Model;

/// <summary>The same client returns to the same real server, whatever the scheduler would say.</summary>
public abstract record Persistence
{
    /// <summary>A client whose real server is quiesced is scheduled anew; otherwise it goes on returning to it.</summary>
    public bool ExpireQuiescent { get; init; } // IPVS: expire_quiescent_template is 0

    /// <summary>Whether a client of this real server may return to it: to a quiesced one and to a full one, but not to one that is down, nor to a fallback server while others serve.</summary>
    public bool Allows(LiveRealServer realServer) => realServer.KeepsClients && (realServer.Weight > 0 || !ExpireQuiescent);
}

/// <summary>The director remembers who returns where.</summary>
public abstract record RememberedPersistence : Persistence
{
    /// <summary>After the client's last connection, request or packet. Whole seconds, at least one.</summary>
    public required TimeSpan Timeout { get; init; }
}

/// <summary>A client is known by its source address.</summary>
public sealed record SourcePersistence : RememberedPersistence
{
    /// <summary>What <see cref="RememberedPersistence.Timeout"/> is where nothing is said.</summary>
    public static readonly TimeSpan UsualTimeout = TimeSpan.FromMinutes(5); // ipvsadm(8): 300 seconds

    /// <summary>With every default.</summary>
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public SourcePersistence() => Timeout = UsualTimeout;

    /// <summary>Leading bits of an IPv4 address that make one client. 1 to 32.</summary>
    public int Mask4 { get; init; } = 32;

    /// <summary>Leading bits of an IPv6 address that make one client. 1 to 128.</summary>
    public int Mask6 { get; init; } = 128;
}

/// <summary>A client is known by a session id that the application gives out: in a cookie (and in parameters of the URL that are called like it), or in a header field.</summary>
public sealed record LearnPersistence : RememberedPersistence
{
    /// <summary>What <see cref="RememberedPersistence.Timeout"/> is where nothing is said.</summary>
    public static readonly TimeSpan UsualTimeout = TimeSpan.FromMinutes(30); // the session timeout of servlet containers

    /// <summary>Name of the cookie, or of the header field. A token (RFC 9110 §5.6.2), at most 64 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Whether <see cref="Name"/> is a header field, in requests and in answers; otherwise a cookie.</summary>
    public bool IsHeader { get; init; }
}

/// <summary>A client is known by a cookie that the director gives out. It says to whom he returns and is signed; the director remembers nothing. RFC 6265.</summary>
public sealed record CookiePersistence : Persistence
{
    /// <summary>Name of the cookie. A token (RFC 6265 §4.1.1), at most 64 characters.</summary>
    public string Name { get; init; } = "BASCULE";

    /// <summary>Of which part of the site it is: Path, RFC 6265 §4.1.2.4.</summary>
    public string Path { get; init; } = "/";

    /// <summary>The hosts it is for, with all below: Domain, RFC 6265 §4.1.2.3; null: the host that was asked alone.</summary>
    public string? Domain { get; init; }

    /// <summary>Sent over encrypted connections only: Secure, RFC 6265 §4.1.2.5.</summary>
    public bool IsSecure { get; init; }

    /// <summary>Hidden from scripts: HttpOnly, RFC 6265 §4.1.2.6.</summary>
    public bool IsHttpOnly { get; init; } = true;

    /// <inheritdoc cref="Model.SameSite"/>
    public SameSite SameSite { get; init; } = SameSite.Lax; // what browsers take when nothing is said

    /// <summary>How long it is good for after the last request; null: until the browser is closed. Whole seconds, at least one.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>With which requests that begin on other sites the cookie is sent. RFC 6265bis §4.1.2.7.</summary>
public enum SameSite
{
    /// <summary>With those that follow a link.</summary>
    Lax,

    /// <summary>With none.</summary>
    Strict,

    /// <summary>With all. Browsers want the cookie to be Secure then.</summary>
    None,
}
