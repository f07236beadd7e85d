using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>PostgreSQL, which has somebody for each kind of login.</summary>
public sealed class Postgres : TlsProgram
{
    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("postgresql") is not null;

    /// <inheritdoc/>
    protected override async Task<string[]> PrepareAsync()
    {
        WriteCertificate();
        string programs = Path.GetDirectoryName(Installed.Find("postgresql"))!;
        string data = Path.Combine(Folder, "data");
        Write("access", """
            local all all trust
            host  all trusted 127.0.0.1/32 trust
            host  all scram   127.0.0.1/32 scram-sha-256
            host  all md5     127.0.0.1/32 md5
            host  all clear   127.0.0.1/32 password
            hostssl all tls   127.0.0.1/32 scram-sha-256
            """);
        Write("users", """
            CREATE USER trusted;
            CREATE USER scram PASSWORD 'geheim';
            CREATE USER tls PASSWORD 'geheim';
            CREATE USER clear PASSWORD 'geheim';
            SET password_encryption = md5;
            CREATE USER md5 PASSWORD 'geheim';
            CREATE TABLE orders (id int);
            GRANT SELECT ON orders TO PUBLIC;
            """);
        string[] asNobody = AsNobody();
        await DoAsync([.. asNobody, $"{programs}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions"]);
        await DoAsync("sh", "-c", $"{string.Join(' ', asNobody)} {programs}/postgres --single -D {data} postgres < {Folder}/users");
        return
        [
            .. asNobody, $"{programs}/postgres", "-D", data, "-p", Port, "-k", Folder, "-c", "listen_addresses=127.0.0.1", "-c", $"hba_file={Folder}/access",
            "-c", "ssl=on", "-c", $"ssl_cert_file={CertificateFile}", "-c", $"ssl_key_file={KeyFile}",
            "-c", "fsync=off", "-c", "shared_buffers=4MB", "-c", "max_connections=10",
        ];
    }

    /// <inheritdoc/>
    protected override bool IsReady() => Said.Contains("ready to accept connections", StringComparison.Ordinal);
}

public sealed class PostgresProbeTests(Postgres postgres) : IClassFixture<Postgres>
{
    private static readonly PostgresCheck Nobody = new();

    [RealProgramFact("postgresql")]
    public async Task Without_a_user_it_is_enough_that_it_asks_who_is_there() => Assert.Equal("up: it asks who is there", await Ask.WhyAsync(Nobody, postgres.Address));

    [RealProgramFact("postgresql")]
    public async Task Logs_in_by_every_kind_of_password()
    {
        foreach (string user in (string[])["trusted", "scram", "md5", "clear"])
            Assert.Equal($"{user} up: logged in", $"{user} {await Ask.WhyAsync(As(user) with { SaysPassword = true }, postgres.Address)}");
    }

    [RealProgramFact("postgresql")]
    public async Task The_password_itself_is_said_over_TLS_alone()
    {
        Assert.Equal("down: it wants the password itself (`password` in its pg_hba.conf), which is not sent without TLS: write `tls: starttls`, or `clearPassword: true`", await Ask.WhyAsync(As("clear"), postgres.Address));
        Assert.Equal("up: logged in", await Ask.WhyAsync(As("clear") with { Tls = postgres.Tls(TlsBegin.StartTls) }, postgres.Address));
    }

    [RealProgramFact("postgresql")]
    public async Task Who_may_come_in_over_TLS_alone_is_let_in_so()
    {
        Assert.StartsWith("down: the login was refused: \"no pg_hba.conf entry", await Ask.WhyAsync(As("tls"), postgres.Address), StringComparison.Ordinal);
        Assert.Equal("up: logged in, primary", await Ask.WhyAsync(As("tls") with { Tls = postgres.Tls(TlsBegin.StartTls), Role = DatabaseRole.Primary }, postgres.Address));
    }

    [RealProgramFact("postgresql")]
    public async Task The_certificate_of_another_server_fails() =>
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(As("scram") with { Tls = postgres.TlsOfAnother(TlsBegin.StartTls) }, postgres.Address));

    [RealProgramFact("postgresql")]
    public async Task A_wrong_password_fails()
    {
        foreach (string user in (string[])["scram", "md5", "clear"])
        {
            string why = await Ask.WhyAsync(As(user) with { Password = new GivenPassword("falsch"), SaysPassword = true }, postgres.Address);

            Assert.Equal($"down: the login was refused: \"password authentication failed for user \"{user}\"\"", why);
        }
    }

    [RealProgramFact("postgresql")]
    public async Task Says_when_a_password_is_wanted() => Assert.Equal("down: it wants a password", await Ask.WhyAsync(As("scram") with { Password = null }, postgres.Address));

    [RealProgramFact("postgresql")]
    public async Task A_query_must_give_a_row()
    {
        Assert.Equal("up: logged in, the query gave a row", await Ask.WhyAsync(As("scram") with { Query = "SELECT 1" }, postgres.Address));
        Assert.Equal("down: the query gave no row", await Ask.WhyAsync(As("scram") with { Query = "SELECT * FROM orders" }, postgres.Address));
        Assert.Equal("down: the query was refused: \"relation \"nothing\" does not exist\"", await Ask.WhyAsync(As("scram") with { Query = "SELECT * FROM nothing" }, postgres.Address));
    }

    [RealProgramFact("postgresql")]
    public async Task Knows_a_primary_from_a_replica()
    {
        Assert.Equal("up: logged in, primary", await Ask.WhyAsync(As("scram") with { Role = DatabaseRole.Primary }, postgres.Address));
        Assert.Equal("down: it is a primary", await Ask.WhyAsync(As("scram") with { Role = DatabaseRole.Replica }, postgres.Address));
    }

    [RealProgramFact("postgresql")]
    public async Task Another_database_fails() =>
        Assert.Equal("down: the login was refused: \"database \"shop\" does not exist\"", await Ask.WhyAsync(As("scram") with { Database = "shop" }, postgres.Address));

    [RealProgramFact("postgresql")]
    public async Task Logs_in_again_and_again_with_the_same_probe()
    {
        Probe probe = Probe.For(As("scram"), postgres.Address, TimeProvider.System);
        for (int i = 0; i < 3; i++)
            Assert.Equal("logged in", (await probe.AskAsync(mark: 0, CancellationToken.None)).Why);
    }

    [Theory]
    [InlineData("220 mail.example.org ESMTP\r\n", "down: it does not speak PostgreSQL: \"220 mail.example.org ESMTP\"")]
    [InlineData("R\0\0\0\u0001", "down: it does not speak PostgreSQL: \"\"")]
    [InlineData("E\u007f\0\0\0", "down: the answer is longer than 64 KiB")]
    [InlineData("E\0\0\0\u001eC57P03\0Mit is starting\0\0\0\0\0\0", "down: the login was refused: \"it is starting\"")]
    [InlineData("R\0\0", "down: closed after \"R..\"")]
    [InlineData("R\0\0\0\u0008\0\0\0\u0007", "down: it wants a login of a kind that this check does not know (7)")]
    public async Task Another_answer_fails(string answer, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await client.ReadAsync(new byte[512]);
            await client.WriteAsync(answer);
        });

        Assert.Equal(why, await Ask.WhyAsync(As("scram"), server.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Nobody, silent.Address);
    }

    private static PostgresCheck As(string user) => Nobody with { User = user, Password = new GivenPassword("geheim"), Database = "postgres" };
}
