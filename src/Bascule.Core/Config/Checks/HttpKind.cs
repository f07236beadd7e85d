using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does it answer an HTTP request as expected?</summary>
internal static class HttpKind
{
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

    public static readonly CheckKind Kind = new("http", "Does it answer an HTTP request as expected?", "httpchk", "http_get", "get")
    {
        Settings = [Method, Path, Host, Headers, Expect, BodyContains, BodyMatches],
        Meant = Meant,
        Rule = Relate,
    };

    private static HttpCheck Meant(Fields fields) => new()
    {
        Method = fields.Get(Method),
        Path = fields.Get(Path),
        Host = fields.Find(Host),
        Headers = fields.Get(Headers),
        Expect = fields.Get(Expect),
        BodyContains = fields.Find(BodyContains),
        BodyMatches = fields.Find(BodyMatches),
    };

    private static void Relate(Fields fields, ProblemList problems)
    {
        ImmutableArray<Setting> ofBody = [BodyContains, BodyMatches];
        if (fields.Find(Method) == "HEAD" && ofBody.FirstOrDefault(fields.IsWritten) is { } body)
            problems.Add(fields.AtOf(body), $"`{body.Name}` asks for a body, and by RFC 9110 §9.3.2 the answer to HEAD has none", "write `method: GET`");
    }
}
