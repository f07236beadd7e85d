using System.Net.Security;
using System.Text;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>What every protocol has in common on its way to TLS.</summary>
public sealed class StartTlsTests
{
    private static readonly TlsTerms Anything = new() { ServerName = null, Verifies = false, AuthorityFile = null, Pin = null, WarnBefore = TimeSpan.Zero };
    private static readonly TlsUse StartTls = new(TlsBegin.StartTls, Anything);

    private static readonly Dictionary<string, Talk> Talks = new()
    {
        ["smtp"] = new(new SmtpCheck { Hello = "x", Tls = StartTls }, "220 hi\r\n", ["250 yes\r\n", "220 go\r\n"], "502 no\r\n", "no TLS: answered STARTTLS with \"502 no\""),
        ["imap"] = new(new ImapCheck { User = null, Password = null, Tls = StartTls }, "* OK hi\r\n", ["a0 OK go\r\n"], "a0 BAD no\r\n", "no TLS: answered STARTTLS with \"BAD no\""),
        ["pop3"] = new(new Pop3Check { User = null, Password = null, Tls = StartTls }, "+OK hi\r\n", ["+OK go\r\n"], "-ERR no\r\n", "no TLS: answered STLS with \"-ERR no\""),
        ["ftp"] = new(new FtpCheck { User = null, Password = null, Tls = StartTls }, "220 hi\r\n", ["234 go\r\n"], "502 no\r\n", "no TLS: answered AUTH TLS with \"502 no\""),
        ["ldap"] = new(new LdapCheck { User = null, Password = null, Base = null, Tls = StartTls }, "", ["0\u000c\u0002\u0001\u0004x\u0007\n\u0001\0\u0004\0\u0004\0"], "0\u000c\u0002\u0001\u0004x\u0007\n\u0001\u0002\u0004\0\u0004\0", "no TLS: answered StartTLS with a protocol error"),
        ["postgres"] = new(new PostgresCheck { Tls = StartTls }, "", ["S"], "N", "no TLS: it does not offer it"),
    };

    public static TheoryData<string> Kinds => [.. Talks.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_server_that_offers_no_TLS_is_down(string kind)
    {
        Talk talk = Talks[kind];
        await using FakeRealServer server = Speaking(talk.Greeting, [.. talk.Agreed[..^1], talk.Refusal]);

        Assert.Equal($"down: {talk.Refused}", await Ask.WhyAsync(talk.Check, server.Address));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Words_that_came_before_TLS_are_not_taken_for_the_server_s_own(string kind)
    {
        Talk talk = Talks[kind];
        await using FakeRealServer server = Speaking(talk.Greeting, [.. talk.Agreed[..^1], $"{talk.Agreed[^1]}injected"]);

        Assert.Equal("down: said \"injected\" before TLS had begun, which anybody on the way could have added", await Ask.WhyAsync(talk.Check, server.Address));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_handshake_that_hangs_is_named(string kind)
    {
        Talk talk = Talks[kind];
        using CancellationTokenSource timeUp = new();
        await using FakeRealServer server = Speaking(talk.Greeting, talk.Agreed, onHello: timeUp.Cancel);

        Assert.Equal("TLS handshake", await Ask.InVainAsync(talk.Check, server.Address, timeUp.Token));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_server_that_agrees_and_then_speaks_something_else_is_down(string kind)
    {
        Talk talk = Talks[kind];
        await using FakeRealServer server = Speaking(talk.Greeting, [.. talk.Agreed, "not a handshake at all\r\n"]);

        Assert.StartsWith("down: no TLS: ", await Ask.WhyAsync(talk.Check, server.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_MySQL_that_does_not_say_that_it_knows_TLS_is_not_asked_for_it()
    {
        await using FakeRealServer server = FakeRealServer.Start(CachingSha2Server.GreetAsync);
        MysqlCheck check = new() { Tls = StartTls };

        Assert.Equal("down: no TLS: it does not offer it", await Ask.WhyAsync(check, server.Address));
    }

    [Fact]
    public async Task So_are_words_behind_the_greeting_of_a_MySQL()
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await client.WriteAsync((byte[])[.. CachingSha2Server.Greeting(offersTls: true), .. "injected"u8]);
            await client.ReadToEndAsync();
        });

        Assert.Equal("down: said \"injected\" before TLS had begun, which anybody on the way could have added", await Ask.WhyAsync(new MysqlCheck { Tls = StartTls }, server.Address));
    }

    [Fact]
    public async Task A_SIP_server_is_asked_over_TLS()
    {
        using TlsServer server = new();
        Task<string> asked = AnswerOneAsync(server);

        Assert.Equal("up: 200 Well", await Ask.WhyAsync(new SipCheck { Uri = null, Transport = Transport.Tcp, Tls = server.Tls(TlsBegin.Implicit) }, server.Address));
        Assert.Contains("Via: SIP/2.0/TLS 127.0.0.1:", await asked, StringComparison.Ordinal);
    }

    private static async Task<string> AnswerOneAsync(TlsServer server)
    {
        await using SslStream tls = await server.AcceptAsync();
        byte[] buffer = new byte[4096];
        string question = Encoding.ASCII.GetString(buffer, 0, await tls.ReadAsync(buffer));
        string callId = question.Split("\r\n").Single(line => line.StartsWith("Call-ID: ", StringComparison.Ordinal));
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"SIP/2.0 200 Well\r\n{callId}\r\n\r\n"));
        return question;
    }

    /// <summary>Greets, and answers whatever is said in these words, one after the other; then it listens.</summary>
    private static FakeRealServer Speaking(string greeting, string[] answers, Action? onHello = null) => FakeRealServer.Start(async client =>
    {
        byte[] buffer = new byte[4096];
        await client.WriteAsync(greeting);
        foreach (string answer in answers)
        {
            if (await client.ReadAsync(buffer) == 0)
                return;
            await client.WriteAsync(answer);
        }

        if (await client.ReadAsync(buffer) > 0)
            onHello?.Invoke();
        await client.ReadToEndAsync();
    });

    /// <summary>How a protocol comes to TLS.</summary>
    /// <param name="Agreed">The server's answers up to the one by which it agrees.</param>
    /// <param name="Refusal">In place of the last of them.</param>
    /// <param name="Refused">What the check makes of that.</param>
    private sealed record Talk(Check Check, string Greeting, string[] Agreed, string Refusal, string Refused);
}
