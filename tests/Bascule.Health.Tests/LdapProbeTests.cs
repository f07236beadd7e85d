using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>OpenLDAP, with an entry that anybody may see and one that nobody may; at its other address it speaks TLS alone.</summary>
public sealed class Slapd : TlsProgram
{
    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("slapd") is not null;

    /// <inheritdoc/>
    protected override async Task<string[]> PrepareAsync()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "data"));
        WriteCertificate();
        string configuration = Write("slapd.conf", $"""
            include /etc/ldap/schema/core.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            pidfile {Folder}/pid
            TLSCertificateFile {CertificateFile}
            TLSCertificateKeyFile {KeyFile}
            database mdb
            suffix "dc=example,dc=org"
            rootdn "cn=checker,dc=example,dc=org"
            rootpw geheim
            directory {Folder}/data
            maxsize 1048576
            access to dn.base="cn=hidden,dc=example,dc=org" by * none
            access to * by * read
            """);
        string entries = Write("entries", """
            dn: dc=example,dc=org
            objectClass: dcObject
            objectClass: organization
            dc: example
            o: Example

            dn: cn=hidden,dc=example,dc=org
            objectClass: device
            cn: hidden
            """);
        await DoAsync("/usr/sbin/slapadd", "-f", configuration, "-l", entries);
        return [Installed.Find("slapd")!, "-d", "256", "-h", $"ldap://127.0.0.1:{Port} ldaps://{OtherAddress}", "-f", configuration];
    }
}

public sealed class LdapProbeTests(Slapd slapd) : IClassFixture<Slapd>
{
    private const string Entry = "dc=example,dc=org";

    private static readonly LdapCheck Nobody = new() { User = null, Password = null, Base = null };
    private static readonly LdapCheck Checker = Nobody with { User = $"cn=checker,{Entry}", Password = new GivenPassword("geheim") };

    [RealProgramFact("slapd")]
    public async Task Binds_as_nobody_and_as_somebody()
    {
        Assert.Equal("up: bound", await Ask.WhyAsync(Nobody, slapd.Address));
        Assert.Equal("up: bound", await Ask.WhyAsync(Checker, slapd.Address));
    }

    [RealProgramFact("slapd")]
    public async Task Binds_over_TLS()
    {
        Assert.Equal("up: bound", await Ask.WhyAsync(Checker with { Tls = slapd.Tls(TlsBegin.StartTls) }, slapd.Address));
        Assert.Equal("up: bound", await Ask.WhyAsync(Checker with { Tls = slapd.Tls(TlsBegin.Implicit) }, slapd.OtherAddress));
    }

    [RealProgramFact("slapd")]
    public async Task The_certificate_of_another_server_fails()
    {
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Checker with { Tls = slapd.TlsOfAnother(TlsBegin.StartTls) }, slapd.Address));
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Checker with { Tls = slapd.TlsOfAnother(TlsBegin.Implicit) }, slapd.OtherAddress));
    }

    [RealProgramFact("slapd")]
    public async Task A_port_without_TLS_fails_where_TLS_comes_first() =>
        Assert.StartsWith("down: no TLS: ", await Ask.WhyAsync(Nobody with { Tls = slapd.Tls(TlsBegin.Implicit) }, slapd.Address), StringComparison.Ordinal);

    [RealProgramFact("slapd")]
    public async Task A_wrong_password_fails() =>
        Assert.Equal("down: the bind was refused: invalid credentials", await Ask.WhyAsync(Checker with { Password = new GivenPassword("falsch") }, slapd.Address));

    [RealProgramFact("slapd")]
    public async Task The_entry_must_be_there()
    {
        Assert.Equal("up: bound, and the entry is there", await Ask.WhyAsync(Nobody with { Base = Entry }, slapd.Address));
        Assert.Equal("up: bound, and the entry is there", await Ask.WhyAsync(Checker with { Base = $"cn=hidden,{Entry}" }, slapd.Address));
        Assert.Equal("down: the search failed: no such object", await Ask.WhyAsync(Nobody with { Base = $"cn=hidden,{Entry}" }, slapd.Address));
        Assert.Equal("down: the search failed: no such object", await Ask.WhyAsync(Nobody with { Base = $"cn=nothing,{Entry}" }, slapd.Address));
        Assert.Equal("down: the search failed: not a name, \"invalid DN\"", await Ask.WhyAsync(Nobody with { Base = "example.org" }, slapd.Address));
    }

    [Theory]
    [InlineData("220 mail.example.org ESMTP\r\n", "it does not speak LDAP: \"220 mail.example.org ESMTP\"")]
    [InlineData("0\u0084\u00ff\u00ff\u00ff\u00ff", "it does not speak LDAP: \"0.....\"")]
    [InlineData("0\u0083\u00ff\u00ff\u00ff", "the answer is longer than 64 KiB")]
    [InlineData("0\u0003\u0002\u0001\u0001", "it does not speak LDAP: \"0....\"")]
    [InlineData("0\u000c\u0002\u0001\u0002a\u0007\n\u0001\0\u0004\0\u0004\0", "it does not speak LDAP: \"0....a........\"")] // the answer to another question
    [InlineData("0\u0006\u0002\u0001\u0001a\u0001\u0000", "the bind was refused: a broken answer")]
    [InlineData("0\u000c\u0002", "closed after \"0..\"")]
    public async Task Another_answer_fails(string answer, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await client.ReadAsync(new byte[512]);
            await client.WriteAsync(answer);
        });

        Assert.Equal($"down: {why}", await Ask.WhyAsync(Nobody, server.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Nobody, silent.Address);
    }
}
