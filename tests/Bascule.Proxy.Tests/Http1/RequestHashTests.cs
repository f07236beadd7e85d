using System.Globalization;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>The scheduler <c>hash</c> over real sockets: which part of the request decides.</summary>
public sealed class RequestHashTests
{
    [Theory]
    [InlineData(RequestPart.Uri, null, "GET /page/{0}?lang=en HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData(RequestPart.Path, null, "GET /page/{0}?{1} HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData(RequestPart.Header, "X-Tenant", "GET /{1} HTTP/1.1\r\nHost: a\r\nx-tenant: t{0}\r\n\r\n")]
    [InlineData(RequestPart.Header, "Host", "GET /{1} HTTP/1.1\r\nHost: site-{0}\r\n\r\n")]
    [InlineData(RequestPart.Cookie, "session", "GET /{1} HTTP/1.1\r\nHost: a\r\nCookie: xsession={1}; session=s{0}; other={1}\r\n\r\n")]
    public async Task The_part_decides_and_nothing_else(RequestPart part, string? name, string request)
    {
        await using Farm farm = new(new(part, name, BalanceFactor: null));
        using HttpTalk talk = await HttpTalk.WithAsync(farm.Director);
        List<string> met = [];
        for (int subject = 0; subject < 24; subject++)
        {
            string first = (await talk.AskAsync(string.Format(CultureInfo.InvariantCulture, request, subject, 1))).Body;
            Assert.Equal(first, (await talk.AskAsync(string.Format(CultureInfo.InvariantCulture, request, subject, 2))).Body);
            met.Add(first);
        }

        Assert.Equal(["alpha", "beta", "gamma"], met.Distinct().Order());
    }

    [Theory]
    [InlineData(RequestPart.Header, "X-Tenant")]
    [InlineData(RequestPart.Cookie, "session")]
    [InlineData(RequestPart.Source, null)]
    public async Task A_request_without_the_part_or_with_one_that_ends_here_goes_by_the_clients_address(RequestPart part, string? name)
    {
        await using Farm farm = new(new(part, name, BalanceFactor: null));
        using HttpTalk talk = await HttpTalk.WithAsync(farm.Director);
        HashSet<string> met = [];
        for (int page = 0; page < 24; page++)
            met.Add((await talk.AskAsync($"GET /{page} HTTP/1.1\r\nHost: a\r\nCookie: sessions={page}; session\r\nX-Tenants: {page}\r\nConnection: x-tenant\r\nX-Tenant: {page}\r\n\r\n")).Body);

        Assert.Single(met);
    }

    [Fact]
    public async Task With_a_balance_factor_a_page_that_everybody_waits_for_is_asked_of_several()
    {
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using FakeRealServer alpha = Waiting("alpha", release.Task);
        await using FakeRealServer beta = Waiting("beta", release.Task);
        await using Director director = Director.Start(Director.Http(alpha.Address, beta.Address) with
        {
            Scheduler = SchedulerKind.RequestHash,
            SchedulerFlags = new() { Hash = new(RequestPart.Uri, null, BalanceFactor: 125) },
        });

        Task<string>[] answers = [.. Enumerable.Range(0, 8).Select(_ => director.AskAsync("GET /news HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))];
        await Eventually.HoldsAsync(() => alpha.Requests.Count + beta.Requests.Count == 8);
        release.SetResult();
        await Task.WhenAll(answers);

        Assert.InRange(alpha.Requests.Count, 3, 5); // of 8 no more than ⌈1.25 × 4⌉
    }

    private static FakeRealServer Waiting(string name, Task release) => FakeRealServer.Start(async client =>
    {
        await client.ReadHeadAsync();
        await release;
        await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");
    });

    /// <summary>Three real servers that say their names, behind a director.</summary>
    private sealed class Farm : IAsyncDisposable
    {
        private readonly FakeRealServer[] _realServers = [.. new[] { "alpha", "beta", "gamma" }.Select(Webs.Named)];

        public Farm(HashBy by) => Director = Director.Start(Director.Http([.. _realServers.Select(r => r.Address)]) with
        {
            Scheduler = SchedulerKind.RequestHash,
            SchedulerFlags = new() { Hash = by },
        });

        public Director Director { get; }

        public async ValueTask DisposeAsync()
        {
            await Director.DisposeAsync();
            foreach (FakeRealServer realServer in _realServers)
                await realServer.DisposeAsync();
        }
    }
}
