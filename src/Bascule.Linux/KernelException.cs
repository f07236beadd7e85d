using System.Runtime.InteropServices;

namespace Bascule.Linux;

/// <summary>The kernel refused a call that nobody expected it to refuse.</summary>
public sealed class KernelException(string call, Errno errno)
    : Exception($"{call} failed: {Marshal.GetPInvokeErrorMessage((int)errno)} (errno {(int)errno})")
{
    /// <summary>The system call, by its name in the manual.</summary>
    public string Call { get; } = call;

    /// <summary>Why.</summary>
    public Errno Errno { get; } = errno;
}
