using System.Net.Security;
using System.Text;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>MariaDB, with a user who has a password and one who has none.</summary>
public sealed class MariaDb : TlsProgram
{
    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("mariadb-server") is not null;

    /// <inheritdoc/>
    protected override async Task<string[]> PrepareAsync()
    {
        WriteCertificate();
        string data = Path.Combine(Folder, "data");
        string users = Write("users", """
            CREATE USER checker@'127.0.0.1' IDENTIFIED BY 'geheim';
            CREATE USER trusted@'127.0.0.1' IDENTIFIED BY '';
            CREATE USER tls@'127.0.0.1' IDENTIFIED BY 'geheim' REQUIRE SSL;
            CREATE USER strange@'127.0.0.1' IDENTIFIED VIA unix_socket;
            CREATE DATABASE shop;
            CREATE TABLE shop.orders (id int);
            GRANT SELECT ON shop.* TO checker@'127.0.0.1';
            """);
        string[] asNobody = AsNobody();
        await DoAsync([.. asNobody, "mariadb-install-db", "--no-defaults", $"--datadir={data}", "--skip-test-db", "--auth-root-authentication-method=normal"]);
        return
        [
            .. asNobody, Installed.Find("mariadb-server")!, "--no-defaults", $"--datadir={data}", $"--socket={Folder}/s", $"--port={Port}", "--bind-address=127.0.0.1", $"--init-file={users}",
            "--skip-name-resolve", "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0", "--key-buffer-size=1M", "--max-connect-errors=2", "--pid-file=pid", $"--ssl-cert={CertificateFile}", $"--ssl-key={KeyFile}",
        ];
    }

    /// <inheritdoc/>
    protected override bool IsReady() => Said.Contains("ready for connections", StringComparison.Ordinal);
}

public sealed class MysqlProbeTests(MariaDb mariaDb) : IClassFixture<MariaDb>
{
    private static readonly MysqlCheck Nobody = new();
    private static readonly MysqlCheck Checker = Nobody with { User = "checker", Password = new GivenPassword("geheim") };

    [RealProgramFact("mariadb-server")]
    public async Task Without_a_user_it_is_enough_that_it_asks_who_is_there_and_it_does_not_block_us()
    {
        for (int i = 0; i < 4; i++) // more than its max-connect-errors
            Assert.Equal("up: it asks who is there", await Ask.WhyAsync(Nobody, mariaDb.Address));
    }

    [RealProgramFact("mariadb-server")]
    public async Task Logs_in_with_a_password_and_without()
    {
        Assert.Equal("up: logged in", await Ask.WhyAsync(Checker, mariaDb.Address));
        Assert.Equal("up: logged in", await Ask.WhyAsync(Checker with { User = "trusted", Password = null }, mariaDb.Address));
    }

    [RealProgramFact("mariadb-server")]
    public async Task Who_may_come_in_over_TLS_alone_is_let_in_so()
    {
        MysqlCheck tls = Checker with { User = "tls", Query = "SELECT 1" };

        Assert.StartsWith("down: the login was refused: \"Access denied", await Ask.WhyAsync(tls, mariaDb.Address), StringComparison.Ordinal);
        Assert.Equal("up: logged in, the query gave a row", await Ask.WhyAsync(tls with { Tls = mariaDb.Tls(TlsBegin.StartTls) }, mariaDb.Address));
        Assert.Equal("up: it asks who is there", await Ask.WhyAsync(Nobody with { Tls = mariaDb.Tls(TlsBegin.StartTls) }, mariaDb.Address));
    }

