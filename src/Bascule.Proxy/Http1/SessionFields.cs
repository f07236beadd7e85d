using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;

namespace Bascule.Proxy.Http1;

/// <summary>Where requests and answers say to which session they belong. Allocates nothing, and throws on no input.</summary>
internal static class SessionFields
{
    /// <summary>
    /// Cookies of our name in one request that are looked at. A browser sends one, or one for each path and domain; who sends hundreds wants to see signatures
    /// checked.
    /// </summary>
    private const int MostCandidates = 4;

    /// <summary>What a request says; nothing where the virtual server does not ask for it.</summary>
    /// <param name="input">The bytes that <paramref name="head"/> was parsed from.</param>
    public static SessionClaim Read(RequestHead head, ReadOnlySpan<byte> input, LiveVirtualServer virtualServer)
    {
        if (virtualServer.Cookies is { } cookies)
            return ReadOwn(head.Fields, input, cookies);
        return virtualServer.Sessions is { IsBySource: false } sessions ? ReadId(head, input, sessions) : default;
    }

    /// <summary>Remembers the session ids that an answer gives out.</summary>
    /// <param name="input">The bytes that <paramref name="head"/> was parsed from.</param>
    /// <param name="answering">The index of the real server.</param>
    public static void Learn(ResponseHead head, ReadOnlySpan<byte> input, ClientSessions sessions, int answering)
    {
        foreach (ref readonly Field field in head.Fields.Fields)
        {
            if (sessions.IsIdInHeader && IsNamed(field, input, sessions.IdName))
                Remember(field.Value.In(input), sessions, answering);
            else if (!sessions.IsIdInHeader && IsNamed(field, input, "Set-Cookie"u8)
                && CookieList.TryReadSetCookie(field.Value.In(input), out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) && name.SequenceEqual(sessions.IdName))
                Remember(value, sessions, answering);
        }
    }

    /// <summary>The first good one: of several, browsers send the one of the longest path first. RFC 6265 §5.4.</summary>
    private static SessionClaim ReadOwn(FieldSection fields, ReadOnlySpan<byte> input, CookieSessions cookies)
    {
        int candidates = 0;
        foreach (ref readonly Field field in fields.Fields)
        {
            if (!IsNamed(field, input, "Cookie"u8))
                continue;
            ReadOnlySpan<byte> rest = field.Value.In(input);
            while (CookieList.TakePair(ref rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
            {
                if (!name.SequenceEqual(cookies.Name))
                    continue;
                SessionClaim claim = cookies.Read(value);
                if (claim.RealServer != Scheduler.None || ++candidates == MostCandidates)
                    return claim;
            }
        }

        return default;
    }

    private static SessionClaim ReadId(RequestHead head, ReadOnlySpan<byte> input, ClientSessions sessions)
    {
        ReadOnlySpan<byte> id = sessions.IsIdInHeader ? FindHeader(head.Fields, input, sessions.IdName) : FindCookie(head.Fields, input, sessions.IdName);
        if (id.IsEmpty && !sessions.IsIdInHeader)
            id = UrlParameter.Find(head.Target.In(input), sessions.IdName);
        return id.IsEmpty ? default : SessionClaim.OfId(id);
    }

    /// <summary>The value of the first field of this name that has one; empty when there is none.</summary>
    public static ReadOnlySpan<byte> FindHeader(FieldSection fields, ReadOnlySpan<byte> input, ReadOnlySpan<byte> name)
    {
        foreach (ref readonly Field field in fields.Fields)
        {
            if (field.Value.Length > 0 && IsNamed(field, input, name))
                return field.Value.In(input);
        }

        return default;
    }

    /// <summary>The value of the first cookie of this name that has one; empty when there is none.</summary>
    public static ReadOnlySpan<byte> FindCookie(FieldSection fields, ReadOnlySpan<byte> input, ReadOnlySpan<byte> wanted)
    {
        foreach (ref readonly Field field in fields.Fields)
        {
            if (!IsNamed(field, input, "Cookie"u8))
                continue;
            ReadOnlySpan<byte> rest = field.Value.In(input);
            while (CookieList.TakePair(ref rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
            {
                if (!value.IsEmpty && name.SequenceEqual(wanted))
                    return value;
            }
        }

        return default;
    }

    /// <summary>Only what is passed on counts: not a field that Connection names, which ends here.</summary>
    private static bool IsNamed(in Field field, ReadOnlySpan<byte> input, ReadOnlySpan<byte> name) =>
        field.Known == KnownField.Other && field.NameLength == name.Length && Ascii.EqualsIgnoreCase(input.Slice(field.Line.Start, field.NameLength), name);

    private static void Remember(ReadOnlySpan<byte> id, ClientSessions sessions, int answering)
    {
        if (!id.IsEmpty)
            sessions.Remember(SessionClaim.OfId(id), answering);
    }
}
