using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does a mail server greet us, and take our greeting?</summary>
internal static class SmtpKind
{
    public static readonly Setting<string> Hello = new("hello", new TextForm("a host name, or an address in brackets", 255, Name))
    {
        Doc = "smtp: who we say we are, in EHLO.",
        Default = "localhost",
        Source = "HAProxy option smtpchk",
        Example = "hello: director.example.org",
        AlsoCalled = ["helo_name", "helo", "ehlo"],
    };

    public static readonly CheckKind Kind = new("smtp", "Does a mail server greet with 220, and take EHLO (or HELO)?", "smtpchk", "smtp_check", "submission")
    {
        TakesProxyHeader = true,
        Settings = [Hello],
        Tls = [TlsBegin.StartTls, TlsBegin.Implicit],
        Meant = fields => new SmtpCheck { Hello = fields.Get(Hello) },
    };

    private static Complaint? Name(string name, string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '[' or ']' or ':')
            ? null
            : new($"`{name}: {Show.Safe(text)}` is not a host name", "write a name such as director.example.org, or an address such as [192.0.2.1]");
}
