using System.Net;

namespace Bascule.Core.Config;

/// <summary>What may stand in a Set-Cookie field (RFC 6265 §4.1), and what browsers demand of it (RFC 6265bis §4.1.3 and §5.6).</summary>
internal static class CookieText
{
    /// <summary>Ours; browsers take 4,096 bytes of name and value.</summary>
    public const int LongestName = 64;

    /// <summary>RFC 6265bis §5.6: longer attributes are ignored.</summary>
    public const int LongestPath = 1024;

    /// <summary>RFC 1035 §2.3.4.</summary>
    public const int LongestDomain = 253;

    /// <summary>RFC 6265bis §5.5: user agents cut longer lives to this.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(400);

    /// <summary>A name that the browser takes for a promise about Secure.</summary>
    private const string SecurePrefix = "__Secure-";

    /// <summary>A name that the browser takes for a promise about Secure, Path and Domain.</summary>
    private const string HostPrefix = "__Host-";

    public static Complaint? Name(string name, string text) => HttpText.IsToken(text)
        ? null
        : new($"`{name}: {Show.Safe(text)}` cannot be the name of a cookie by RFC 6265 §4.1.1", "write letters, digits and hyphens, such as BASCULE");

    public static Complaint? Path(string name, string text)
    {
        if (!text.StartsWith('/'))
            return new($"`{name}: {Show.Safe(text)}` does not begin with a slash", "write the path at which the cookie begins to be sent; `/` is the whole site");
        return text.All(c => c is > ' ' and < '\x7F' and not ';')
            ? null
            : new($"`{name}: {Show.Safe(text)}` has a semicolon, a space, a control character or a letter outside ASCII", "percent-encode it, such as %20 for a space");
    }

    public static Complaint? Domain(string name, string text)
    {
        if (text.StartsWith('.'))
            return new($"`{name}: {Show.Safe(text)}` begins with a dot, which RFC 6265 §5.2.3 has browsers ignore", $"write {Show.Safe(text.TrimStart('.'))}, which means all below it too");
        if (IPAddress.TryParse(text, out _))
            return new($"`{name}: {Show.Safe(text)}` is an address, and a domain is made of names", "leave it out: the cookie is then for the host that was asked");
        return text.Split('.').All(IsLabel)
            ? null
            : new($"`{name}: {Show.Safe(text)}` is not a domain", "write a name such as example.org, without port");
    }

    /// <summary>What browsers refuse outright.</summary>
    public static void Relate(Fields fields, ProblemList problems)
    {
        string name = fields.Get(PersistenceSection.Name);
        bool isHost = name.StartsWith(HostPrefix, StringComparison.OrdinalIgnoreCase);
        if (!isHost && !name.StartsWith(SecurePrefix, StringComparison.OrdinalIgnoreCase))
            return;
        string prefix = isHost ? HostPrefix : SecurePrefix;
        if (!fields.Get(PersistenceSection.Secure) && !fields.IsBroken(PersistenceSection.Secure))
            problems.Add(fields.AtOf(PersistenceSection.Name), $"browsers refuse a cookie whose name begins with `{prefix}` and that is not Secure (RFC 6265bis §4.1.3)", "add `secure: true`, or choose another name");
        if (isHost && fields.IsWritten(PersistenceSection.Domain))
            problems.Add(fields.AtOf(PersistenceSection.Domain), "browsers refuse a cookie whose name begins with `__Host-` and that has a Domain (RFC 6265bis §4.1.3.2)", "remove `domain`, or choose another name");
        if (isHost && !fields.IsBroken(PersistenceSection.Path) && fields.Get(PersistenceSection.Path) != "/")
            problems.Add(fields.AtOf(PersistenceSection.Path), "browsers refuse a cookie whose name begins with `__Host-` and whose Path is not / (RFC 6265bis §4.1.3.2)", "remove `path`, or choose another name");
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && !label.StartsWith('-') && !label.EndsWith('-');
}
