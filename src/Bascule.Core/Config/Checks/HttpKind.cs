using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does it answer an HTTP request as expected?</summary>
internal static class HttpKind
{
    public static readonly Setting<string> Method = new("method", new TextForm("a method, such as GET or HEAD", 32, HttpText.Method))
    {
        Doc = "http, https: the request's method.",
        Default = "GET",
        Source = "RFC 9110 §9.1: every server supports GET and HEAD",
        Example = "method: HEAD",
    };

    public static readonly Setting<string> Path = new("path", new TextForm("a path that begins with a slash", 2048, HttpText.Path))
    {
        Doc = "http, https: the request's target: a path, with a query if you like.",
        Default = "/",
        Source = "HAProxy option httpchk",
        Example = "path: /healthz",
        AlsoCalled = ["uri", "url", "request"],
    };

    public static readonly Setting<string> Host = new("host", new TextForm("a host name or an address, with or without a port", 255, HttpText.Host))
    {
        Doc = "http, https: value of the Host field.",
        Otherwise = "the address and port asked",
        Source = "RFC 9112 §3.2",
        Example = "host: www.example.org",
        AlsoCalled = ["virtualhost", "hostname"],
    };

    public static readonly Setting<ValueList<HeaderField>> Headers = new("headers", new HeadersForm())
    {
        Doc = "http, https: further header fields, in this order.",
        Default = [],
        Source = "ours; Host is all that HTTP/1.1 requires",
        Example = "headers: { Accept: text/html }",
        AlsoCalled = ["header", "hdr"],
        MayBeSecret = true,
    };

    public static readonly Setting<ValueList<StatusRange>> Expect = new("expect", new StatusRangesForm())
    {
        Doc = "http, https: status codes that pass.",
        Default = [new StatusRange(200, 399)],
        Source = "HAProxy option httpchk: 2xx and 3xx. A redirect shows that the server is alive; it is not followed",
        Example = "expect: [200, 301-302]",
        AlsoCalled = ["status", "status_code", "expectedStatus", "code"],
    };

    public static readonly Setting<string> BodyContains = new("bodyContains", new TextForm("a text of 1 to 1024 characters", 1024, (_, _) => null))
    {
        Doc = "http, https: text that the first 64 KiB of the body must contain.",
        Otherwise = "any body passes",
        Source = "HAProxy option httpchk: without http-check expect the status decides",
        Example = "bodyContains: ready",
        AlsoCalled = ["string", "receive"],
    };

    public static readonly Setting<string> BodyMatches = new("bodyMatches", new TextForm("a regular expression", 1024, HttpText.Expression))
    {
        Doc = "http, https: regular expression for the first 64 KiB of the body. It is .NET's language without back-references and look-around, so that no body can make it slow.",
        Otherwise = "any body passes",
        Source = "HAProxy option httpchk: without http-check expect the status decides",
        Example = "bodyMatches: '^(ok|ready)$'",
        AlsoCalled = ["regex", "rstring", "bodyRegex"],
    };

    public static readonly Setting<ValueList<HeaderField>> ExpectHeaders = new("expectHeaders", new HeadersForm())
    {
        Doc = "http, https: header fields that the answer must have, each with a text that its value must contain.",
        Default = [],
        Source = "HAProxy option httpchk: without http-check expect the status decides",
        Example = "expectHeaders: { X-State: ready }",
        AlsoCalled = ["hdr", "fhdr"],
    };

    public static readonly Setting<string> BodyNotContains = new("bodyNotContains", new TextForm("a text of 1 to 1024 characters", 1024, (_, _) => null))
    {
        Doc = "http, https: text that the first 64 KiB of the body must not contain.",
        Otherwise = "any body passes",
        Source = "HAProxy http-check expect ! string",
        Example = "bodyNotContains: Exception",
    };

    public static readonly Setting<BodyDigest> BodyDigest = new("bodyDigest", new DigestForm())
    {
        Doc = "http, https: SHA-256 or MD5 of the whole body, which is less than 1 MiB.",
        Otherwise = "any body passes",
        Source = "keepalived HTTP_GET digest, as genhash prints it",
        Example = "bodyDigest: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        AlsoCalled = ["digest", "md5", "sha256"],
    };

