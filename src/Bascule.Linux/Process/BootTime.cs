using System.Runtime.InteropServices;

namespace Bascule.Linux.Process;

/// <summary>
/// Timestamps since the machine's start, the time it was suspended included: CLOCK_BOOTTIME, clock_gettime(2). The runtime's own ones stand still
/// while the machine sleeps, and a lease must not. Timers and the time of day are the system's.
/// </summary>
public sealed partial class BootTime : TimeProvider
{
    private const int BootClock = 7; // CLOCK_BOOTTIME
    private const long NanosecondsInSecond = 1_000_000_000;

    /// <inheritdoc/>
    public override long TimestampFrequency => NanosecondsInSecond;

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        GetTime(BootClock, out TimeSpecification now); // cannot fail: Linux has had this clock since 2.6.39
        return (now.Seconds * NanosecondsInSecond) + now.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpecification time);

    // struct timespec where time_t has 64 bits, as everywhere .NET runs.
    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
