using System.Security.Cryptography;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class HttpsProbeTests(TlsNginx nginx) : IClassFixture<TlsNginx>
{
    private TlsTerms Terms => new() { ServerName = "shop.example", Verifies = true, AuthorityFile = nginx.Authority, Pin = null, WarnBefore = TimeSpan.FromDays(14) };

    private HttpCheck Shop => Checks.Http with { Path = "/", Tls = Terms };

    [Fact]
    public async Task Passes_and_warns_of_a_certificate_that_expires_soon()
    {
        Verdict verdict = await Ask.OnceAsync(Shop with { BodyContains = "shop by shop.example" }, nginx.Good);

        Assert.Equal((true, "200", $"the certificate expires on {nginx.Certificate!.NotAfter:yyyy-MM-dd}, in 10 days"), (verdict.Passed, verdict.Why, verdict.Warning));
    }

    [Fact]
    public async Task The_answer_is_judged_as_without_TLS()
    {
        Assert.Equal("down: status 503, expected 200", await Ask.WhyAsync(Shop with { Path = "/broken" }, nginx.Good));
        Assert.Equal("down: body does not contain \"books\"", await Ask.WhyAsync(Shop with { BodyContains = "books" }, nginx.Good));
    }

    [Fact]
    public async Task So_is_the_certificate() =>
        Assert.Equal("down: the certificate is for shop.example, not for www.example", await Ask.WhyAsync(Shop with { Tls = Terms with { ServerName = "www.example" } }, nginx.Good));

    [Fact]
    public async Task A_server_without_TLS_is_down() => Assert.StartsWith("down: no TLS: ", await Ask.WhyAsync(Shop, nginx.Plain), StringComparison.Ordinal);

    [Fact]
    public async Task A_server_that_wants_TLS_does_not_answer_plain_http() =>
        Assert.Equal("down: status 400, expected 200", await Ask.WhyAsync(Shop with { Tls = null }, nginx.Good));

    [Theory]
    [InlineData("X-State", "ready", "up: 200")]
    [InlineData("x-state", "ea", "up: 200")]
    [InlineData("X-State", "busy", "down: header X-State does not contain \"busy\"")]
    [InlineData("X-Nothing", "ready", "down: header X-Nothing does not contain \"ready\"")]
    public async Task Header_fields_may_be_expected(string name, string value, string answer)
    {
        HttpCheck check = Shop with { ExpectHeaders = [new("Server", "nginx"), new(name, value)] };

        Assert.Equal(answer, await Ask.WhyAsync(check, nginx.Good));
        Assert.Equal(answer, await Ask.WhyAsync(check with { Tls = null }, nginx.Plain));
    }

    [Fact]
    public async Task The_body_may_be_known_by_its_digest_or_by_what_it_lacks()
    {
        byte[] body = "plain"u8.ToArray();
        HttpCheck check = Checks.Http with { Path = "/" };
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(body));

        Assert.Equal("up: 200", await Ask.WhyAsync(check with { BodyDigest = new(DigestKind.Sha256, sha256) }, nginx.Plain));
        Assert.Equal("up: 200", await Ask.WhyAsync(check with { BodyDigest = new(DigestKind.Md5, "ac7938d40cfc2307e2bf325d28e7884e") }, nginx.Plain)); // printf plain | md5sum
        Assert.Equal($"down: sha256 of the body is {sha256}", await Ask.WhyAsync(check with { BodyDigest = new(DigestKind.Sha256, new string('0', 64)) }, nginx.Plain));
        Assert.Equal("up: 200", await Ask.WhyAsync(check with { BodyNotContains = "Exception" }, nginx.Plain));
        Assert.Equal("down: body contains \"lai\"", await Ask.WhyAsync(check with { BodyNotContains = "lai" }, nginx.Plain));
    }

    [Fact]
    public async Task A_digest_is_made_of_less_than_a_mebibyte()
    {
        await using FakeRealServer large = FakeRealServer.Answering($"HTTP/1.1 200 OK\r\nContent-Length: {2 << 20}\r\n\r\n{new string('x', 2 << 20)}");

        Assert.Equal("down: body is 1 MiB or longer, so no digest is made of it", await Ask.WhyAsync(Checks.Http with { BodyDigest = new(DigestKind.Md5, new string('0', 32)) }, large.Address));
    }

    [Fact]
    public async Task Several_urls_are_asked_in_order_and_the_first_that_fails_is_named()
    {
        HttpCheck other = Shop with { Path = "/other", BodyContains = "other" }, broken = Shop with { Path = "/broken" };

        Assert.Equal("up: 2 urls passed", await Ask.WhyAsync(new HttpUrlsCheck([Shop, other]), nginx.Good));
        Assert.Equal("down: /broken: status 503, expected 200", await Ask.WhyAsync(new HttpUrlsCheck([other, broken, Shop]), nginx.Good));
    }

    [Fact]
    public async Task One_of_several_urls_that_hangs_is_named()
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            if ((await client.ReadHeadAsync())?.StartsWith("GET /a ", StringComparison.Ordinal) == true)
                await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            else
                await client.ReadToEndAsync();
        });

        Assert.Equal("/b", await Ask.InVainAsync(new HttpUrlsCheck([Checks.Http with { Path = "/a" }, Checks.Http with { Path = "/b" }]), web.Address));
    }

    [Fact]
    public async Task The_engine_asks_over_TLS_too()
    {
        Bench bench = new();
        try
        {
            Core.Health.HealthRecord record = await bench.FirstAnswerAsync(Shop with { Tls = Terms with { Verifies = false } }, nginx.Good);

            Assert.True(record.IsUp);
        }
        finally
        {
            await bench.StopAsync();
        }
    }
}
