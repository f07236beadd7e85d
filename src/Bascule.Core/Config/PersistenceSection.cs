using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>The same client returns to the same real server.</summary>
internal static class PersistenceSection
{
    /// <summary>What is remembered is told to the peer with its age, and the datapath counts seconds.</summary>
    private static readonly TimeSpan LongestMemory = TimeSpan.FromHours(24);

    private static readonly ChoiceForm<Key> Keys = new(
        new("source", Key.Source, "By its address, or the first bits of it.", "src", "ip", "address", "source_ip", "client_ip"),
        new("cookie", Key.Cookie, "`protocol: http`: by a cookie that the director gives out. It says, signed, which real server it is; nothing is remembered.", "insert", "cookie-insert", "sticky-cookie"),
        new("learn", Key.Learn, "`protocol: http`: by the session id that the application gives out, in a cookie (or the URL) or in a header field.", "appsession", "app-cookie", "sticky-learn"));

    /// <summary>What a client is known by.</summary>
    internal enum Key
    {
        Source,
        Cookie,
        Learn,
    }

    public static readonly Setting<Key> By = new("by", Keys)
    {
        Doc = "What a client is known by.",
        Default = Key.Source,
        Source = "IPVS: ipvsadm -p",
        Example = "by: source",
        AlsoCalled = ["type", "on"],
    };

    public static readonly Setting<TimeSpan> Timeout = new("timeout", DurationForm.WholeSeconds(TimeSpan.FromSeconds(1), CookieText.LongestLife))
    {
        Doc = "How long a client is remembered after its last connection or request has ended; at most 24h. With `by: cookie`, how long the cookie is good for after the last request.",
        Otherwise = "5m by source, 30m with `by: learn`; a cookie is good until the browser is closed",
        Source = "ipvsadm(8): 300 seconds (its code has 360); servlet containers forget a session after 30 minutes",
        Example = "timeout: 5m",
        AlsoCalled = ["persistence_timeout", "persistent", "expire", "maxAge", "max-age", "maxidle"],
    };

    public static readonly Setting<int> Mask = new("mask", new CountForm(1, 32))
    {
        Doc = "By source: bits of an IPv4 address that make one client: 24 takes a whole /24 as one.",
        Default = 32,
        Source = "ipvsadm -M 255.255.255.255",
        Example = "mask: 24",
        AlsoCalled = ["netmask", "mask4", "persistence_granularity"],
    };

    public static readonly Setting<int> Mask6 = new("mask6", new CountForm(1, 128))
    {
        Doc = "By source: bits of an IPv6 address that make one client. 64 suits hosts that change their address by themselves (RFC 8981).",
        Default = 128,
        Source = "ipvsadm -M 128",
        Example = "mask6: 64",
        AlsoCalled = ["prefix", "netmask6"],
    };

    public static readonly Setting<bool> ExpireQuiescent = new("expireQuiescent", new SwitchForm())
    {
        Doc = "A client whose real server has weight 0 is scheduled anew. Otherwise it goes on returning to it.",
        Default = false,
        Source = "IPVS: expire_quiescent_template is 0",
        Example = "expireQuiescent: true",
        AlsoCalled = ["expire_quiescent_template"],
    };

    public static readonly Setting<string> Name = new("name", new TextForm("the name of a cookie", CookieText.LongestName, CookieText.Name))
    {
        Doc = "By cookie: what the cookie is called. Browsers have one of a name for all ports of a host (RFC 6265 §8.5): virtual servers with different real servers under one host name need a name each.",
        Default = new CookiePersistence().Name,
        Source = "ours; no application has one called so",
        Example = "name: BASCULE",
        AlsoCalled = ["cookieName"],
    };

    public static readonly Setting<string> Path = new("path", new TextForm("a path", CookieText.LongestPath, CookieText.Path))
    {
        Doc = "By cookie: of which part of the site it is. RFC 6265 §4.1.2.4.",
        Default = "/",
        Source = "HAProxy: the whole site",
        Example = "path: /",
    };

    public static readonly Setting<string> Domain = new("domain", new TextForm("a domain", CookieText.LongestDomain, CookieText.Domain))
    {
        Doc = "By cookie: the domain it is for, with all hosts below. RFC 6265 §4.1.2.3.",
        Otherwise = "the host that was asked, alone",
        Source = "RFC 6265 §4.1.2.3",
        Example = "domain: example.org",
    };

    public static readonly Setting<bool> Secure = new("secure", new SwitchForm())
    {
        Doc = "By cookie: browsers send it over encrypted connections only. RFC 6265 §4.1.2.5.",
        Default = false,
        Source = "RFC 6265; over plain HTTP it would never come back",
        Example = "secure: true",
    };

    public static readonly Setting<bool> HttpOnly = new("httpOnly", new SwitchForm())
    {
        Doc = "By cookie: scripts in the page do not see it. RFC 6265 §4.1.2.6.",
        Default = true,
        Source = "ours; no script needs it",
        Example = "httpOnly: true",
    };

    public static readonly Setting<SameSite> SameSite = new("sameSite", new ChoiceForm<SameSite>(
        new("lax", Model.SameSite.Lax, "Also when somebody follows a link from another site."),
        new("strict", Model.SameSite.Strict, "Never with what begins on another site: who follows a link from there is scheduled anew."),
        new("none", Model.SameSite.None, "Always, as pages in frames of other sites need it. Browsers want `secure: true` then.")))
    {
        Doc = "By cookie: with which requests that begin on other sites it is sent. RFC 6265bis §4.1.2.7.",
        Default = Model.SameSite.Lax,
        Source = "RFC 6265bis §5.6.7: what browsers take when nothing is said",
        Example = "sameSite: lax",
    };

