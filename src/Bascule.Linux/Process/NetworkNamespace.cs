using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Process;

/// <summary>Works in another network namespace without leaving this one: on a thread of its own, which ends afterwards. setns(2).</summary>
public static partial class NetworkNamespace
{
    private const int NewNetwork = 0x40000000; // CLONE_NEWNET
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>Runs some work in the namespace and waits for it. Sockets opened there stay there.</summary>
    /// <param name="path">Such as /run/netns/NAME or /proc/PID/ns/net.</param>
    /// <param name="work">Must not await: only this thread is in the namespace.</param>
    /// <exception cref="KernelException">ENOENT, EPERM without CAP_SYS_ADMIN.</exception>
    public static T Run<T>(string path, Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? thrown = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter(path);
                result = work();
            }
#pragma warning disable CA1031 // any exception: it is thrown again on the caller's thread
            catch (Exception e)
#pragma warning restore CA1031
            {
                thrown = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        thrown?.Throw();
        return result;
    }

    private static void Enter(string path)
    {
        int descriptor = Open(path, ReadOnlyCloseOnExec);
        if (descriptor < 0)
            throw new KernelException($"open {path}", Libc.LastError);
        int result = SetNamespace(descriptor, NewNetwork);
        Errno error = Libc.LastError;
        Libc.Close(descriptor);
        if (result != 0)
            throw new KernelException($"setns {path}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
