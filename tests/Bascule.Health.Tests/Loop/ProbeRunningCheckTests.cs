using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Health.Loop;
using Bascule.Testing;

namespace Bascule.Health.Tests.Loop;

/// <summary>A probe that does not care that its time is up.</summary>
public sealed class ProbeRunningCheckTests : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly OnCheck Check = new() { Interval = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(5), Rise = 1, Fall = 2 };

    private readonly ManualClock _clock = new();
    private readonly DeafProbe _probe = new();
    private readonly HealthRecord _record;
    private readonly HealthLoop _loop;
    private readonly Thread _thread;

    public ProbeRunningCheckTests()
    {
        _record = new(Check, IPEndPoint.Parse("10.0.0.11:80"), _clock.GetUtcNow(), wasUp: true);
        _loop = new(_clock, new Random(1), new LogLines()) { OnChange = (_, _) => { }, OnFirstAnswer = () => { } };
        _loop.Post(() => new ProbeRunningCheck(_record, _loop, _probe).AskAfter(TimeSpan.Zero));
        _thread = new(_loop.Run) { IsBackground = true };
        _thread.Start();
    }

    public void Dispose()
    {
        _probe.Return();
        _loop.Post(_loop.Stop);
        _thread.Join();
        _loop.Dispose();
    }

    [Fact]
    public async Task Is_abandoned_after_a_grace_and_not_asked_again_until_it_has_returned()
    {
        await HangAsync();
        Assert.Equal("no answer within 5s", _record.Last!.Why);

        await NextAnswerAsync();
        Assert.Equal("no answer within 5s, and the check before has not ended yet", _record.Last.Why);
        Assert.False(_record.IsUp);
        Assert.Equal(1, _probe.Asked);

        _probe.Return();
        await Eventually.HoldsAsync(() => _loop.ProbesOut == 0);
        await NextAnswerAsync();
        Assert.True(_record.IsUp);
        Assert.Equal(2, _probe.Asked);
    }

    [Fact]
    public async Task Is_not_waited_for_at_the_end_for_ever()
    {
        await HangAsync();

        _loop.Post(_loop.Stop);

        await Eventually.HoldsAsync(() =>
        {
            _clock.Advance(Grace);
            return !_thread.IsAlive;
        });
        Assert.Equal(1, _loop.ProbesOut);
    }

    private async Task HangAsync()
    {
        await Eventually.HoldsAsync(() => _probe.Asked == 1 && _clock.UntilNextTimer == Check.Timeout);
        _clock.Advance(Check.Timeout);
        await Eventually.HoldsAsync(() => _clock.UntilNextTimer == Grace);
        _clock.Advance(Grace);
        await Eventually.HoldsAsync(() => _record.Answers == 1 && _loop.IsResting);
    }

    private async Task NextAnswerAsync()
    {
        long before = _record.Answers;
        _clock.Advance(_clock.UntilNextTimer!.Value);
        await Eventually.HoldsAsync(() => _record.Answers > before && _loop.IsResting);
    }

    private sealed class DeafProbe : Probe
    {
        private readonly TaskCompletionSource<Verdict> _verdict = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public void Return() => _verdict.TrySetResult(Verdict.Pass("at last"));

        public override Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _asked);
            return _verdict.Task;
        }
    }
}
