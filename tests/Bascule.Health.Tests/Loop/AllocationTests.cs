using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Testing;

namespace Bascule.Health.Tests.Loop;

/// <summary>The thread that asks thousands of real servers a second leaves the garbage collector alone.</summary>
public sealed class AllocationTests : IAsyncLifetime
{
    private const int Checked = 20;
    private const int Rounds = 10;

    private readonly Bench _bench = new(new NoChance());

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.StopAsync();

    [Fact]
    public async Task A_tcp_check_allocates_nothing()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();

        AllocatesNothing(await AllocatedAsync(Checks.Tcp, web));
    }

    [Fact]
    public async Task A_tcp_check_that_fails_again_allocates_nothing()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();

        AllocatesNothing(await AllocatedAsync(Checks.Tcp, web));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 2\r\n\r\nok")] // in the middle of a line
    [InlineData("HTTP/1.0 200 OK\r\n\r\n", "until it closes")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "3\r\nyes\r\n0\r\n\r\n")]
    public async Task An_http_check_allocates_nothing(string beginning, string rest)
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(beginning);
            await Task.Yield();
            if (rest.Length > 0)
                await client.WriteAsync(rest);
        });

        AllocatesNothing(await AllocatedAsync(Checks.Http, web));
    }

    [Fact]
    public async Task An_http_check_that_looks_for_a_text_in_the_body_allocates_nothing()
    {
        await using FakeRealServer web = FakeRealServer.Answering("HTTP/1.1 200 OK\r\n\r\nall is well");

        AllocatesNothing(await AllocatedAsync(Checks.Http with { BodyContains = "well" }, web));
    }

    [Fact]
    public async Task An_http_check_that_looks_for_a_header_field_allocates_nothing()
    {
        await using FakeRealServer web = FakeRealServer.Answering("HTTP/1.1 200 OK\r\nX-Role: primary\r\n\r\nall is well");

        AllocatesNothing(await AllocatedAsync(Checks.Http with { ExpectHeaders = [new("X-Role", "primary")] }, web));
    }

    // Whatever a check allocated would be more than a byte; to ask for the number is a few once.
    private static void AllocatesNothing(long bytes) => Assert.InRange(bytes, 0, Checked * Rounds - 1);

    /// <summary>
    /// Bytes that the health thread allocated in some rounds of checks, the least of a few times: what answers in pieces wait in comes from a pool that
    /// grows until it is large enough, and how many are half there at a time is chance.
    /// </summary>
    private async Task<long> AllocatedAsync(Check check, FakeRealServer web)
    {
        Check[] checks = [.. Enumerable.Range(0, Checked).Select(i => check with { Rise = i + 1 })]; // each is a question of its own
        _bench.Engine.Apply(_bench.Snapshot([.. checks.Select((c, i) => Bench.Asking(c, web.Address) with { Name = $"v{i}", Address = new(IPAddress.Loopback, 80 + i) })]), RoleSet.Alone);
        HealthRecord[] records = [.. checks.Select(c => _bench.Board.Find(c, web.Address)!)];
        await RoundsAsync(records);
        long least = long.MaxValue;
        for (int time = 0; time < 5 && least >= Checked * Rounds; time++)
        {
            long before = await AllocatedByThreadAsync();
            await RoundsAsync(records);
            least = long.Min(least, await AllocatedByThreadAsync() - before);
        }

        return least;
    }

    private async Task RoundsAsync(HealthRecord[] records)
    {
        long until = records[0].Answers + Rounds;
        while (records.Any(r => r.Answers < until))
        {
            await _bench.SettleAsync();
            _bench.Clock.Advance(_bench.Clock.UntilNextTimer!.Value); // five at a time, as they began
        }

        await _bench.SettleAsync();
    }

    private Task<long> AllocatedByThreadAsync()
    {
        TaskCompletionSource<long> bytes = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _bench.Engine.Post(() => bytes.SetResult(GC.GetAllocatedBytesForCurrentThread()));
        return bytes.Task;
    }

    /// <summary>Every interval is as long as the other, so that checks stay together.</summary>
    private sealed class NoChance() : Random(1)
    {
        public override double NextDouble() => 0.5;
    }
}
