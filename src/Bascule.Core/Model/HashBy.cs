namespace Bascule.Core.Model;

/// <summary>A part of an HTTP request that leads to a real server.</summary>
public enum RequestPart
{
    /// <summary>Path and query, as sent.</summary>
    Uri,

    /// <summary>The path without its query, as sent.</summary>
    Path,

    /// <summary>The value of a header field.</summary>
    Header,

    /// <summary>The value of a cookie.</summary>
    Cookie,

    /// <summary>The client's address.</summary>
    Source,
}

/// <summary>What the scheduler <c>hash</c> goes by.</summary>
/// <param name="Part">A request without it goes by the client's address.</param>
/// <param name="Name">Of the header field, in any case, or of the cookie; null for other parts.</param>
/// <param name="BalanceFactor">
/// How many active requests one real server may have, in percent of its share of all: 101 to 1000; the next on the ring takes what is above. Null: no bound.
/// </param>
public sealed record HashBy(RequestPart Part, string? Name, int? BalanceFactor);
