using System.Net;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>aiosmtpd, which takes letters and forgets them: without TLS at its address, with STARTTLS at the other one, and with TLS alone at a third.</summary>
public sealed class MailServer : TlsProgram
{
    /// <summary>TLS from the first byte.</summary>
    public IPEndPoint TlsAddress { get; } = FreeAddress();

    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("python3-aiosmtpd") is not null;

    /// <inheritdoc/>
    protected override bool IsReady() => Accepts(TlsAddress); // the last

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        WriteCertificate();
        string program = Write("servers.py", $$"""
            import signal, ssl
            from aiosmtpd.controller import Controller
            from aiosmtpd.handlers import Sink
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain("{{CertificateFile}}", "{{KeyFile}}")
            for port, how in (({{Port}}, {}), ({{OtherAddress.Port}}, {"tls_context": tls}), ({{TlsAddress.Port}}, {"ssl_context": tls})):
                Controller(Sink(), hostname="127.0.0.1", port=port, **how).start()
            signal.pause()
            """);
        return Task.FromResult<string[]>(["/usr/bin/python3", program]);
    }
}

public sealed class SmtpProbeTests(MailServer mail) : IClassFixture<MailServer>
{
    private static readonly SmtpCheck Smtp = new() { Hello = "director.example.org" };

    [RealProgramFact("python3-aiosmtpd")]
    public async Task Passes_when_it_greets_and_takes_our_greeting() => Assert.Equal("up: 220, 250", await Ask.WhyAsync(Smtp, mail.Address));

    [RealProgramFact("python3-aiosmtpd")]
    public async Task Goes_over_to_TLS_or_begins_with_it()
    {
        Assert.Equal("up: 220, 250", await Ask.WhyAsync(Smtp with { Tls = mail.Tls(TlsBegin.StartTls) }, mail.OtherAddress));
        Assert.Equal("up: 220, 250", await Ask.WhyAsync(Smtp with { Tls = mail.Tls(TlsBegin.Implicit) }, mail.TlsAddress));
    }

    [RealProgramFact("python3-aiosmtpd")]
    public async Task The_certificate_of_another_server_fails()
    {
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Smtp with { Tls = mail.TlsOfAnother(TlsBegin.StartTls) }, mail.OtherAddress));
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Smtp with { Tls = mail.TlsOfAnother(TlsBegin.Implicit) }, mail.TlsAddress));
    }

    [RealProgramFact("python3-aiosmtpd")]
    public async Task A_server_that_offers_no_TLS_fails()
    {
        Assert.Equal("down: no TLS: answered STARTTLS with \"454 TLS not available\"", await Ask.WhyAsync(Smtp with { Tls = mail.Tls(TlsBegin.StartTls) }, mail.Address));
        Assert.StartsWith("down: no TLS: ", await Ask.WhyAsync(Smtp with { Tls = mail.Tls(TlsBegin.Implicit) }, mail.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_hello_and_goodbye()
    {
        List<string> heard = [];
        await using FakeRealServer server = Speaking(heard, "220-mail\r\n220 ready\r\n", "250-mail\r\n250-SIZE 1000\r\n250 HELP\r\n", "221 bye\r\n");

        Assert.Equal("up: 220, 250", await Ask.WhyAsync(Smtp, server.Address));
        Assert.Equal(["EHLO director.example.org\r\n", "QUIT\r\n"], heard);
    }

    [Fact]
    public async Task A_server_that_does_not_know_EHLO_is_asked_with_HELO()
    {
        List<string> heard = [];
        await using FakeRealServer old = Speaking(heard, "220 ready\r\n", "502 what?\r\n", "250 hello\r\n", "221 bye\r\n");

        Assert.Equal("up: 220, 250", await Ask.WhyAsync(Smtp, old.Address));
        Assert.Equal(["EHLO director.example.org\r\n", "HELO director.example.org\r\n", "QUIT\r\n"], heard);
    }

    [Theory]
    [InlineData("554 no service\r\n", "down: greeted with \"554 no service\"")]
    [InlineData("421-busy\r\n421 later\r\n", "down: greeted with \"421 later\"")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "down: it does not speak SMTP: \"SSH-2.0-OpenSSH_9.2\"")]
    [InlineData("220", "down: closed after \"220\"")]
    [InlineData("", "down: closed without an answer")]
    public async Task Another_greeting_fails(string greeting, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(client => client.WriteAsync(greeting));

        Assert.Equal(why, await Ask.WhyAsync(Smtp, server.Address));
    }

    [Fact]
    public async Task A_server_that_does_not_take_our_greeting_fails()
    {
        await using FakeRealServer server = Speaking([], "220 ready\r\n", "550 not you\r\n", "550 go away\r\n");

        Assert.Equal("down: answered our greeting with \"550 go away\"", await Ask.WhyAsync(Smtp, server.Address));
    }

    [Fact]
    public async Task An_answer_without_end_fails()
    {
        await using FakeRealServer endless = FakeRealServer.Repeating("220-more\r\n", 300);

        Assert.Equal("down: an answer of more than 200 lines", await Ask.WhyAsync(Smtp, endless.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Smtp, silent.Address);
    }

    private static FakeRealServer Speaking(List<string> heard, string greeting, params string[] answers) => FakeRealServer.Start(async client =>
    {
        await client.WriteAsync(greeting);
        byte[] buffer = new byte[512];
        foreach (string answer in answers)
        {
            if (await client.ReadAsync(buffer) is not (> 0 and int count))
                return;
            heard.Add(System.Text.Encoding.ASCII.GetString(buffer, 0, count));
            await client.WriteAsync(answer);
        }
    });
}
