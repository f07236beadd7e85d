using System.Net;
using System.Security.Cryptography;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class TlsProbeTests(TlsNginx nginx) : IClassFixture<TlsNginx>
{
    private TlsTerms Terms => new() { ServerName = "shop.example", Verifies = true, AuthorityFile = nginx.Authority, Pin = null, WarnBefore = TimeSpan.Zero };

    private static TlsTerms Anything { get; } = new() { ServerName = null, Verifies = false, AuthorityFile = null, Pin = null, WarnBefore = TimeSpan.Zero };

    [Fact]
    public async Task Passes_when_the_certificate_is_for_the_name_and_signed_by_the_authority() => Assert.Equal("up: TLS 1.3", await AnswerAsync(Terms, nginx.Good));

    [Fact]
    public async Task The_name_says_which_certificate_is_wanted() => Assert.Equal("up: TLS 1.3", await AnswerAsync(Terms with { ServerName = "other.example" }, nginx.Good));

    [Fact]
    public async Task Fails_when_the_certificate_is_for_another_name() =>
        Assert.Equal("down: the certificate is for shop.example, not for www.example", await AnswerAsync(Terms with { ServerName = "www.example" }, nginx.Good));

    [Fact]
    public async Task Without_a_name_none_is_compared() => Assert.Equal("up: TLS 1.3", await AnswerAsync(Terms with { ServerName = null }, nginx.Good));

    [Fact]
    public async Task Fails_when_nobody_trusted_has_signed_it()
    {
        Assert.Equal("down: the certificate is signed by nobody who is trusted here", await AnswerAsync(Terms with { AuthorityFile = nginx.Stranger }, nginx.Good));
        Assert.Equal("down: the certificate is signed by nobody who is trusted here", await AnswerAsync(Terms with { AuthorityFile = null }, nginx.Good));
    }

    [Fact]
    public async Task Fails_when_it_has_expired() =>
        Assert.Equal($"down: the certificate expired on {DateTime.Now.AddDays(-1):yyyy-MM-dd}", await AnswerAsync(Terms with { ServerName = "expired.example" }, nginx.Expired));

    [Fact]
    public async Task Without_verification_an_expired_one_of_a_stranger_will_do() => Assert.Equal("up: TLS 1.3", await AnswerAsync(Anything, nginx.Expired));

    [Fact]
    public async Task A_pin_takes_one_certificate_and_no_other()
    {
        ValueList<byte> pin = [.. SHA256.HashData(nginx.Certificate!.RawData)];

        Assert.Equal("up: TLS 1.3", await AnswerAsync(Anything with { Pin = pin }, nginx.Good));
        Assert.StartsWith("down: the certificate is not the pinned one, but ", await AnswerAsync(Anything with { Pin = pin }, nginx.Expired), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(14, true)]
    [InlineData(10, false)]
    [InlineData(0, false)]
    public async Task Warns_so_many_days_before_it_expires(int days, bool warns)
    {
        Verdict verdict = await Ask.OnceAsync(Check(Terms with { WarnBefore = TimeSpan.FromDays(days) }), nginx.Good);

        Assert.True(verdict.Passed);
        Assert.Equal(warns ? $"the certificate expires on {nginx.Certificate!.NotAfter:yyyy-MM-dd}, in 10 days" : null, verdict.Warning);
    }

    [Fact]
    public async Task It_expires_by_the_director_s_clock()
    {
        ManualClock later = new();
        later.Advance(nginx.Certificate!.NotAfter.ToUniversalTime().AddMinutes(1) - later.GetUtcNow().UtcDateTime);

        Verdict verdict = await Ask.OnceAsync(Check(Terms), nginx.Good, later);

        Assert.Equal((false, $"the certificate expired on {nginx.Certificate.NotAfter:yyyy-MM-dd}"), (verdict.Passed, verdict.Why));
    }

    [Fact]
    public async Task An_authority_that_cannot_be_read_is_the_director_s_own_trouble() =>
        Assert.StartsWith("not asked: /nowhere/ca.pem cannot be read: ", await AnswerAsync(Terms with { AuthorityFile = "/nowhere/ca.pem" }, nginx.Good), StringComparison.Ordinal);

    [Fact]
    public async Task A_server_without_TLS_is_down() =>
        Assert.StartsWith("down: no TLS: ", await AnswerAsync(Anything, nginx.Plain), StringComparison.Ordinal);

    [Fact]
    public async Task So_is_garbage_silence_and_a_closed_port()
    {
        await using FakeRealServer garbage = FakeRealServer.Start(client => client.WriteAsync("\u0016\u0003\u0001\u0000\u0002hi, this is not what you think it is"));
        await using FakeRealServer closing = FakeRealServer.Start(_ => Task.CompletedTask);
        await using FakeRealServer silent = FakeRealServer.Stalling();
        await using FakeRealServer refusing = FakeRealServer.Refusing();

        Assert.StartsWith("down: ", await AnswerAsync(Anything, garbage.Address), StringComparison.Ordinal);
        Assert.StartsWith("down: ", await AnswerAsync(Anything, closing.Address), StringComparison.Ordinal);
        Assert.Equal("down: connection refused", await AnswerAsync(Anything, refusing.Address));
        await Ask.InVainAsync(Check(Anything), silent.Address);
    }

    private static TlsCheck Check(TlsTerms terms) => new() { Tls = terms };

    private static Task<string> AnswerAsync(TlsTerms terms, IPEndPoint address) => Ask.WhyAsync(Check(terms), address);
}
