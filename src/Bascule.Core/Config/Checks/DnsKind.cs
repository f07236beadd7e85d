using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does a name server answer this question?</summary>
internal static class DnsKind
{
    public static readonly Setting<string> Name = new("name", new TextForm("a name, such as www.example.org, or . for the root", 254, DnsName))
    {
        Doc = "dns: the name that is asked for.",
        Default = ".",
        Source = "keepalived DNS_CHECK name",
        Example = "name: www.example.org",
        AlsoCalled = ["question", "request"],
    };

    public static readonly Setting<DnsRecordType> RecordType = new("recordType", new ChoiceForm<DnsRecordType>(
        new("A", DnsRecordType.A, "IPv4 addresses.", "a"),
        new("AAAA", DnsRecordType.Aaaa, "IPv6 addresses.", "aaaa"),
        new("CNAME", DnsRecordType.Cname, "The name that is meant.", "cname"),
        new("MX", DnsRecordType.Mx, "Mail servers.", "mx"),
        new("NS", DnsRecordType.Ns, "Name servers.", "ns"),
        new("PTR", DnsRecordType.ReverseName, "The name of an address.", "ptr"),
        new("SOA", DnsRecordType.Soa, "The start of a zone.", "soa"),
        new("SRV", DnsRecordType.Srv, "Where a service is.", "srv"),
        new("TXT", DnsRecordType.Txt, "Texts.", "txt")))
    {
        Doc = "dns: the records that are asked for.",
        Default = DnsRecordType.Soa,
        Source = "keepalived DNS_CHECK type",
        Example = "recordType: A",
        AlsoCalled = ["rrtype", "queryType"],
    };

    public static readonly Setting<string> Answer = new("answer", CheckTexts.Plain("what a record says, such as 192.0.2.1", 1024))
    {
        Doc = "dns: what one of the records must say, written as in a zone file: an address, a name, `10 mail.example.org`.",
        Otherwise = "any answer without an error passes, also one without records",
        Source = "ldirectord receive",
        Example = "answer: 192.0.2.1",
        AlsoCalled = ["receive", "expectedAnswer"],
    };

    public static readonly Setting<Transport> Transport = new("transport", new ChoiceForm<Transport>(
        new("udp", Model.Transport.Udp, "In a datagram. One that is lost is a failed check: let `fall` be 2 at least.", "datagram"),
        new("tcp", Model.Transport.Tcp, "Over a connection.", "stream")))
    {
        Doc = "dns, sip: how it is asked.",
        Default = Model.Transport.Udp,
        Source = "keepalived and ldirectord ask by UDP",
        Example = "transport: tcp",
        AlsoCalled = ["protocol"],
    };

    public static readonly CheckKind Kind = new("dns", "Does a name server answer a question without an error, and as expected?", "dns_check", "named")
    {
        Settings = [Name, RecordType, Answer, Transport],
        Meant = fields => new DnsCheck
        {
            Name = Plain(fields.Get(Name)),
            RecordType = fields.Get(RecordType),
            Answer = fields.Find(Answer),
            Transport = fields.Get(Transport),
        },
        Rule = Relate,
    };

    private static string Plain(string name) => name is "." ? name : name.TrimEnd('.');

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.Find(Answer) is not { } answer || fields.IsBroken(RecordType) || FamilyOf(fields.Get(RecordType)) is not { } family)
            return;
        if (!IPAddress.TryParse(answer, out IPAddress? address) || address.AddressFamily != family)
        {
            string kind = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
            problems.Add(fields.AtOf(Answer), $"`answer: {Show.Safe(answer)}` is not an {kind} address, and {fields.Get(RecordType).ToString().ToUpperInvariant()} records hold nothing else", "write the address, or another `recordType`");
        }
    }

    private static AddressFamily? FamilyOf(DnsRecordType type) => type switch
    {
        DnsRecordType.A => AddressFamily.InterNetwork,
        DnsRecordType.Aaaa => AddressFamily.InterNetworkV6,
        DnsRecordType.Ns or DnsRecordType.Cname or DnsRecordType.Soa or DnsRecordType.ReverseName or DnsRecordType.Mx or DnsRecordType.Txt or DnsRecordType.Srv => null,
    };

    // RFC 1035 §2.3.4. Not only host names are asked for: _sip._udp.example.org is good.
    private static Complaint? DnsName(string name, string text)
    {
        if (text == ".")
            return null;
        string[] labels = (text.EndsWith('.') ? text[..^1] : text).Split('.');
        return labels.All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAscii(c) && c > ' ' && c != '\x7f')) && labels.Sum(label => label.Length + 1) < 255
            ? null
            : new($"`{name}: {Show.Safe(text)}` is not a name that DNS can hold", "write labels of 1 to 63 ASCII characters with dots between them, at most 253 in all");
    }
}
