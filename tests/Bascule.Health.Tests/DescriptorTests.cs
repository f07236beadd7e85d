using Bascule.Core.Health;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>Runs alone: it takes every free descriptor away from the process.</summary>
[CollectionDefinition(nameof(DescriptorTests), DisableParallelization = true)]
[Collection(nameof(DescriptorTests))]
public sealed class DescriptorTests
{
    [Fact]
    public async Task A_director_that_cannot_ask_takes_no_real_server_out()
    {
        Bench bench = new();
        await using FakeRealServer web = FakeRealServer.Stalling();
        HealthRecord record = await bench.FirstAnswerAsync(Checks.Tcp, web.Address);
        CheckAnswer? before = record.Last;
        using NoMoreDescriptors none = new();

        none.Begin();
        for (int i = 0; i < 2 * Checks.Tcp.Fall; i++)
        {
            bench.Clock.Advance(bench.Clock.UntilNextTimer!.Value);
            await bench.SettleAsync();
        }

        Assert.Equal("this director has no file descriptor left", record.NotAsked);
        none.End();
        Assert.True(record.IsUp);
        Assert.Same(before, record.Last);

        bench.Clock.Advance(bench.Clock.UntilNextTimer!.Value);
        await Eventually.HoldsAsync(() => record.Answers == 2);

        Assert.Null(record.NotAsked);
        Assert.Single(bench.Log.Lines, l => l.Contains("no file descriptor left", StringComparison.Ordinal));
        await bench.StopAsync();
    }
}
