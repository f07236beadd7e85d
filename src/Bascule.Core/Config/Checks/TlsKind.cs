using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does it make a TLS connection, with a certificate that is trusted?</summary>
internal static class TlsKind
{
    /// <summary>What is asked of a certificate.</summary>
    internal enum Verification
    {
        Full,
        None,
    }

    public static readonly Setting<string> ServerName = new("serverName", new TextForm("a host name", 253, HttpText.Host))
    {
        Doc = "https, tls, and beside `tls`: the name sent as SNI, and for which the certificate must be.",
        Otherwise = "https: `host` without its port, if there is one; otherwise no name is sent, and none compared",
        Source = "RFC 6066 §3; HAProxy check-sni",
        Example = "serverName: www.example.org",
        AlsoCalled = ["sni", "check-sni", "verifyhost", "virtualhost"],
    };

    public static readonly Setting<Verification> Verify = new("verify", new ChoiceForm<Verification>(
        new("full", Verification.Full, "It is signed by somebody trusted, now is between its dates, and it is for `serverName`.", "required", "yes", "true", "on"),
        new("none", Verification.None, "Any certificate will do, also one that has expired.", "no", "false", "off", "insecure")))
    {
        Doc = "https, tls, and beside `tls`: what the certificate must be.",
        Default = Verification.Full,
        Source = "HAProxy: ssl-server-verify required",
        Example = "verify: none",
        AlsoCalled = ["ssl_verify", "insecureSkipVerify"],
    };

    public static readonly Setting<string> Authorities = new("authorities", PathForms.File("/etc/ssl/our-ca.pem"))
    {
        Doc = "https, tls, and beside `tls`: file of certificates (PEM) of those who may sign the real server's. It is read again when it changes.",
        Otherwise = "whom this machine trusts (/etc/ssl/certs)",
        Source = "HAProxy ca-file",
        Example = "authorities: /etc/ssl/our-ca.pem",
        AlsoCalled = ["ca-file", "ca", "cafile", "rootCAs"],
    };

    public static readonly Setting<ValueList<byte>> Pin = new("pin", new FingerprintForm())
    {
        Doc = "https, tls, and beside `tls`: SHA-256 fingerprint of the one certificate that is accepted, as `openssl x509 -noout -fingerprint -sha256` prints it. It holds beside `verify`.",
        Otherwise = "any certificate that `verify` accepts",
        Source = "ours; most certificates are renewed every few months",
        Example = "pin: 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
        AlsoCalled = ["fingerprint", "sha256", "digest"],
    };

    public static readonly Setting<int> ExpiryWarning = new("expiryWarning", new CountForm(0, 3650))
    {
        Doc = "https, tls, and beside `tls`: so many days before the certificate expires, `bascule status` begins to warn of it. The check passes until it has expired. 0: never.",
        Default = 14,
        Source = "ours; certificates of 90 days are renewed 30 days before they expire",
        Example = "expiryWarning: 14",
        AlsoCalled = ["expiryWarningDays", "certificateExpiry"],
    };

    /// <summary>For whatever speaks TLS.</summary>
    public static readonly ImmutableArray<Setting> Settings = [ServerName, Verify, Authorities, Pin, ExpiryWarning];

    public static readonly CheckKind Kind = new("tls", "Does it make a TLS connection, with a certificate that is trusted?", "ssl", "ssl-hello-chk", "ssl_get")
    {
        TakesProxyHeader = true,
        Settings = Settings,
        Meant = fields => new TlsCheck { Tls = Meant(fields, nameOtherwise: null) },
        Rule = Relate,
    };

    /// <param name="nameOtherwise">The name, when `serverName` is not written.</param>
    public static TlsTerms Meant(Fields fields, string? nameOtherwise) => new()
    {
        ServerName = fields.Find(ServerName) ?? nameOtherwise,
        Verifies = fields.Get(Verify) == Verification.Full,
        AuthorityFile = fields.Find(Authorities),
        Pin = fields.Find(Pin),
        WarnBefore = TimeSpan.FromDays(fields.Get(ExpiryWarning)),
    };

    public static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Authorities) && !fields.IsBroken(Verify) && fields.Get(Verify) == Verification.None)
            problems.Add(fields.AtOf(Authorities), "`authorities` means nothing with `verify: none`", "remove one of them");
    }
}

/// <summary>A SHA-256 fingerprint, with or without colons.</summary>
internal sealed class FingerprintForm : ValueForm<ValueList<byte>>
{
    public override string Words => "64 hexadecimal digits, with or without colons";

    public override Complaint? Parse(string name, string text, [MaybeNull] out ValueList<byte> value)
    {
        string digits = text.Replace(":", "", StringComparison.Ordinal);
        bool isRead = digits.Length == 64 && digits.All(char.IsAsciiHexDigit);
        value = isRead ? new([.. Convert.FromHexString(digits)]) : [];
        return isRead ? null : new($"`{name}: {Show.Safe(text)}` is not a SHA-256 fingerprint", $"expected: {Words}");
    }

    public override string Write(ValueList<byte> value) => Convert.ToHexString(value.AsImmutableArray().AsSpan());

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number"), ["pattern"] = "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$" };
}
