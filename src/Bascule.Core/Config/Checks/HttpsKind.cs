
namespace Bascule.Core.Config.Checks;

/// <summary>As http, over TLS.</summary>
internal static class HttpsKind
{
    public static readonly CheckKind Kind = new("https", "Does it answer an HTTP request over TLS as expected, with a certificate that is trusted?", "ssl_get", "httpschk")
    {
        TakesProxyHeader = true,
        Settings = [.. HttpKind.Settings, .. TlsKind.Settings],
        Meant = fields => HttpKind.Meant(fields, TlsKind.Meant(fields, NameOf(fields.Find(HttpKind.Host)))),
        Rule = (fields, problems) =>
        {
            HttpKind.Relate(fields, problems);
            TlsKind.Relate(fields, problems);
        },
    };

    /// <summary>The name that a Host field holds; null when it is an address, which SNI does not take.</summary>
    private static string? NameOf(string? host)
    {
        if (host is null || host.StartsWith('['))
            return null;
        string name = host.Split(':')[0];
        return System.Net.IPAddress.TryParse(name, out _) ? null : name;
    }
}
