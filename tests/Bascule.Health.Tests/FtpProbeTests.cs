using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>vsftpd, which lets everybody in but those whose password is "falsch".</summary>
public class Vsftpd : TlsProgram
{
    /// <summary>What it is told of TLS.</summary>
    protected virtual string TlsSettings => "";

    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("vsftpd") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "empty"));
        Directory.CreateDirectory(Path.Combine(Folder, "pub"));
        WriteCertificate();
        Write("refused", "falsch\n");
        string configuration = Write("vsftpd.conf", $"""
            listen=YES
            background=NO
            listen_address=127.0.0.1
            listen_port={Port}
            run_as_launching_user=YES
            anonymous_enable=YES
            local_enable=NO
            secure_chroot_dir={Folder}/empty
            anon_root={Folder}/pub
            deny_email_enable=YES
            banned_email_file={Folder}/refused
            vsftpd_log_file={Folder}/log
            seccomp_sandbox=NO
            delay_failed_login=0
            {TlsSettings}

            """);
        return Task.FromResult<string[]>([Installed.Find("vsftpd")!, configuration]);
    }
}

/// <summary>One that may be asked for TLS.</summary>
public class TlsVsftpd : Vsftpd
{
    /// <inheritdoc/>
    protected override string TlsSettings => $"""
        ssl_enable=YES
        allow_anon_ssl=YES
        force_anon_logins_ssl=YES
        ssl_ciphers=HIGH
        rsa_cert_file={CertificateFile}
        rsa_private_key_file={KeyFile}
        """;
}

/// <summary>One that speaks TLS alone.</summary>
public sealed class ImplicitVsftpd : TlsVsftpd
{
    /// <inheritdoc/>
    protected override string TlsSettings => $"{base.TlsSettings}\nimplicit_ssl=YES";
}

public sealed class FtpProbeTests(Vsftpd vsftpd, TlsVsftpd tls, ImplicitVsftpd tlsAlone) : IClassFixture<Vsftpd>, IClassFixture<TlsVsftpd>, IClassFixture<ImplicitVsftpd>
{
    private static readonly FtpCheck Ftp = new() { User = null, Password = null };
    private static readonly FtpCheck Guest = new() { User = "anonymous", Password = new GivenPassword("director@example.org") };

    [RealProgramFact("vsftpd")]
    public async Task A_greeting_is_enough_without_a_user() => Assert.Equal("up: 220", await Ask.WhyAsync(Ftp, vsftpd.Address));

    [RealProgramFact("vsftpd")]
    public async Task A_user_is_let_in() => Assert.Equal("up: logged in", await Ask.WhyAsync(Guest, vsftpd.Address));

    [RealProgramFact("vsftpd")]
    public async Task A_user_is_let_in_over_TLS()
    {
        Assert.StartsWith("down: answered the login with \"530 ", await Ask.WhyAsync(Guest, tls.Address), StringComparison.Ordinal);
        Assert.Equal("up: logged in", await Ask.WhyAsync(Guest with { Tls = tls.Tls(TlsBegin.StartTls) }, tls.Address));
        Assert.Equal("up: logged in", await Ask.WhyAsync(Guest with { Tls = tlsAlone.Tls(TlsBegin.Implicit) }, tlsAlone.Address));
    }

    [RealProgramFact("vsftpd")]
    public async Task The_certificate_of_another_server_fails()
    {
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Guest with { Tls = tls.TlsOfAnother(TlsBegin.StartTls) }, tls.Address));
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Guest with { Tls = tlsAlone.TlsOfAnother(TlsBegin.Implicit) }, tlsAlone.Address));
    }

    [RealProgramFact("vsftpd")]
    public async Task A_server_that_offers_no_TLS_fails() =>
        Assert.Equal("down: no TLS: answered AUTH TLS with \"530 Please login with USER and PASS.\"", await Ask.WhyAsync(Guest with { Tls = vsftpd.Tls(TlsBegin.StartTls) }, vsftpd.Address));

    [RealProgramFact("vsftpd")]
    public async Task A_wrong_password_or_user_fails()
    {
        Assert.Equal("down: answered the login with \"530 Login incorrect.\"", await Ask.WhyAsync(Guest with { Password = new GivenPassword("falsch") }, vsftpd.Address));
        Assert.Equal("down: answered the login with \"530 This FTP server is anonymous only.\"", await Ask.WhyAsync(Guest with { User = "root" }, vsftpd.Address));
    }

    [Fact]
    public async Task A_greeting_and_a_welcome_may_have_several_lines()
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await client.WriteAsync("220-Welcome\r\n 220 is not yet the end\r\nnor this\r\n220 ready\r\n");
            await client.ReadExactlyAsync("USER anonymous\r\n".Length);
            await client.WriteAsync("230-There is\r\n230-news\r\n230 in\r\n");
            await client.ReadExactlyAsync("QUIT\r\n".Length);
            await client.WriteAsync("221 bye\r\n");
        });

        Assert.Equal("up: logged in", await Ask.WhyAsync(Guest, server.Address));
    }

    [Theory]
    [InlineData("120 ready in 5 minutes\r\n", "down: not ready yet: \"120 ready in 5 minutes\"")]
    [InlineData("421 too many\r\n", "down: greeted with \"421 too many\"")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "down: it does not speak FTP: \"SSH-2.0-OpenSSH_9.2\"")]
    [InlineData("220", "down: closed after \"220\"")]
    public async Task Another_greeting_fails(string greeting, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(client => client.WriteAsync(greeting));

        Assert.Equal(why, await Ask.WhyAsync(Ftp, server.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Ftp, silent.Address);
    }
}
