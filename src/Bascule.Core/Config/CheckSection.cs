using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>One question asked of every real server of a virtual server.</summary>
internal static class CheckSection
{
    /// <summary>The kinds of question.</summary>
    internal enum Kind
    {
        Tcp,
        Http,
        None,
    }

    public static readonly Setting<Kind> Type = new("type", new ChoiceForm<Kind>(
        new("tcp", Kind.Tcp, "Does it accept a connection?", "connect", "tcp-check"),
        new("http", Kind.Http, "Does it answer an HTTP request as expected?", "httpchk", "http_get", "get"),
        new("none", Kind.None, "Nothing is asked, and every real server counts as up.", "off", "no", "false", "disabled")))
    {
        Doc = "The kind of question. With `none` the other settings may stay; they are not used.",
        Default = Kind.Tcp,
        Source = "keepalived TCP_CHECK: the question every real server can answer",
        Example = "type: http",
    };

    public static readonly Setting<TimeSpan> Interval = new("interval", new DurationForm(TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)))
    {
        Doc = "From the start of one check to the start of the next.",
        Default = TimeSpan.FromSeconds(2),
        Source = "HAProxy inter",
        Example = "interval: 2s",
        AlsoCalled = ["inter", "delay_loop", "every", "period"],
    };

    public static readonly Setting<TimeSpan> Timeout = new("timeout", new DurationForm(TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)))
    {
        Doc = "For the whole answer. No longer than `interval`: one check ends before the next begins.",
        Default = TimeSpan.FromSeconds(1),
        Otherwise = "1s, or `interval` if that is shorter",
        Source = "ours; half the interval",
        Example = "timeout: 1s",
        AlsoCalled = ["connect_timeout", "checktimeout"],
    };

    public static readonly Setting<int> Rise = new("rise", new CountForm(1, 100))
    {
        Doc = "Passed checks in a row that bring a real server back. After the start the first one is enough.",
        Default = 2,
        Source = "HAProxy rise",
        Example = "rise: 2",
        AlsoCalled = ["healthyThreshold", "passes"],
    };

    public static readonly Setting<int> Fall = new("fall", new CountForm(1, 100))
    {
        Doc = "Failed checks in a row that take a real server out.",
        Default = 3,
        Source = "HAProxy fall",
        Example = "fall: 3",
        AlsoCalled = ["unhealthyThreshold", "fails", "retries"],
    };

    public static readonly Setting<int> Port = new("port", new CountForm(1, 65_535))
    {
        Doc = "Port to ask.",
        Otherwise = "the real server's own",
        Source = "HAProxy, keepalived connect_port",
        Example = "port: 8081",
        AlsoCalled = ["connect_port", "checkport"],
    };

    public static readonly Setting<string> Method = new("method", new TextForm("a method, such as GET or HEAD", 32, HttpText.Method))
    {
        Doc = "http: the request's method.",
        Default = "GET",
        Source = "RFC 9110 §9.1: every server supports GET and HEAD",
        Example = "method: HEAD",
    };

    public static readonly Setting<string> Path = new("path", new TextForm("a path that begins with a slash", 2048, HttpText.Path))
    {
        Doc = "http: the request's target: a path, with a query if you like.",
        Default = "/",
        Source = "HAProxy option httpchk",
        Example = "path: /healthz",
        AlsoCalled = ["uri", "url", "request"],
    };

    public static readonly Setting<string> Host = new("host", new TextForm("a host name or an address, with or without a port", 255, HttpText.Host))
    {
        Doc = "http: value of the Host field.",
        Otherwise = "the address and port asked",
        Source = "RFC 9112 §3.2",
        Example = "host: www.example.org",
        AlsoCalled = ["virtualhost", "hostname"],
    };

    public static readonly Setting<ValueList<HeaderField>> Headers = new("headers", new HeadersForm())
    {
        Doc = "http: further header fields, in this order.",
        Default = [],
        Source = "ours; Host is all that HTTP/1.1 requires",
        Example = "headers: { Accept: text/html }",
        AlsoCalled = ["header", "hdr"],
    };

    public static readonly Setting<ValueList<StatusRange>> Expect = new("expect", new StatusRangesForm())
    {
        Doc = "http: status codes that pass.",
        Default = [new StatusRange(200, 399)],
        Source = "HAProxy option httpchk: 2xx and 3xx. A redirect shows that the server is alive; it is not followed",
        Example = "expect: [200, 301-302]",
        AlsoCalled = ["status", "status_code", "expectedStatus", "code"],
    };

    public static readonly Setting<string> BodyContains = new("bodyContains", new TextForm("a text of 1 to 1024 characters", 1024, (_, _) => null))
    {
        Doc = "http: text that the first 64 KiB of the body must contain.",
        Otherwise = "any body passes",
        Source = "HAProxy option httpchk: without http-check expect the status decides",
        Example = "bodyContains: ready",
        AlsoCalled = ["string", "receive"],
    };

    public static readonly Setting<string> BodyMatches = new("bodyMatches", new TextForm("a regular expression", 1024, HttpText.Expression))
    {
        Doc = "http: regular expression for the first 64 KiB of the body. It is .NET's language without back-references and look-around, so that no body can make it slow.",
        Otherwise = "any body passes",
        Source = "HAProxy option httpchk: without http-check expect the status decides",
        Example = "bodyMatches: '^(ok|ready)$'",
        AlsoCalled = ["regex", "rstring", "bodyRegex"],
    };

    public static readonly Section Section = new("check", Type, Interval, Timeout, Rise, Fall, Port, Method, Path, Host, Headers, Expect, BodyContains, BodyMatches)
    {
        Doc = "A question asked of every real server: `tcp`, `http` or `none`, or a map when more is to be said about it.",
        Place = "in `check` of a virtual server",
        Short = Type,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    private static readonly ImmutableArray<Setting> OnlyHttp = [Method, Path, Host, Headers, Expect, BodyContains, BodyMatches];

    /// <summary>Null when nothing is asked.</summary>
    public static Check? Meant(Fields fields) => fields.Get(Type) switch
    {
        Kind.Tcp => new TcpCheck
        {
            Interval = fields.Get(Interval),
            Timeout = MeantTimeout(fields),
            Rise = fields.Get(Rise),
            Fall = fields.Get(Fall),
            Port = fields.FindValue(Port),
        },
        Kind.Http => new HttpCheck
        {
            Interval = fields.Get(Interval),
            Timeout = MeantTimeout(fields),
            Rise = fields.Get(Rise),
            Fall = fields.Get(Fall),
            Port = fields.FindValue(Port),
            Method = fields.Get(Method),
            Path = fields.Get(Path),
            Host = fields.Find(Host),
            Headers = fields.Get(Headers),
            Expect = fields.Get(Expect),
            BodyContains = fields.Find(BodyContains),
            BodyMatches = fields.Find(BodyMatches),
        },
        Kind.None => null,
    };

    private static TimeSpan MeantTimeout(Fields fields) =>
        fields.FindValue(Timeout) ?? (fields.Get(Interval) < Timeout.Default ? fields.Get(Interval) : Timeout.Default);

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(Interval) && fields.FindValue(Timeout) is { } timeout && timeout > fields.Get(Interval))
            problems.Add(fields.AtOf(Timeout), "`timeout` is longer than `interval`, so a slow check would not end before the next begins", "shorten `timeout` or lengthen `interval`");
        if (fields.Find(Method) == "HEAD" && OnlyBody().FirstOrDefault(fields.IsWritten) is { } body)
            problems.Add(fields.AtOf(body), $"`{body.Name}` asks for a body, and by RFC 9110 §9.3.2 the answer to HEAD has none", "write `method: GET`");
        if (fields.IsBroken(Type) || fields.Get(Type) != Kind.Tcp)
            return;
        foreach (Setting setting in OnlyHttp.Where(fields.IsWritten))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing to a tcp check", fields.IsWritten(Type) ? "remove it, or write `type: http`" : "add `type: http`");
    }

    private static ImmutableArray<Setting> OnlyBody() => [BodyContains, BodyMatches];
}
