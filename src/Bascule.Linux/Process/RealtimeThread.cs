using System.Runtime.InteropServices;

namespace Bascule.Linux.Process;

/// <summary>What lets a thread run when it is due on a busy machine. sched(7), mlockall(2).</summary>
public static unsafe partial class RealtimeThread
{
    private const int RoundRobin = 2; // SCHED_RR
    private const int ResetOnFork = 0x40000000; // SCHED_RESET_ON_FORK: what this thread starts is not real-time
    private const int CurrentMemory = 1, FutureMemory = 2, OnFault = 4; // MCL_…

    /// <summary>Gives the calling thread a real-time priority, and none to threads and programs that it starts.</summary>
    /// <param name="priority">1 to 99.</param>
    /// <param name="why">EPERM: neither CAP_SYS_NICE nor a limit (RLIMIT_RTPRIO) that allows it.</param>
    public static bool TryRaise(int priority, out Errno why)
    {
        bool isRaised = SetScheduler(0, RoundRobin | ResetOnFork, &priority) == 0; // struct sched_param holds the priority alone
        why = isRaised ? Errno.None : Libc.LastError;
        return isRaised;
    }

    /// <summary>Keeps every page that the process has touched, or will, out of swap. What it never touches takes no memory.</summary>
    /// <param name="why">EPERM, ENOMEM: neither CAP_IPC_LOCK nor a limit (RLIMIT_MEMLOCK) that allows it.</param>
    public static bool TryLockMemory(out Errno why)
    {
        bool isLocked = LockAll(CurrentMemory | FutureMemory | OnFault) == 0;
        why = isLocked ? Errno.None : Libc.LastError;
        return isLocked;
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler", SetLastError = true)]
    private static partial int SetScheduler(int thread, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "mlockall", SetLastError = true)]
    private static partial int LockAll(int flags);
}
