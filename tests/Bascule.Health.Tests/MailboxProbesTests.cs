using System.Net;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>Dovecot: IMAP at its address, POP3 at the other one, and each with TLS alone at one more.</summary>
public sealed class Dovecot : TlsProgram
{
    /// <summary>IMAP over TLS.</summary>
    public IPEndPoint ImapsAddress { get; } = FreeAddress();

    /// <summary>POP3 over TLS.</summary>
    public IPEndPoint Pop3sAddress { get; } = FreeAddress();

    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("dovecot-imapd") is not null && File.Exists("/usr/lib/dovecot/pop3");

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        WriteCertificate();
        (string user, string number) = Environment.IsPrivilegedProcess ? ("nobody", "65534") : (Environment.UserName, Folder);
        string home = Directory.CreateDirectory(Path.Combine(Folder, "home")).FullName;
        string[] asNobody = AsNobody();
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101); // its processes are others, and go through it
        string configuration = Write("dovecot.conf", $$"""
            base_dir = {{Folder}}/run
            log_path = /dev/stderr
            ssl = yes
            ssl_cert = <{{CertificateFile}}
            ssl_key = <{{KeyFile}}
            protocols = imap pop3
            default_internal_user = {{user}}
            default_login_user = {{user}}
            default_internal_group = {{(asNobody.Length > 0 ? "nogroup" : user)}}
            disable_plaintext_auth = no
            auth_failure_delay = 0
            mail_location = maildir:{{home}}
            service imap-login {
              chroot =
              inet_listener imap {
                address = 127.0.0.1
                port = {{Port}}
              }
              inet_listener imaps {
                address = 127.0.0.1
                port = {{ImapsAddress.Port}}
                ssl = yes
              }
            }
            service pop3-login {
              chroot =
              inet_listener pop3 {
                address = 127.0.0.1
                port = {{OtherAddress.Port}}
              }
              inet_listener pop3s {
                address = 127.0.0.1
                port = {{Pop3sAddress.Port}}
                ssl = yes
              }
            }
            service anvil {
              chroot =
            }
            passdb {
              driver = static
              args = user=checker password={{Password}}
            }
            userdb {
              driver = static
              args = uid={{(asNobody.Length > 0 ? number : user)}} gid={{(asNobody.Length > 0 ? number : user)}} home={{home}}
            }

            """);
        return Task.FromResult<string[]>([Installed.Find("dovecot-imapd")!, "-F", "-c", configuration]);
    }

    /// <summary>Of the user "checker": what has to be quoted.</summary>
    public const string Password = "geheim\\sind\"wir";
}

public sealed class MailboxProbesTests(Dovecot dovecot) : IClassFixture<Dovecot>
{
    private static readonly ImapCheck Imap = new() { User = null, Password = null };
    private static readonly Pop3Check Pop3 = new() { User = null, Password = null };
    private static readonly GivenPassword Right = new(Dovecot.Password);
    private static readonly GivenPassword Wrong = new("falsch");

    [RealProgramFact("dovecot-imapd")]
    public async Task A_greeting_is_enough_without_a_user()
    {
        Assert.Equal("up: OK", await Ask.WhyAsync(Imap, dovecot.Address));
        Assert.Equal("up: +OK", await Ask.WhyAsync(Pop3, dovecot.OtherAddress));
    }

    [RealProgramFact("dovecot-imapd")]
    public async Task A_user_is_let_in()
    {
        Assert.Equal("up: logged in", await Ask.WhyAsync(Imap with { User = "checker", Password = Right }, dovecot.Address));
        Assert.Equal("up: logged in", await Ask.WhyAsync(Pop3 with { User = "checker", Password = Right }, dovecot.OtherAddress));
    }

