using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>BIND, with a zone of its own.</summary>
public sealed class NameServer : RealProgram
{
    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("bind9") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        Write("zone", """
            $TTL 60
            @      SOA  ns.example.org. root.example.org. 7 60 60 60 60
            @      NS   ns
            @      MX   10 mail
            @      TXT  "v=1" " and more"
            ns     A    192.0.2.53
            mail   A    192.0.2.25
            sip    A    192.0.2.60
            www    A    192.0.2.1
            www    A    192.0.2.2
            www    AAAA 2001:db8::1
            alias  CNAME www
            _sip._udp SRV 1 2 5060 sip
            empty  TXT  "x"
            many   TXT  "many addresses"

            """ + string.Concat(Enumerable.Range(0, 90).Select(i => $"many A 198.51.100.{i}\n")));
        Write("named.conf", $$"""
            options {
                directory "{{Folder}}"; pid-file none; session-keyfile none; lock-file none; managed-keys-directory "{{Folder}}";
                listen-on port {{Port}} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; minimal-responses yes;
            };
            controls { };
            zone "example.org" { type primary; file "zone"; };
            """);
        return Task.FromResult<string[]>([Installed.Find("bind9")!, "-g", "-n", "1", "-c", Path.Combine(Folder, "named.conf")]);
    }

    /// <inheritdoc/>
    protected override bool IsReady() => Said.Contains("running\n", StringComparison.Ordinal);
}

public sealed class DnsProbeTests(NameServer bind) : IClassFixture<NameServer>
{
    private static readonly DnsCheck Zone = new() { Name = "example.org", RecordType = DnsRecordType.Soa, Answer = null, Transport = Transport.Udp };

    [RealProgramFact("bind9")]
    public async Task Passes_when_it_answers_without_an_error() => Assert.Equal("up: NOERROR, 1 record", await Ask.WhyAsync(Zone, bind.Address));

    [RealProgramFact("bind9")]
    public async Task Reads_every_kind_of_record_that_can_be_asked_for()
    {
        (DnsRecordType Type, string Name, string Answer)[] questions =
        [
            (DnsRecordType.A, "www.example.org", "192.0.2.2"),
            (DnsRecordType.Aaaa, "www.example.org", "2001:DB8:0::1"),
            (DnsRecordType.Cname, "alias.example.org", "WWW.example.org."),
            (DnsRecordType.A, "alias.example.org", "192.0.2.1"),
            (DnsRecordType.Mx, "example.org", "10 mail.example.org"),
            (DnsRecordType.Ns, "example.org", "ns.example.org"),
            (DnsRecordType.Soa, "example.org", "ns.example.org root.example.org 7"),
            (DnsRecordType.Srv, "_sip._udp.example.org", "1 2 5060 sip.example.org"),
            (DnsRecordType.Txt, "example.org", "v=1 and more"),
        ];

        foreach ((DnsRecordType type, string name, string answer) in questions)
        {
            string why = await Ask.WhyAsync(Zone with { RecordType = type, Name = name, Answer = answer }, bind.Address);

            Assert.True(why.StartsWith("up: ", StringComparison.Ordinal), $"{type} {name}: {why}");
        }
    }

    [RealProgramFact("bind9")]
    public async Task Another_answer_fails_and_is_shown()
    {
        Assert.Equal("down: expected 192.0.2.9, answered \"192.0.2.53\"", await Ask.WhyAsync(Zone with { RecordType = DnsRecordType.A, Name = "ns.example.org", Answer = "192.0.2.9" }, bind.Address));
        Assert.Equal("down: expected 192.0.2.9, answered nothing", await Ask.WhyAsync(Zone with { RecordType = DnsRecordType.A, Name = "empty.example.org", Answer = "192.0.2.9" }, bind.Address));
    }

    [RealProgramFact("bind9")]
    public async Task Errors_fail_and_are_named()
    {
        Assert.Equal("down: answered NXDOMAIN", await Ask.WhyAsync(Zone with { Name = "nobody.example.org" }, bind.Address));
        Assert.Equal("down: answered REFUSED", await Ask.WhyAsync(Zone with { Name = "elsewhere.test" }, bind.Address));
    }

    [RealProgramFact("bind9")]
    public async Task What_does_not_fit_into_a_datagram_comes_over_a_connection()
    {
        DnsCheck many = Zone with { RecordType = DnsRecordType.A, Name = "many.example.org", Answer = "198.51.100.89" };

        // One that is not there: BIND turns the records round, and which of them fit is chance.
        Assert.Equal("down: the answer did not fit into a datagram: write `transport: tcp`", await Ask.WhyAsync(many with { Answer = "192.0.2.9" }, bind.Address));
        Assert.Equal("up: 198.51.100.89", await Ask.WhyAsync(many with { Transport = Transport.Tcp }, bind.Address));
    }

    [Fact]
    public async Task Another_protocol_fails()
    {
        await using FakeRealServer chatter = FakeRealServer.Start(client => client.WriteAsync("\0\u0010220 mail.example.org"));

        Assert.Equal("down: it does not speak DNS: \"220 mail.example\"", await Ask.WhyAsync(Zone with { Transport = Transport.Tcp }, chatter.Address));
    }

    [Fact]
    public async Task A_late_answer_to_another_question_is_not_taken_for_ours()
    {
        using DatagramServer server = new();
        Task<string> asking = Ask.WhyAsync(Zone, server.Address);
        byte[] query = await server.HearAsync();

        byte[] rest = [0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. query[12..]];
        await server.SayAsync([query[0], (byte)(query[1] + 1), .. rest]);
        await server.SayAsync([query[0], query[1], .. rest]);

        Assert.Equal("up: NOERROR, 0 records", await asking);
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_known_by_ICMP()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();

        Assert.Equal("down: nobody listens (ICMP port unreachable)", await Ask.WhyAsync(Zone, web.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Zone with { Transport = Transport.Tcp }, silent.Address);
    }

    [Theory]
    [InlineData("answer")] // a pointer to itself
    [InlineData("length")] // more data than there is
    [InlineData("short")] // fewer records than announced
    public void A_broken_answer_fails(string how)
    {
        DnsQuestion question = new(Zone with { Answer = "x" });
        byte[] query = question.Write();
        byte[] head = [query[0], query[1], 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0, .. query[12..]];
        byte[] record = how switch
        {
            "answer" => [0xC0, (byte)head.Length, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0],
            "length" => [0, 0, 6, 0, 1, 0, 0, 0, 0, 0xFF, 0xFF, 0],
            _ => [],
        };

        Assert.Equal(Verdict.Failed("the answer is broken"), question.Judge(query, (byte[])[.. head, .. record]));
    }

    [Fact]
    public void No_answer_makes_it_throw()
    {
        DnsQuestion question = new(Zone with { Name = "example.org", RecordType = DnsRecordType.Mx, Answer = "10 x" });
        byte[] query = question.Write();
        Random random = new(7);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] answer = [query[0], query[1], 0x84, 0, 0, 1, 0, 3, 0, 0, 0, 0, .. query[12..], 0xC0, 12, 0, 15, 0, 1, 0, 0, 0, 9, 0, 5, 0, 10, 1, (byte)'x', 0];
            for (int damage = random.Next(8); damage >= 0; damage--)
                answer[random.Next(4, answer.Length)] = (byte)random.Next(256);

            _ = question.Judge(query, answer.AsSpan(0, random.Next(answer.Length + 1)));
        }
    }
}
