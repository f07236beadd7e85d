using System.Buffers.Binary;
using System.Text;

namespace Bascule.Proxy.Http1;

/// <summary>The fields a proxy acts on. All others are copied as they are.</summary>
internal enum KnownField : byte
{
    /// <summary>None of these: end-to-end, copied untouched.</summary>
    Other,

    /// <summary>Host, RFC 9110 §7.2.</summary>
    Host,

    /// <summary>Content-Length, RFC 9110 §8.6.</summary>
    ContentLength,

    /// <summary>Transfer-Encoding, RFC 9112 §6.1.</summary>
    TransferEncoding,

    /// <summary>Connection, RFC 9110 §7.6.1.</summary>
    Connection,

    /// <summary>Keep-Alive, RFC 9112 §C.2.2.</summary>
    KeepAlive,

    /// <summary>Proxy-Connection, RFC 9112 §C.2.2.</summary>
    ProxyConnection,

    /// <summary>TE, RFC 9110 §10.1.4.</summary>
    Te,

    /// <summary>Trailer, RFC 9110 §6.6.2. Announces trailers, which we discard.</summary>
    Trailer,

    /// <summary>Upgrade, RFC 9110 §7.8.</summary>
    Upgrade,

    /// <summary>Expect, RFC 9110 §10.1.1.</summary>
    Expect,

    /// <summary>X-Forwarded-For: the addresses a request came through, the last one ours to vouch for.</summary>
    XForwardedFor,

    /// <summary>X-Forwarded-Host: the Host the client asked for.</summary>
    XForwardedHost,

    /// <summary>X-Forwarded-Proto: the scheme the client used.</summary>
    XForwardedProto,

    /// <summary>One of the names above with "_" for "-". CGI and its heirs cannot tell the two apart, so a client could fake what we vouch for.</summary>
    LookAlike,

    /// <summary>Any other field that Connection names: it ends here. RFC 9110 §7.6.1.</summary>
    NamedByConnection,
}

/// <summary>Recognises <see cref="KnownField"/> by length, first letter and then a comparison that ignores case.</summary>
internal static class KnownFields
{
    /// <param name="name">A token of at least one byte.</param>
    public static KnownField Recognise(ReadOnlySpan<byte> name) => (name.Length, name[0] | 0x20) switch
    {
        (2, 't') => Match(name, "te"u8, KnownField.Te),
        (4, 'h') => Match(name, "host"u8, KnownField.Host),
        (6, 'e') => Match(name, "expect"u8, KnownField.Expect),
        (7, 't') => Match(name, "trailer"u8, KnownField.Trailer),
        (7, 'u') => Match(name, "upgrade"u8, KnownField.Upgrade),
        (10, 'c') => Match(name, "connection"u8, KnownField.Connection),
        (10, 'k') => Match(name, "keep-alive"u8, KnownField.KeepAlive),
        (14, 'c') => Match(name, "content-length"u8, KnownField.ContentLength),
        (15, 'x') => Match(name, "x-forwarded-for"u8, KnownField.XForwardedFor),
        (16, 'p') => Match(name, "proxy-connection"u8, KnownField.ProxyConnection),
        (16, 'x') => Match(name, "x-forwarded-host"u8, KnownField.XForwardedHost),
        (17, 't') => Match(name, "transfer-encoding"u8, KnownField.TransferEncoding),
        (17, 'x') => Match(name, "x-forwarded-proto"u8, KnownField.XForwardedProto),
        _ => KnownField.Other,
    };

    private static KnownField Match(ReadOnlySpan<byte> name, ReadOnlySpan<byte> spelling, KnownField known)
    {
        if (EqualsIgnoringCase(name, spelling))
            return known;
        return LooksLike(name, spelling) ? KnownField.LookAlike : KnownField.Other;
    }

    /// <summary>For a token and letters or "-" of the same length: no other tchar becomes one of those when bit 5 is set.</summary>
    private static bool EqualsIgnoringCase(ReadOnlySpan<byte> name, ReadOnlySpan<byte> spelling)
    {
        if (name.Length < sizeof(ulong))
            return Ascii.EqualsIgnoreCase(name, spelling);
        for (int at = 0; at < name.Length - sizeof(ulong); at += sizeof(ulong))
        {
            if (!IsSameWord(name, spelling, at))
                return false;
        }

        return IsSameWord(name, spelling, name.Length - sizeof(ulong)); // overlaps the one before
    }

    private static bool IsSameWord(ReadOnlySpan<byte> name, ReadOnlySpan<byte> spelling, int at) =>
        (BinaryPrimitives.ReadUInt64LittleEndian(name[at..]) | 0x2020_2020_2020_2020) == BinaryPrimitives.ReadUInt64LittleEndian(spelling[at..]);

    private static bool LooksLike(ReadOnlySpan<byte> name, ReadOnlySpan<byte> spelling)
    {
        for (int i = 0; i < name.Length; i++)
        {
            int folded = name[i] == '_' ? '-' : name[i] | 0x20;
            if (folded != spelling[i])
                return false;
        }

        return true;
    }
}
