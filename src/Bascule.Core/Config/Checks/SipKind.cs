using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does a SIP server answer OPTIONS?</summary>
internal static class SipKind
{
    public static readonly Setting<string> Uri = new("sipUri", new TextForm("a SIP address, such as sip:ping@example.org", 255, SipUri))
    {
        Doc = "sip: who is asked.",
        Otherwise = "the server itself, by its address",
        Source = "RFC 3261 §11.1; ldirectord asks its login",
        Example = "sipUri: sip:ping@example.org",
        AlsoCalled = ["login", "request"],
    };

    public static readonly CheckKind Kind = new("sip", "Does a SIP server answer OPTIONS with 2xx?", "sip-options")
    {
        Settings = [Uri, DnsKind.Transport],
        Tls = [TlsBegin.Implicit],
        Meant = fields => new SipCheck { Uri = fields.Find(Uri), Transport = fields.Get(DnsKind.Transport) },
        Rule = Relate,
    };

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(CheckTls.Begin) && !fields.IsBroken(DnsKind.Transport) && fields.Get(DnsKind.Transport) == Transport.Udp)
            problems.Add(fields.AtOf(CheckTls.Begin), "there is no TLS in datagrams", "add `transport: tcp`");
    }

    private static Complaint? SipUri(string name, string text) =>
        text.StartsWith("sip:", StringComparison.Ordinal) && text.Length > 4 && text.All(c => char.IsAscii(c) && c > ' ' && c is not ('<' or '>' or '"' or '\x7f'))
            ? null
            : new($"`{name}: {Show.Safe(text)}` is not a SIP address", "write one that begins with sip:");
}
