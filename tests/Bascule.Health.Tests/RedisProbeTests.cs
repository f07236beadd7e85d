using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>Redis, whose default user has a password, and which knows another user; at its other address it speaks TLS alone.</summary>
public sealed class Redis : TlsProgram
{
    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("redis-server") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        WriteCertificate();
        string configuration = Write("redis.conf", $"""
            bind 127.0.0.1
            port {Port}
            tls-port {OtherAddress.Port}
            tls-cert-file {CertificateFile}
            tls-key-file {KeyFile}
            tls-auth-clients no
            tls-ca-cert-dir /etc/ssl/certs
            dir {Folder}
            save ""
            requirepass geheim
            user checker on >nur-ping +ping +role
            """);
        return Task.FromResult<string[]>([Installed.Find("redis-server")!, configuration]);
    }
}

public sealed class RedisProbeTests(Redis redis) : IClassFixture<Redis>
{
    private static readonly RedisCheck Nobody = new() { User = null, Password = null, Role = null };
    private static readonly RedisCheck Somebody = Nobody with { Password = new GivenPassword("geheim") };

    [RealProgramFact("redis-server")]
    public async Task Passes_when_it_answers_PING() => Assert.Equal("up: PONG", await Ask.WhyAsync(Somebody, redis.Address));

    [RealProgramFact("redis-server")]
    public async Task Is_asked_over_TLS() => Assert.Equal("up: PONG", await Ask.WhyAsync(Somebody with { Tls = redis.Tls(TlsBegin.Implicit) }, redis.OtherAddress));

    [RealProgramFact("redis-server")]
    public async Task The_certificate_of_another_server_fails() =>
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(Somebody with { Tls = redis.TlsOfAnother(TlsBegin.Implicit) }, redis.OtherAddress));

    [RealProgramFact("redis-server")]
    public async Task At_a_port_without_TLS_it_waits_for_a_line_that_does_not_end() =>
        Assert.Equal("TLS handshake", await Ask.InVainAsync(Somebody with { Tls = redis.Tls(TlsBegin.Implicit) }, redis.Address));

    [RealProgramFact("redis-server")]
    public async Task So_it_is_in_words_of_the_operator_s_own()
    {
        SendExpectCheck talk = new() { Steps = [new SendStep([.. "PING\r\n"u8]), new ExpectBytesStep([.. "-NOAUTH"u8])], Tls = redis.Tls(TlsBegin.Implicit) };

        Assert.Equal("up: 2 steps done", await Ask.WhyAsync(talk, redis.OtherAddress));
        Assert.Equal(TlsProgram.IsAnother, await Ask.WhyAsync(talk with { Tls = redis.TlsOfAnother(TlsBegin.Implicit) }, redis.OtherAddress));
    }

    [RealProgramFact("redis-server")]
    public async Task A_user_may_log_in() =>
        Assert.Equal("up: PONG, primary", await Ask.WhyAsync(new RedisCheck { User = "checker", Password = new GivenPassword("nur-ping"), Role = DatabaseRole.Primary }, redis.Address));

    [RealProgramFact("redis-server")]
    public async Task Without_the_password_that_it_wants_it_fails() =>
        Assert.Equal("down: answered PING with \"NOAUTH Authentication required.\"", await Ask.WhyAsync(Nobody, redis.Address));

    [RealProgramFact("redis-server")]
    public async Task A_wrong_password_fails() =>
        Assert.StartsWith("down: answered the login with \"WRONGPASS invalid username-password pair",
            await Ask.WhyAsync(Somebody with { Password = new GivenPassword("falsch") }, redis.Address));

    [RealProgramFact("redis-server")]
    public async Task A_primary_is_no_replica() =>
        Assert.Equal("down: it is \"master\", and is to be a replica", await Ask.WhyAsync(Somebody with { Role = DatabaseRole.Replica }, redis.Address));

    [RealProgramFact("redis-server")]
    public async Task The_password_may_change_in_its_file()
    {
        string path = Path.GetTempFileName();
        RedisCheck check = Nobody with { Password = new PasswordFile(path) };
        Probe probe = Probe.For(check, redis.Address, TimeProvider.System);
        await File.WriteAllTextAsync(path, "falsch\nand a second line");
        Assert.False((await probe.AskAsync(mark: 0, CancellationToken.None)).Passed);

        await File.WriteAllTextAsync(path, "geheim\r\n");

        Assert.Equal("PONG", (await probe.AskAsync(mark: 0, CancellationToken.None)).Why);
        File.Delete(path);
    }

    [Fact]
    public async Task A_password_that_cannot_be_read_is_no_word_against_the_real_server() =>
        Assert.Equal("not asked: the password cannot be read: Could not find file '/nowhere/at.all'",
            (await Ask.WhyAsync(Nobody with { Password = new PasswordFile("/nowhere/at.all") }, new(System.Net.IPAddress.Loopback, 9))).Replace("a part of the path", "file", StringComparison.Ordinal));

    [Fact]
    public async Task A_password_is_not_read_from_what_could_hang() =>
        Assert.Equal("not asked: the password cannot be read: /dev/zero is no file",
            await Ask.WhyAsync(Nobody with { Password = new PasswordFile("/dev/zero") }, new(System.Net.IPAddress.Loopback, 9)));

    [Theory]
    [InlineData("-LOADING Redis is loading the dataset in memory\r\n", "down: answered PING with \"LOADING Redis is loading the dataset in memory\"")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n", "down: it does not speak Redis: \"HTTP/1.1 400 Bad Request\"")]
    [InlineData("+PO", "down: closed after \"+PO\"")]
    public async Task Another_answer_fails(string answer, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await client.ReadExactlyAsync("*1\r\n$4\r\nPING\r\n".Length);
            await client.WriteAsync(answer);
        });

        Assert.Equal(why, await Ask.WhyAsync(Nobody, server.Address));
    }

    [Theory]
    [InlineData("*5\r\n$5\r\nslave\r\n", "up: PONG, replica")]
    [InlineData("*1\r\n$8\r\nsentinel\r\n", "down: it is \"sentinel\", and is to be a replica")]
    [InlineData("*1\r\n$99999999999\r\n", "down: it does not speak Redis: \"$99999999999\"")]
    [InlineData("*0\r\n", "down: it does not speak Redis: \"*0\"")]
    [InlineData("-NOPERM no\r\n", "down: answered ROLE with \"NOPERM no\"")]
    public async Task The_role_is_the_first_word_of_a_list(string answer, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await client.ReadExactlyAsync("*1\r\n$4\r\nPING\r\n".Length);
            await client.WriteAsync("+PONG\r\n");
            await client.ReadExactlyAsync("*1\r\n$4\r\nROLE\r\n".Length);
            await client.WriteAsync(answer);
        });

        Assert.Equal(why, await Ask.WhyAsync(Nobody with { Role = DatabaseRole.Replica }, server.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Nobody, silent.Address);
    }
}
