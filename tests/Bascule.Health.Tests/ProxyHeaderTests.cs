using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>Checks of real servers that demand a header of the PROXY protocol.</summary>
public sealed class ProxyHeaderTests : IAsyncLifetime
{
    private const string V1 = "PROXY UNKNOWN\r\n";
    private const string V2 = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"; // LOCAL

    private readonly Bench _bench = new();

    public static TheoryData<ProxyProtocolVersion, string> Headers => new()
    {
        { ProxyProtocolVersion.V1, V1 },
        { ProxyProtocolVersion.V2, V2 },
    };

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.StopAsync();

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task The_threads_own_checks_begin_with_it(ProxyProtocolVersion version, string header)
    {
        await using FakeRealServer web = Demanding(header);

        Assert.True((await _bench.FirstAnswerAsync(Checks.Http with { ProxyProtocol = version }, web.Address)).IsUp);
        HealthRecord tcp = await _bench.FirstAnswerAsync(Checks.Tcp with { ProxyProtocol = version }, web.Address);
        Assert.True(tcp.IsUp);

        await Eventually.HoldsAsync(() => web.Requests.Count == 1 && web.Accepted == 2 && web.Open == 0);
        Assert.Empty(web.Failures);
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task So_do_probes(ProxyProtocolVersion version, string header)
    {
        await using FakeRealServer web = Demanding(header);
        HttpCheck http = Checks.Http with { ProxyProtocol = version };
        Check[] asked =
        [
            new HttpUrlsCheck([Checks.Http, Checks.Http]) { ProxyProtocol = version },
            new AllCheck([http, Checks.Tcp with { ProxyProtocol = version }]),
            new SendExpectCheck { Steps = [new SendStep([.. "GET / HTTP/1.1\r\n\r\n"u8]), new ExpectBytesStep([.. "200 OK"u8])], ProxyProtocol = version },
        ];

        foreach (Check check in asked)
            Assert.True((await Ask.OnceAsync(check, web.Address)).Passed, check.Words);

        await Eventually.HoldsAsync(() => web.Open == 0);
        Assert.Empty(web.Failures);
    }

    [Fact]
    public async Task Without_it_such_a_server_is_down()
    {
        await using FakeRealServer web = Demanding(V1);

        Assert.False((await Ask.OnceAsync(Checks.Http, web.Address)).Passed);
    }

    /// <summary>Answers who begins with exactly this; who sends no more is content with that.</summary>
    private static FakeRealServer Demanding(string header) => FakeRealServer.Start(async client =>
    {
        string began = System.Text.Encoding.Latin1.GetString(await client.ReadExactlyAsync(header.Length));
        if (began != header)
        {
            client.Reset();
            return;
        }

        if (await client.ReadHeadAsync() is not null)
            await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
}
