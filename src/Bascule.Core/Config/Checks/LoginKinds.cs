using System.Text;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does a server greet us, and let us in?</summary>
internal static class LoginKinds
{
    public static readonly Setting<string> Base = new("base", CheckTexts.Plain("the name of an entry", 1024))
    {
        Doc = "ldap: the name of an entry that must be there.",
        Otherwise = "to be bound is enough",
        Source = "ldirectord request",
        Example = "base: \"dc=example,dc=org\"",
        AlsoCalled = ["baseDn", "searchBase", "request"],
    };

    public static readonly Setting<Fields> Secret = new("secret", PasswordSection.Secret.Section)
    {
        Doc = "radius: the secret that the director shares with the server: itself, or the file that holds it.",
        Otherwise = "radius needs it",
        Source = "RFC 2865 §3; ldirectord secret",
        Example = "secret: { file: /etc/bascule/check.secret }",
        AlsoCalled = ["sharedSecret"],
    };

    public static readonly CheckKind Imap = new("imap", "Does an IMAP server greet, and let somebody in?", "imap4")
    {
        TakesProxyHeader = true,
        Settings = CheckLogin.Settings,
        Tls = [TlsBegin.StartTls, TlsBegin.Implicit],
        Meant = fields => new ImapCheck { User = fields.Find(CheckLogin.User), Password = CheckLogin.Meant(fields) },
        Rule = (fields, problems) => CheckLogin.Relate(fields, problems),
    };

    public static readonly CheckKind Pop3 = new("pop3", "Does a POP3 server greet, and let somebody in?", "pop")
    {
        TakesProxyHeader = true,
        Settings = CheckLogin.Settings,
        Tls = [TlsBegin.StartTls, TlsBegin.Implicit],
        Meant = fields => new Pop3Check { User = fields.Find(CheckLogin.User), Password = CheckLogin.Meant(fields) },
        Rule = (fields, problems) => CheckLogin.Relate(fields, problems),
    };

    public static readonly CheckKind Ftp = new("ftp", "Does an FTP server greet, and let somebody in?")
    {
        TakesProxyHeader = true,
        Settings = CheckLogin.Settings,
        Tls = [TlsBegin.StartTls, TlsBegin.Implicit],
        Meant = fields => new FtpCheck { User = fields.Find(CheckLogin.User), Password = CheckLogin.Meant(fields) },
        Rule = (fields, problems) => CheckLogin.Relate(fields, problems),
    };

    public static readonly CheckKind Ldap = new("ldap", "Does a directory let us bind, and has it an entry?", "ldap-check", "slapd")
    {
        TakesProxyHeader = true,
        Settings = [.. CheckLogin.Settings, Base],
        Tls = [TlsBegin.StartTls, TlsBegin.Implicit],
        Meant = fields => new LdapCheck { User = fields.Find(CheckLogin.User), Password = CheckLogin.Meant(fields), Base = fields.Find(Base) },
        Rule = RelateLdap,
    };

    public static readonly CheckKind Radius = new("radius", "Does a RADIUS server answer, and accept somebody?", "radius_check")
    {
        Settings = [.. CheckLogin.Settings, Secret],
        Meant = fields => new RadiusCheck
        {
            User = fields.Find(CheckLogin.User),
            Password = CheckLogin.Meant(fields),
            Secret = PasswordSection.Secret.Meant(fields.Get(Secret)),
        },
        Rule = RelateRadius,
    };

    // RFC 4513 §5.1.2: a name without a password is a bind as nobody, which passes for a login and is none.
    private static void RelateLdap(Fields fields, ProblemList problems)
    {
        CheckLogin.Relate(fields, problems);
        if (fields.IsWritten(CheckLogin.User) && !fields.IsWritten(CheckLogin.Password))
            problems.Add(fields.AtOf(CheckLogin.User), "LDAP takes a user without a password for nobody", $"add `{CheckLogin.Password.Example}`");
    }

    private static void RelateRadius(Fields fields, ProblemList problems)
    {
        CheckSection.Require(Secret, fields, problems);
        CheckLogin.Relate(fields, problems);
        Bound(CheckLogin.User, fields.Find(CheckLogin.User), RadiusCheck.LongestUser, fields, problems);
        Bound(CheckLogin.Password, CheckLogin.Given(fields), RadiusCheck.LongestPassword, fields, problems);
    }

    private static void Bound(Setting setting, string? text, int longest, Fields fields, ProblemList problems)
    {
        if (text is not null && Encoding.UTF8.GetByteCount(text) > longest)
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` is longer than the {longest} bytes that RADIUS can carry", "write a shorter one");
    }
}
