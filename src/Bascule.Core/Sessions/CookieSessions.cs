using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Sessions;

/// <summary>Persistence by cookie of one virtual server as of one snapshot. Remembers nobody: what a cookie says is all there is.</summary>
/// <remarks>
/// The rules are those of <see cref="ClientSessions"/>: who has a good cookie returns to a quiesced real server (unless
/// <see cref="Persistence.ExpireQuiescent"/>) and to a full one, but not to one that is down or gone; then the scheduler chooses, and a new cookie says so.
/// A cookie that is forged, damaged or too old is no mistake: it is as if there were none.
/// </remarks>
public sealed class CookieSessions
{
    /// <summary>A client gets a new cookie when an eighth of the timeout of his has passed: so much of it may be missing at the end.</summary>
    private const int RenewalsPerTimeout = 8;

    private readonly CookiePersistence _persistence;
    private readonly ImmutableArray<LiveRealServer> _realServers;
    private readonly CookieToken[] _tokens;
    private readonly FrozenDictionary<ulong, int> _byNumber;
    private readonly TimeProvider _time;
    private readonly byte[] _name;
    private readonly byte[] _before;
    private readonly byte[] _after;

    /// <summary>Over these real servers.</summary>
    /// <param name="time">Its wall clock says how old a cookie is; clocks of directors need to agree only as closely as its timeout matters.</param>
    public CookieSessions(CookiePersistence persistence, CookieKey key, ImmutableArray<LiveRealServer> realServers, TimeProvider time)
    {
        _persistence = persistence;
        _realServers = realServers;
        _time = time;
        _tokens = [.. realServers.Select(r => new CookieToken(key, r.Address))];
        _byNumber = Enumerable.Range(0, _tokens.Length).ToFrozenDictionary(index => _tokens[index].Number);
        _name = Encoding.ASCII.GetBytes(persistence.Name);
        _before = Encoding.ASCII.GetBytes($"Set-Cookie: {persistence.Name}=");
        _after = Encoding.ASCII.GetBytes($"{Attributes(persistence)}\r\n");
    }

    /// <summary>Of the cookie.</summary>
    public ReadOnlySpan<byte> Name => _name;

    /// <summary>Bytes of every line that <see cref="WriteLine"/> writes.</summary>
    public int LineLength => _before.Length + CookieToken.Length + _after.Length;

    /// <summary>Reads the value of a cookie, whatever its bytes.</summary>
    /// <returns>Says nothing unless it is genuine, in time, and of a real server that is still there.</returns>
    public SessionClaim Read(ReadOnlySpan<byte> value)
    {
        Span<byte> signature = stackalloc byte[CookieToken.SignatureSize];
        if (!CookieToken.TryRead(value, out ulong number, out uint issued, signature)
            || !_byNumber.TryGetValue(number, out int index) || !_tokens[index].IsGenuine(issued, signature))
            return default;
        // One with a time is of before the timeout was taken out of the file, or the other way round.
        if (_persistence.Timeout is not { } timeout || issued == 0)
            return SessionClaim.OfCookie(index, isDue: _persistence.Timeout is null != (issued == 0));
        // A clock that was set back, or another director's, may make it younger than nothing.
        double age = long.Abs(Now - issued);
        return age < timeout.TotalSeconds ? SessionClaim.OfCookie(index, isDue: age * RenewalsPerTimeout >= timeout.TotalSeconds) : default;
    }

    /// <summary>The real server the client returns to; otherwise the scheduler's choice.</summary>
    /// <returns>An index into the real servers, or <see cref="Scheduler.None"/>.</returns>
    public int Pick(in ClientAddress client, in SessionClaim claim, in TriedServers tried, Scheduler scheduler, Random random) =>
        claim.RealServer != Scheduler.None && !tried.Contains(claim.RealServer) && _persistence.Allows(_realServers[claim.RealServer])
            ? claim.RealServer
            : scheduler.Pick(client, tried, random);

    /// <summary>Whether the client needs a cookie with the answer: he has none, or not of who answers, or his grows old. Nobody gets one of a fallback server.</summary>
    public bool IsNeeded(in SessionClaim claim, int answering) => (claim.RealServer != answering || claim.IsDue) && !_realServers[answering].IsFallback;

    /// <summary>Writes the header field, line end included, with which the client returns to the real server that answered.</summary>
    /// <param name="line">Has room for <see cref="LineLength"/> bytes.</param>
    public void WriteLine(int answering, Span<byte> line)
    {
        _before.CopyTo(line);
        _tokens[answering].Write(_persistence.Timeout is null ? 0 : (uint)Now, line[_before.Length..]);
        _after.CopyTo(line[(_before.Length + CookieToken.Length)..]);
    }

    private long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>RFC 6265 §4.1, and RFC 6265bis §4.1.2.7 for SameSite.</summary>
    private static string Attributes(CookiePersistence persistence)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"; Path={persistence.Path}");
        if (persistence.Domain is { } domain)
            text.Append(CultureInfo.InvariantCulture, $"; Domain={domain}");
        if (persistence.Timeout is { } timeout)
            text.Append(CultureInfo.InvariantCulture, $"; Max-Age={(long)timeout.TotalSeconds}");
        if (persistence.IsSecure)
            text.Append("; Secure");
        if (persistence.IsHttpOnly)
            text.Append("; HttpOnly");
        return text.Append(CultureInfo.InvariantCulture, $"; SameSite={persistence.SameSite}").ToString();
    }
}
