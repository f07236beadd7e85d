using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>TLS, for kinds whose protocol goes with it and without. What a certificate must be is said as for the kind `tls`.</summary>
internal static class CheckTls
{
    private static readonly ChoiceForm<TlsBegin> Words = new(
        new("starttls", TlsBegin.StartTls, "smtp, imap, pop3, ftp, ldap, mysql, postgres: the server is asked for it in the words of the protocol (STARTTLS, STLS, AUTH TLS, SSLRequest). Nobody logs in before it has begun, and a server that does not agree is down.", "stls", "explicit", "upgrade", "sslrequest"),
        new("implicit", TlsBegin.Implicit, "smtp, imap, pop3, ftp, ldap, redis, sip, send-expect: with the first byte, at a port that is for nothing else: by custom 465, 993, 995, 990, 636, 6380 and 5061.", "ssl", "direct", "tls", "on", "true", "yes"));

    public static readonly Setting<TlsBegin> Begin = new("tls", Words)
    {
        Doc = "smtp, imap, pop3, ftp, ldap, mysql, postgres, redis, sip, send-expect: how the conversation is encrypted. What the certificate must be is said beside it: `serverName`, `verify`, `authorities`, `pin`, `expiryWarning`.",
        Otherwise = "nothing is encrypted",
        Source = "RFC 8314 §3: implicit where there is a choice",
        Example = "tls: starttls",
        AlsoCalled = ["starttls", "ssl", "check-ssl", "encryption"],
    };

    /// <summary>For kinds that may be encrypted.</summary>
    public static readonly ImmutableArray<Setting> Settings = [Begin, .. TlsKind.Settings];

    /// <summary>Null: nothing is encrypted.</summary>
    public static TlsUse? Meant(Fields fields) => fields.FindValue(Begin) is { } begin ? new(begin, TlsKind.Meant(fields, nameOtherwise: null)) : null;

    /// <param name="kind">A kind that may be encrypted.</param>
    public static void Relate(CheckKind kind, Fields fields, ProblemList problems)
    {
        string known = $"`{Begin.Name}: {Words.Write(kind.Tls[0])}`";
        if (fields.FindValue(Begin) is { } begin && !kind.Tls.Contains(begin))
            problems.Add(fields.AtOf(Begin), $"a {kind.Word} check knows no `{Begin.Name}: {Words.Write(begin)}`", $"write {known}");
        foreach (Setting setting in TlsKind.Settings.Where(setting => fields.IsWritten(setting) && !fields.IsWritten(Begin)))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` is written, but nothing is encrypted", $"add {known}");
        TlsKind.Relate(fields, problems);
    }
}