    [RealProgramFact("dovecot-imapd")]
    public async Task A_user_is_let_in_over_TLS()
    {
        ImapCheck imap = Imap with { User = "checker", Password = Right };
        Pop3Check pop3 = Pop3 with { User = "checker", Password = Right };

        Assert.Equal("up: logged in", await Ask.WhyAsync(imap with { Tls = dovecot.Tls(TlsBegin.StartTls) }, dovecot.Address));
        Assert.Equal("up: logged in", await Ask.WhyAsync(imap with { Tls = dovecot.Tls(TlsBegin.Implicit) }, dovecot.ImapsAddress));
        Assert.Equal("up: logged in", await Ask.WhyAsync(pop3 with { Tls = dovecot.Tls(TlsBegin.StartTls) }, dovecot.OtherAddress));
        Assert.Equal("up: logged in", await Ask.WhyAsync(pop3 with { Tls = dovecot.Tls(TlsBegin.Implicit) }, dovecot.Pop3sAddress));
    }

    [RealProgramFact("dovecot-imapd")]
    public async Task The_certificate_of_another_server_fails()
    {
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Imap with { Tls = dovecot.TlsOfAnother(TlsBegin.StartTls) }, dovecot.Address));
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Pop3 with { Tls = dovecot.TlsOfAnother(TlsBegin.Implicit) }, dovecot.Pop3sAddress));
    }

    [RealProgramFact("dovecot-imapd")]
    public async Task A_certificate_that_expires_soon_is_warned_of()
    {
        TlsUse tls = dovecot.Tls(TlsBegin.StartTls);

        Verdict verdict = await Ask.OnceAsync(Imap with { Tls = tls with { Terms = tls.Terms with { WarnBefore = TimeSpan.FromDays(14) } } }, dovecot.Address);

        Assert.True(verdict.Passed);
        Assert.EndsWith(", in 10 days", verdict.Warning, StringComparison.Ordinal);
    }

    [RealProgramFact("dovecot-imapd")]
    public async Task A_port_without_TLS_fails_where_TLS_comes_first() =>
        Assert.StartsWith("down: no TLS: ", await Ask.WhyAsync(Imap with { Tls = dovecot.Tls(TlsBegin.Implicit) }, dovecot.Address), StringComparison.Ordinal);

    [RealProgramFact("dovecot-imapd")]
    public async Task A_wrong_password_fails()
    {
        Assert.Equal("down: answered the login with \"NO [AUTHENTICATIONFAILED] Authentication failed.\"", await Ask.WhyAsync(Imap with { User = "checker", Password = Wrong }, dovecot.Address));
        Assert.Equal("down: answered the login with \"-ERR [AUTH] Authentication failed.\"", await Ask.WhyAsync(Pop3 with { User = "checker", Password = Wrong }, dovecot.OtherAddress));
    }

    [RealProgramFact("dovecot-imapd")]
    public async Task Each_protocol_fails_at_the_port_of_the_other()
    {
        Assert.StartsWith("down: it does not speak POP3: \"* OK", await Ask.WhyAsync(Pop3, dovecot.Address));
        Assert.StartsWith("down: it does not speak IMAP: \"+OK", await Ask.WhyAsync(Imap, dovecot.OtherAddress));
    }

    [Theory]
    [InlineData("* BYE too many connections\r\n", "greeted with \"* BYE too many connections\"")]
    [InlineData("\u0001\u0002\u0003", "closed after \"...\"")]
    [InlineData("", "closed without an answer")]
    public async Task Another_greeting_of_IMAP_fails(string greeting, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(client => client.WriteAsync(greeting));

        Assert.Equal($"down: {why}", await Ask.WhyAsync(Imap, server.Address));
    }

    [Theory]
    [InlineData("-ERR later\r\n", "greeted with \"-ERR later\"")]
    [InlineData("+OKAY\r\n", "it does not speak POP3: \"+OKAY\"")]
    public async Task Another_greeting_of_POP3_fails(string greeting, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(client => client.WriteAsync(greeting));

        Assert.Equal($"down: {why}", await Ask.WhyAsync(Pop3, server.Address));
    }

    [Fact]
    public async Task An_answer_without_end_fails()
    {
        await using FakeRealServer endless = FakeRealServer.Repeating("* OK more\r\n", 300);

        Assert.Equal("down: an answer of more than 200 lines", await Ask.WhyAsync(Imap, endless.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Imap, silent.Address);
        await Ask.InVainAsync(Pop3, silent.Address);
    }
}
