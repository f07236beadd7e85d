using Bascule.Core.Model;

namespace Bascule.Vrrp.Addresses;

/// <summary>Some announcements that are due.</summary>
/// <param name="First">The first address, counted from 0.</param>
/// <param name="Count">How many addresses.</param>
/// <param name="Round">Which time in its burst, counted from 0.</param>
internal readonly record struct Announcements(int First, int Count, int Round);

/// <summary>
/// When to announce: a burst on taking over, another after the delay, one of each address every refresh. A burst is paced, so that no
/// switch and no buffer is overrun. No clock and no socket; allocates nothing.
/// </summary>
internal sealed class AnnouncementSchedule(AnnounceSettings settings)
{
    /// <summary>Frames sent in a row, and the pause after them: other instances' advertisements go out in between.</summary>
    public const int AtOnce = 64;

    /// <inheritdoc cref="AtOnce"/>
    public static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(1);

    /// <summary>Between the rounds of a burst.</summary>
    public static readonly TimeSpan RoundPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Between the begins of bursts that are asked for again and again, as by another router that does not give way.</summary>
    public static readonly TimeSpan BurstPause = TimeSpan.FromSeconds(1);

    private TimeSpan _next = TimeSpan.MaxValue;    // of the burst that runs
    private TimeSpan _burst = TimeSpan.MaxValue;   // the next one begins
    private TimeSpan _refresh = TimeSpan.MaxValue;
    private TimeSpan _begun = TimeSpan.MinValue;
    private int _rounds;
    private int _round;
    private int _first;

    /// <summary>When <see cref="TryNext"/> has something; <see cref="TimeSpan.MaxValue"/>: never.</summary>
    public TimeSpan Due => TimeSpan.FromTicks(Math.Min(_next.Ticks, Math.Min(_burst.Ticks, _refresh.Ticks)));

    /// <summary>The addresses have been taken.</summary>
    public void Begin(TimeSpan now)
    {
        Start(now, settings.Repeat);
        _burst = settings.Delay > TimeSpan.Zero ? now + settings.Delay : TimeSpan.MaxValue;
    }

    /// <summary>Somebody may have drawn the clients away: a burst, now or as soon as one may follow the last.</summary>
    public void Again(TimeSpan now)
    {
        TimeSpan from = _begun > TimeSpan.MinValue && now < _begun + BurstPause ? _begun + BurstPause : now;
        _burst = from < _burst ? from : _burst;
    }

    /// <summary>The addresses have been dropped.</summary>
    public void Stop() => _next = _burst = _refresh = TimeSpan.MaxValue;

    /// <summary>What is to be announced now; to be asked until there is nothing.</summary>
    /// <param name="addresses">How many there are.</param>
    public bool TryNext(TimeSpan now, int addresses, out Announcements due)
    {
        due = default;
        if (now < Due)
            return false;
        if (now >= _burst)
        {
            _burst = TimeSpan.MaxValue;
            Start(now, settings.Repeat);
        }
        else if (now < _next)
        {
            Start(now, rounds: 1);
        }

        due = new(_first, Math.Min(AtOnce, addresses - _first), _round);
        Advance(now, addresses);
        return due.Count > 0;
    }

    private void Start(TimeSpan now, int rounds)
    {
        (_rounds, _round, _first) = (rounds, 0, 0);
        _begun = _next = now;
        _refresh = settings.Refresh > TimeSpan.Zero ? now + settings.Refresh : TimeSpan.MaxValue;
    }

    private void Advance(TimeSpan now, int addresses)
    {
        _first += AtOnce;
        if (_first < addresses)
        {
            _next = now + Breath;
            return;
        }

        _first = 0;
        _next = ++_round < _rounds ? now + RoundPause : TimeSpan.MaxValue;
    }
}
