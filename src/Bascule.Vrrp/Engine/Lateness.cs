using Bascule.Core.Api;

namespace Bascule.Vrrp.Engine;

/// <summary>How late the thread was when it was due. Written by it alone; others may read.</summary>
/// <param name="worrying">From here on it counts as late.</param>
internal sealed class Lateness(TimeSpan worrying, TimeProvider time)
{
    private long _last;
    private long _worst;
    private long _worstAt;
    private long _late;

    /// <summary>The thread has woken.</summary>
    /// <param name="due">When it was due; later than now where something else woke it, which says nothing.</param>
    public void Note(TimeSpan due, TimeSpan now)
    {
        if (now < due)
            return;
        long late = (now - due).Ticks;
        Volatile.Write(ref _last, late);
        if (late > worrying.Ticks)
            Volatile.Write(ref _late, _late + 1);
        if (late <= _worst)
            return;
        Volatile.Write(ref _worstAt, time.GetUtcNow().UtcTicks);
        Volatile.Write(ref _worst, late);
    }

    public LatenessStatus Read(bool isRealtime, bool isLocked)
    {
        long at = Volatile.Read(ref _worstAt);
        return new(Milliseconds(Volatile.Read(ref _last)), Milliseconds(Volatile.Read(ref _worst)), at == 0 ? null : new DateTimeOffset(at, TimeSpan.Zero),
            Volatile.Read(ref _late), isRealtime, isLocked);
    }

    private static double Milliseconds(long ticks) => Math.Round(new TimeSpan(ticks).TotalMilliseconds, 3);
}
