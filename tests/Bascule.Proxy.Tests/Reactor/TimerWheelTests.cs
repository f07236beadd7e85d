using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Tests.Reactor;

public sealed class TimerWheelTests
{
    private const int Tick = TimerWheel.TickMilliseconds;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Fires_what_a_plain_list_would_and_no_more_than_a_tick_later(int seed)
    {
        PlainTimers timers = new(new Random(seed));

        for (int turn = 0; turn < 20_000; turn++)
            timers.Turn();

        Assert.True(timers.Fired > 10_000, $"only {timers.Fired} fired: the test tests nothing");
    }

    [Fact]
    public void Meets_a_deadline_within_the_tick_it_was_set_in()
    {
        TimerWheel wheel = new(0);
        Alarm alarm = new();

        wheel.Set(alarm, 1);
        wheel.Advance(Tick);

        Assert.True(alarm.HasFired);
    }

    [Fact]
    public void Does_not_fire_before_the_deadline()
    {
        TimerWheel wheel = new(0);
        Alarm alarm = new();

        wheel.Set(alarm, 10 * Tick + 5);
        wheel.Advance(10 * Tick + 4);

        Assert.False(alarm.HasFired);
    }

    [Fact]
    public void Meets_deadlines_further_away_than_a_turn_of_the_wheel()
    {
        TimerWheel wheel = new(0);
        Alarm alarm = new();
        long deadline = TimeSpan.FromHours(3).Ticks / TimeSpan.TicksPerMillisecond;

        wheel.Set(alarm, deadline);
        for (long now = 0; now < deadline; now += 1000)
            wheel.Advance(now);

        Assert.False(alarm.HasFired);
        wheel.Advance(deadline + Tick);
        Assert.True(alarm.HasFired);
    }

    [Fact]
    public void A_deadline_that_moves_on_with_every_request_never_fires()
    {
        TimerWheel wheel = new(0);
        Alarm alarm = new();

        for (long now = 0; now < 1_000_000; now += 50)
        {
            wheel.Set(alarm, now + 200);
            wheel.Advance(now);
        }

        Assert.False(alarm.HasFired);
    }

    [Fact]
    public void Sleeps_for_ever_when_nothing_is_left()
    {
        TimerWheel wheel = new(0);
        Alarm cleared = new(), removed = new();
        wheel.Set(cleared, 5000);
        wheel.Set(removed, 6000);

        TimerWheel.Clear(cleared);
        wheel.Remove(removed);
        wheel.Advance(5000 + Tick);

        Assert.Equal(-1, wheel.NextTimeout(5000 + Tick));
    }

    [Fact]
    public void A_deadline_set_after_an_hour_of_sleep_is_met_in_time()
    {
        TimerWheel wheel = new(0);
        Alarm alarm = new();
        const long hour = 3_600_000;

        wheel.Set(alarm, hour + 30_000); // as an event handler does: before the wheel of that turn is advanced
        wheel.Advance(hour);

        Assert.False(alarm.HasFired);
        Assert.InRange(wheel.NextTimeout(hour), 1, 30_000 + Tick);
        wheel.Advance(hour + 30_000 + Tick);
        Assert.True(alarm.HasFired);
    }

    private sealed class Alarm : Timed
    {
        public bool HasFired { get; private set; }

        internal override void OnDeadline() => HasFired = true;
    }

    /// <summary>Does to a wheel what a loop and its stories do, and keeps a plain list beside it that says what must happen.</summary>
    private sealed class PlainTimers
    {
        private readonly Random _random;
        private readonly TimerWheel _wheel = new(0);
        private readonly Entry[] _entries;
        private readonly Dictionary<Entry, (long Deadline, long SetAt)> _expected = [];
        private long _now;

        public PlainTimers(Random random)
        {
            _random = random;
            _entries = [.. Enumerable.Range(0, 40).Select(_ => new Entry(this))];
        }

        public int Fired { get; private set; }

        public void Turn()
        {
            Sleep();
            for (int i = _random.Next(4); i > 0; i--)
                Change(_entries[_random.Next(_entries.Length)]);
            _wheel.Advance(_now);

            foreach ((long deadline, long setAt) in _expected.Values)
                Assert.True(_now < long.Max(deadline, setAt) + Tick, $"at {_now} the deadline {deadline} (set at {setAt}) is still to come");
        }

        private void Sleep()
        {
            int timeout = _wheel.NextTimeout(_now);
            Assert.True(timeout != 0, "the loop would spin");
            if (_expected.Count > 0)
                Assert.InRange(timeout, 1, (int)long.Max(Tick, long.Min(int.MaxValue, _expected.Values.Min(e => e.Deadline) + Tick - _now)));
            _now += _random.Next(20) switch
            {
                0 => _random.Next(200_000), // the machine was suspended, or the loop had nothing to do
                < 10 when timeout > 0 => timeout,
                _ => _random.Next(50),
            };
        }

        private void Change(Entry entry)
        {
            switch (_random.Next(8))
            {
                case 0:
                    _wheel.Remove(entry);
                    _expected.Remove(entry);
                    break;
                case 1:
                    TimerWheel.Clear(entry);
                    _expected.Remove(entry);
                    break;
                default:
                    long delay = _random.Next(4) switch { 0 => _random.Next(-50, 40), 1 => _random.Next(500), 2 => _random.Next(20_000), _ => _random.Next(300_000) };
                    _wheel.Set(entry, _now + delay);
                    _expected[entry] = (_now + delay, _now);
                    break;
            }
        }

        private void OnDeadline(Entry entry)
        {
            Fired++;
            Assert.True(_expected.Remove(entry, out (long Deadline, long) expected), "it had no deadline");
            Assert.True(expected.Deadline <= _now, $"fired at {_now}, before {expected.Deadline}");
            if (_random.Next(2) == 0)
                Change(entry);
            if (_random.Next(2) == 0)
                Change(_entries[_random.Next(_entries.Length)]); // perhaps one that lies in the slot being swept
        }

        private sealed class Entry(PlainTimers timers) : Timed
        {
            internal override void OnDeadline() => timers.OnDeadline(this);
        }
    }
}
