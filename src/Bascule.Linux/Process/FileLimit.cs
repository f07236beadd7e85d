using System.Runtime.InteropServices;

namespace Bascule.Linux.Process;

/// <summary>How many descriptors (and so connections) the process may have open. getrlimit(2).</summary>
public static partial class FileLimit
{
    private const int NumberOfFiles = 7; // RLIMIT_NOFILE on Linux

    /// <summary>Raises the soft limit to the hard one, which needs no privilege.</summary>
    /// <returns>The limit now in force.</returns>
    /// <exception cref="KernelException">Never seen: both calls only fail on bad arguments.</exception>
    public static ulong RaiseToHardLimit()
    {
        Limits limits = Current();
        if (limits.Soft < limits.Hard)
        {
            limits.Soft = limits.Hard;
            if (SetLimit(NumberOfFiles, in limits) != 0)
                throw new KernelException("setrlimit", (Errno)Marshal.GetLastPInvokeError());
        }

        return limits.Soft;
    }

    private static Limits Current() => GetLimit(NumberOfFiles, out Limits limits) == 0
        ? limits
        : throw new KernelException("getrlimit", (Errno)Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetLimit(int resource, out Limits limits);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, in Limits limits);

    // struct rlimit where rlim_t has 64 bits, as everywhere .NET runs.
    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        public ulong Soft;
        public ulong Hard;
    }
}