    public static readonly Setting<ImmutableArray<Fields>> Urls = new("urls", new ListForm<Fields>(
        HttpUrlSection.Section, new("`urls` is empty, so nothing would be asked", "write paths, such as `[/a, /b]`, or leave it out")))
    {
        Doc = "http, https: in place of `path`, several paths, asked one after the other in the time of the whole; the first that fails decides. Each may have expectations of its own; where it has none, those of the check hold.",
        Otherwise = "`path` alone",
        Source = "keepalived HTTP_GET: several url blocks",
        Example = "urls: [/a, { path: /b, expect: 204 }]",
        AlsoCalled = ["paths"],
    };

    /// <summary>For kinds that speak HTTP.</summary>
    public static readonly ImmutableArray<Setting> Settings =
        [Method, Path, Host, Headers, Expect, ExpectHeaders, BodyContains, BodyNotContains, BodyMatches, BodyDigest, Urls];

    public static readonly CheckKind Kind = new("http", "Does it answer an HTTP request as expected?", "httpchk", "http_get", "get")
    {
        TakesProxyHeader = true,
        Settings = Settings,
        Meant = fields => Meant(fields, tls: null),
        Rule = Relate,
    };

    /// <param name="tls">Null: it speaks none.</param>
    public static Check Meant(Fields fields, TlsTerms? tls) =>
        fields.FindValue(Urls) is { } urls
            ? new HttpUrlsCheck([.. urls.Select(url => One(url, fields, tls))])
            : One(fields, fields, tls);

    public static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Path) && fields.IsWritten(Urls))
            problems.Add(fields.AtOf(Path), "`path` and `urls` both say what is asked", "make the path one of `urls`");
        if (fields.Find(Method) != "HEAD")
            return;
        foreach (Fields asked in (fields.FindValue(Urls) ?? []).Prepend(fields))
        {
            if (((ImmutableArray<Setting>)[BodyContains, BodyNotContains, BodyMatches, BodyDigest]).FirstOrDefault(asked.IsWritten) is { } body)
                problems.Add(asked.AtOf(body), $"`{body.Name}` asks for a body, and by RFC 9110 §9.3.2 the answer to HEAD has none", "write `method: GET`");
        }
    }

    private static HttpCheck One(Fields url, Fields whole, TlsTerms? tls) => new()
    {
        Method = whole.Get(Method),
        Path = url.Get(Path),
        Host = whole.Find(Host),
        Headers = whole.Get(Headers),
        Expect = url.Find(Expect) ?? whole.Get(Expect),
        ExpectHeaders = url.Find(ExpectHeaders) ?? whole.Get(ExpectHeaders),
        BodyContains = url.Find(BodyContains) ?? whole.Find(BodyContains),
        BodyNotContains = url.Find(BodyNotContains) ?? whole.Find(BodyNotContains),
        BodyMatches = url.Find(BodyMatches) ?? whole.Find(BodyMatches),
        BodyDigest = url.Find(BodyDigest) ?? whole.Find(BodyDigest),
        Tls = tls,
    };
}

/// <summary>One of several paths that are asked for.</summary>
internal static class HttpUrlSection
{
    public static readonly Section Section = new("checkUrl", HttpKind.Path, HttpKind.Expect, HttpKind.ExpectHeaders, HttpKind.BodyContains, HttpKind.BodyNotContains, HttpKind.BodyMatches, HttpKind.BodyDigest)
    {
        Doc = "A path that is asked for, and what is expected of the answer: the path, or a map when more is to be said.",
        Place = "in `urls` of a check",
        Short = HttpKind.Path,
    };
}

/// <summary>A SHA-256 or MD5 digest in hexadecimal digits.</summary>
internal sealed class DigestForm : ValueForm<BodyDigest>
{
    public override string Words => "64 (SHA-256) or 32 (MD5) hexadecimal digits";

    public override Complaint? Parse(string name, string text, [MaybeNull] out BodyDigest value)
    {
        value = new(text.Length == 32 ? DigestKind.Md5 : DigestKind.Sha256, text.ToLowerInvariant());
        return text.Length is 32 or 64 && text.All(char.IsAsciiHexDigit) ? null : new($"`{name}: {Show.Safe(text)}` is not a digest", $"expected: {Words}");
    }

    public override string Write(BodyDigest value) => value.Hex;

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number"), ["pattern"] = "^([0-9A-Fa-f]{32}){1,2}$" };
}