    [RealProgramFact("mariadb-server")]
    public async Task The_certificate_of_another_server_fails() =>
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Checker with { Tls = mariaDb.TlsOfAnother(TlsBegin.StartTls) }, mariaDb.Address));

    [RealProgramFact("mariadb-server")]
    public async Task A_wrong_password_fails()
    {
        Assert.Equal("down: the login was refused: \"Access denied for user 'checker'@'127.0.0.1' (using password…\"", await Ask.WhyAsync(Checker with { Password = new GivenPassword("falsch") }, mariaDb.Address));
        Assert.Equal("down: the login was refused: \"Access denied for user 'checker'@'127.0.0.1' (using password…\"", await Ask.WhyAsync(Checker with { Password = null }, mariaDb.Address));
    }

    [RealProgramFact("mariadb-server")]
    public async Task A_query_must_give_a_row()
    {
        MysqlCheck shop = Checker with { Database = "shop" };

        Assert.Equal("up: logged in, the query gave a row", await Ask.WhyAsync(shop with { Query = "SELECT table_name, table_rows FROM information_schema.tables LIMIT 20" }, mariaDb.Address));
        Assert.Equal("down: the query gave no row", await Ask.WhyAsync(shop with { Query = "SELECT id FROM orders" }, mariaDb.Address));
        Assert.Equal("down: the query gave no row", await Ask.WhyAsync(shop with { Query = "SET @a = 1" }, mariaDb.Address));
        Assert.Equal("down: the query was refused: \"Table 'shop.nothing' doesn't exist\"", await Ask.WhyAsync(shop with { Query = "SELECT id FROM nothing" }, mariaDb.Address));
    }

    [RealProgramFact("mariadb-server")]
    public async Task Knows_a_primary_from_a_replica()
    {
        Assert.Equal("up: logged in, primary", await Ask.WhyAsync(Checker with { Role = DatabaseRole.Primary }, mariaDb.Address));
        Assert.Equal("down: it is a primary", await Ask.WhyAsync(Checker with { Role = DatabaseRole.Replica }, mariaDb.Address));
    }

    [RealProgramFact("mariadb-server")]
    public async Task Another_database_fails() =>
        Assert.StartsWith("down: the login was refused: \"Access denied for user 'checker'@'127.0.0.1' to database", await Ask.WhyAsync(Checker with { Database = "other" }, mariaDb.Address));

    [Theory]
    [InlineData("220 mail.example.org ESMTP\r\n", "down: it does not speak MySQL: \"220\"")]
    [InlineData("\u0005\0\0\0hello", "down: it does not speak MySQL: \"hello\"")]
    [InlineData("\u0010\0\0\0\u00ff\u0010\u0004Too many conn", "down: refused: \"Too many conn\"")]
    [InlineData("\u0003\0\0\0\n5\0", "down: it does not speak MySQL: \".5.\"")]
    [InlineData("\u0003\0", "down: closed after \"..\"")]
    [InlineData("\0\0\0\0", "down: it does not speak MySQL: \"....\"")]
    [InlineData("\u00ff\u00ff\u00ff\0", "down: the answer is longer than 64 KiB")]
    public async Task Another_greeting_fails(string greeting, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(client => client.WriteAsync(greeting));

        Assert.Equal(why, await Ask.WhyAsync(Checker, server.Address));
    }

    [Theory]
    [InlineData(new byte[] { 0x01, 0x04 }, "it wants the password itself (caching_sha2_password), which is not sent without TLS: write `tls: starttls`, or `clearPassword: true`")]
    [InlineData(new byte[] { 0xFE, (byte)'e', (byte)'d', 0 }, "it wants a login that this check does not know (\"ed\")")]
    [InlineData(new byte[] { 0x77 }, "a broken login")]
    public async Task A_login_that_it_cannot_do_fails(byte[] answer, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await CachingSha2Server.GreetAsync(client);
            await CachingSha2Server.SendAsync(client, 2, answer);
        });

        Assert.StartsWith($"down: {why}", await Ask.WhyAsync(Checker, server.Address));
    }

    [Theory]
    [InlineData("geheim", "up: logged in")]
    [InlineData("falsch", "down: the login was refused: \"no\"")]
    public async Task Without_TLS_the_password_is_said_by_the_server_s_key_to_whom_that_is_allowed(string password, string why)
    {
        await using CachingSha2Server server = new("geheim");

        Assert.Equal(why, await Ask.WhyAsync(Checker with { Password = new GivenPassword(password), SaysPassword = true }, server.Address));
    }

    [Fact]
    public async Task Over_TLS_the_password_is_said_as_it_is()
    {
        using TlsServer server = new();
        Task<string> told = LetInAsync(server);

        Assert.Equal("up: logged in", await Ask.WhyAsync(Checker with { Tls = server.Tls(TlsBegin.StartTls) }, server.Address));
        Assert.Equal("geheim\0", await told);
    }

    private static async Task<string> LetInAsync(TlsServer server)
    {
        const int WishForTls = 4 + 32;
        await using SslStream tls = await server.AcceptAsync(async plain =>
        {
            await plain.WriteAsync(CachingSha2Server.Greeting(offersTls: true));
            await plain.ReadExactlyAsync(new byte[WishForTls]); // and not a byte more: the login comes under TLS
        });
        byte[] heard = new byte[512];
        _ = await tls.ReadAsync(heard);
        await tls.WriteAsync(CachingSha2Server.Packet(3, [1, 4]));
        int count = await tls.ReadAsync(heard);
        await tls.WriteAsync(CachingSha2Server.Packet(5, [0, 0, 0, 2, 0, 0, 0]));
        _ = await tls.ReadAsync(new byte[512]); // its goodbye
        return Encoding.UTF8.GetString(heard, 4, count - 4);
    }

    [Theory]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    [InlineData("hello")]
    [InlineData("")]
    public async Task A_key_that_is_none_fails(string key)
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await CachingSha2Server.GreetAsync(client);
            await CachingSha2Server.SendAsync(client, 2, [1, 4]);
            await CachingSha2Server.ReadAsync(client);
            await CachingSha2Server.SendAsync(client, 4, [1, .. Encoding.ASCII.GetBytes(key)]);
        });

        Assert.StartsWith("down: a broken login: ", await Ask.WhyAsync(Checker with { SaysPassword = true }, server.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Nobody, silent.Address);
    }
}
