using Bascule.Core.Weights;
using Bascule.Daemon;
using Bascule.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Tests.Daemon;

public sealed class WeightLoopTests
{
    [Fact]
    public async Task A_turn_that_fails_does_not_end_the_others()
    {
        int turns = 0;
        WeightLoop loop = new(new ManualClock(), () => throw new InvalidOperationException($"turn {Interlocked.Increment(ref turns)}"), Ignore, NullLogger.Instance);
        loop.Start();

        loop.Wake();
        await Eventually.HoldsAsync(() => Volatile.Read(ref turns) == 1, "it has turned");
        loop.Wake();
        await Eventually.HoldsAsync(() => Volatile.Read(ref turns) == 2, "it has turned again");

        await loop.StopAsync();
    }

    private static void Ignore(WeightChange change)
    {
    }
}