    public static readonly Setting<string> Cookie = new("cookie", new TextForm("the name of a cookie", CookieText.LongestName, CookieText.Name))
    {
        Doc = "To learn: the application's cookie. Requests may carry the id in the URL as well, `;jsessionid=…` or `?jsessionid=…`, in capitals or not.",
        Otherwise = "the id is in `header`",
        Source = "ours; only the application knows",
        Example = "cookie: JSESSIONID",
    };

    public static readonly Setting<string> Header = new("header", new TextForm("the name of a header field", CookieText.LongestName, HeaderName))
    {
        Doc = "To learn: the header field in which the application gives the id out, and in which clients send it back.",
        Otherwise = "the id is in `cookie`",
        Source = "ours; only the application knows",
        Example = "header: X-Session",
    };

    public static readonly Section Section = new("persistence", By, Timeout, Mask, Mask6, ExpireQuiescent, Name, Path, Domain, Secure, HttpOnly, SameSite, Cookie, Header)
    {
        Doc = "The same client returns to the same real server, whatever the scheduler would say.",
        Place = "in `persistence` of a virtual server",
        Short = By,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static Persistence Meant(Fields fields) => fields.Get(By) switch
    {
        Key.Source => new SourcePersistence
        {
            Timeout = fields.FindValue(Timeout) ?? SourcePersistence.UsualTimeout,
            Mask4 = fields.Get(Mask),
            Mask6 = fields.Get(Mask6),
            ExpireQuiescent = fields.Get(ExpireQuiescent),
        },
        Key.Cookie => new CookiePersistence
        {
            Name = fields.Get(Name),
            Path = fields.Get(Path),
            Domain = fields.Find(Domain),
            IsSecure = fields.Get(Secure),
            IsHttpOnly = fields.Get(HttpOnly),
            SameSite = fields.Get(SameSite),
            Timeout = fields.FindValue(Timeout),
            ExpireQuiescent = fields.Get(ExpireQuiescent),
        },
        Key.Learn => new LearnPersistence
        {
            Name = fields.Find(Cookie) ?? fields.Get(Header),
            IsHeader = fields.IsWritten(Header),
            Timeout = fields.FindValue(Timeout) ?? LearnPersistence.UsualTimeout,
            ExpireQuiescent = fields.Get(ExpireQuiescent),
        },
    };

    /// <summary>All but `source` read requests.</summary>
    public static void RelateToProtocol(Fields virtualServer, ProblemList problems)
    {
        Fields fields = virtualServer.Get(VirtualServerSection.Persistence);
        if (virtualServer.IsBroken(VirtualServerSection.Protocol) || fields.IsBroken(By) || fields.Get(By) == Key.Source
            || virtualServer.Get(VirtualServerSection.Protocol) == VirtualServerProtocol.Http)
            return;
        problems.Add(fields.AtOf(By), $"`by: {Keys.Write(fields.Get(By))}` reads requests, and only `protocol: http` has any", "write `protocol: http`, or `by: source`");
    }

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.IsBroken(By))
            return;
        Key key = fields.Get(By);
        ImmutableArray<Setting> ofCookies = [Name, Path, Domain, Secure, HttpOnly, SameSite];
        ImmutableArray<Setting> unused = key switch
        {
            Key.Source => [.. ofCookies, Cookie, Header],
            Key.Cookie => [Mask, Mask6, Cookie, Header],
            Key.Learn => [Mask, Mask6, .. ofCookies],
        };
        foreach (Setting setting in unused.Where(fields.IsWritten))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing to `by: {Keys.Write(key)}`", HintFor(setting, key));
        if (key != Key.Cookie && fields.FindValue(Timeout) is { } timeout && timeout > LongestMemory)
            problems.Add(fields.AtOf(Timeout), "a client is remembered for 24h at most", "write at most `24h`, or go `by: cookie`, which remembers nothing");
        if (key == Key.Cookie)
            CookieText.Relate(fields, problems);
        if (key == Key.Learn)
            RequireId(fields, problems);
    }

    private static string HintFor(Setting setting, Key key)
    {
        if (setting == Cookie && key == Key.Cookie)
            return "the name of the director's cookie is `name`; to go by the application's write `by: learn`";
        if (setting == Name && key == Key.Learn)
            return "the name of the application's cookie is `cookie`";
        return "remove it";
    }

    private static void RequireId(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Cookie) && fields.IsWritten(Header))
            problems.Add(fields.AtOf(Header), "`cookie` and `header` say two things about where the session id is", "keep one of them");
        else if (!fields.IsWritten(Cookie) && !fields.IsWritten(Header) && !problems.IsPartial)
            problems.Add(fields.At, "nothing says in what the application gives its session ids out", "add `cookie: JSESSIONID`, with the name of its cookie, or `header`");
    }

    // What has a meaning on the way is not the application's to give.
    private static Complaint? HeaderName(string name, string text)
    {
        if (HttpText.HeaderName(text) is not null)
            return new($"`{name}: {Show.Safe(text)}` cannot be a header field of the application's", "write letters, digits and hyphens, such as X-Session");
        return text.Equals("Cookie", StringComparison.OrdinalIgnoreCase) || text.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase)
            ? new($"`{name}: {Show.Safe(text)}` holds cookies", "write `cookie`, with the name of the one that holds the session id")
            : null;
    }
}
