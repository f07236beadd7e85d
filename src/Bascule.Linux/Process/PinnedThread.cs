using System.Runtime.InteropServices;

namespace Bascule.Linux.Process;

/// <summary>
/// Keeps the calling thread on one processor until disposed on the same thread: for what counts per processor, and for
/// measuring.
/// </summary>
public sealed unsafe partial class PinnedThread : IDisposable
{
    private const int MaskBytes = 128; // 1024 processors, as glibc's cpu_set_t

    private readonly byte[] _before = new byte[MaskBytes];

    /// <summary>Pins the calling thread.</summary>
    /// <param name="processor">Counted from 0.</param>
    /// <exception cref="KernelException">EINVAL: there is no such processor, or this process may not use it.</exception>
    public PinnedThread(int processor)
    {
        byte[] mask = new byte[MaskBytes];
        mask[processor / 8] = (byte)(1 << (processor % 8));
        fixed (byte* before = _before)
            Checked("sched_getaffinity", GetAffinity(0, MaskBytes, before));
        Set(mask);
    }

    /// <summary>The processor the calling thread runs on just now.</summary>
    public static int CurrentProcessor => GetCurrentProcessor();

    /// <summary>Lets it run where it might before.</summary>
    public void Dispose() => Set(_before);

    private static void Set(byte[] mask)
    {
        fixed (byte* bytes = mask)
            Checked("sched_setaffinity", SetAffinity(0, MaskBytes, bytes));
    }

    private static void Checked(string call, int result)
    {
        if (result < 0)
            throw new KernelException(call, Libc.LastError);
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int GetAffinity(int thread, nuint length, byte* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nuint length, byte* mask);

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    private static partial int GetCurrentProcessor();
}
