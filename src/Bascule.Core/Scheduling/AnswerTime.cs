namespace Bascule.Core.Scheduling;

/// <summary>
/// How long a real server takes to answer: an average that forgets, but takes a slower answer at its word at once ("peak EWMA", as in Finagle). Shared by
/// all workers; one atomic word, no lock.
/// </summary>
/// <remarks>
/// Between answers it decays towards 0. So one that was slow is not avoided for good: it looks quicker and quicker until somebody asks again.
/// </remarks>
public sealed class AnswerTime
{
    /// <summary>After that long without an answer it has fallen to 1/e.</summary>
    public static readonly TimeSpan Decay = TimeSpan.FromSeconds(10); // Finagle's default

    private const double Least = 1; // microseconds; what has decayed below counts as forgotten

    // Microseconds as a float in the high half, and in the low half the milliseconds of the clock when they were noted, which wrap after 49 days.
    private long _noted;

    /// <summary>The time to be expected, in microseconds; 0 when nothing is known, or it was so long ago that it is forgotten.</summary>
    /// <param name="now">On a clock that only goes forward.</param>
    public double At(TimeSpan now)
    {
        double known = Decayed(Volatile.Read(ref _noted), Stamp(now));
        return known < Least ? 0 : known;
    }

    /// <summary>It has answered, or kept somebody waiting so long in vain.</summary>
    /// <param name="now">On the clock of <see cref="At"/>.</param>
    public void Note(TimeSpan took, TimeSpan now)
    {
        double sample = double.Max(took.TotalMicroseconds, Least);
        uint stamp = Stamp(now);
        while (true)
        {
            long before = Volatile.Read(ref _noted);
            double known = Decayed(before, stamp);
            double next = sample >= known ? sample : known + (sample * (1 - Remaining(before, stamp)));
            if (Interlocked.CompareExchange(ref _noted, Pack((float)next, stamp), before) == before)
                return;
        }
    }

    private static double Decayed(long noted, uint stamp) => BitConverter.Int32BitsToSingle((int)(noted >> 32)) * Remaining(noted, stamp);

    private static double Remaining(long noted, uint stamp)
    {
        // Another worker's clock may have been read a little later than ours: that is no age of 49 days.
        int age = unchecked((int)(stamp - (uint)noted));
        return age <= 0 ? 1 : Math.Exp(-age / Decay.TotalMilliseconds);
    }

    private static uint Stamp(TimeSpan now) => unchecked((uint)(now.Ticks / TimeSpan.TicksPerMillisecond));

    private static long Pack(float microseconds, uint stamp) => ((long)BitConverter.SingleToInt32Bits(microseconds) << 32) | stamp;
}
