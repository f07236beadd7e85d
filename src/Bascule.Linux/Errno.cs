using System.Runtime.InteropServices;

namespace Bascule.Linux;

/// <summary>The kernel's error numbers that somebody branches on or an operator meets. errno(3).</summary>
public enum Errno
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>EPERM.</summary>
    NotPermitted = 1,

    /// <summary>ENOENT.</summary>
    NoEntry = 2,

    /// <summary>ESRCH: no such process, or no such route.</summary>
    NoSuchProcess = 3,

    /// <summary>EINTR: a signal came first; call again.</summary>
    Interrupted = 4,

    /// <summary>E2BIG: a table is full.</summary>
    TooBig = 7,

    /// <summary>EAGAIN: nothing to read, or no room to write.</summary>
    WouldBlock = 11,

    /// <summary>ENOMEM.</summary>
    NoMemory = 12,

    /// <summary>EACCES.</summary>
    AccessDenied = 13,

    /// <summary>EBUSY: somebody else has the place.</summary>
    Busy = 16,

    /// <summary>EEXIST.</summary>
    Exists = 17,

    /// <summary>ENODEV: no such interface.</summary>
    NoDevice = 19,

    /// <summary>EINVAL.</summary>
    Invalid = 22,

    /// <summary>ENFILE: the machine is out of file descriptors.</summary>
    TooManyFilesInSystem = 23,

    /// <summary>EMFILE: this process is out of file descriptors.</summary>
    TooManyFiles = 24,

    /// <summary>ENOSPC.</summary>
    NoSpace = 28,

    /// <summary>EPIPE: the other side no longer reads.</summary>
    BrokenPipe = 32,

    /// <summary>ERANGE: the result does not fit.</summary>
    OutOfRange = 34,

    /// <summary>ENOLINK: detached already.</summary>
    NoLink = 67,

    /// <summary>EMSGSIZE: longer than a datagram to there may be.</summary>
    MessageTooLong = 90,

    /// <summary>EOPNOTSUPP.</summary>
    NotSupported = 95,

    /// <summary>EADDRINUSE.</summary>
    AddressInUse = 98,

    /// <summary>EADDRNOTAVAIL: the address is not on this machine; for a connect, no free source port.</summary>
    AddressNotAvailable = 99,

    /// <summary>ENETDOWN: the interface is down.</summary>
    NetworkDown = 100,

    /// <summary>ENETUNREACH.</summary>
    NetworkUnreachable = 101,

    /// <summary>ECONNABORTED: the client left before it was accepted.</summary>
    ConnectionAborted = 103,

    /// <summary>ECONNRESET.</summary>
    ConnectionReset = 104,

    /// <summary>ENOBUFS.</summary>
    NoBuffers = 105,

    /// <summary>ETIMEDOUT.</summary>
    TimedOut = 110,

    /// <summary>ECONNREFUSED.</summary>
    ConnectionRefused = 111,

    /// <summary>EHOSTUNREACH.</summary>
    HostUnreachable = 113,

    /// <summary>EINPROGRESS: the connection is being made.</summary>
    InProgress = 115,

    /// <summary>ENOTSUPP, which the kernel should keep to itself and does not.</summary>
    NotSupportedInside = 524,
}

/// <summary>What errors say.</summary>
public static class ErrnoMeaning
{
    /// <summary>
    /// This machine has run out of something (descriptors, ports, memory, watches) or does not let this program do it (a capability, a firewall; EACCES and EPERM
    /// are one and the same to connect(2); EAGAIN: no port is left for a UDP socket): that says nothing about whom it wanted to reach.
    /// </summary>
    public static bool IsOurs(this Errno error) => error is Errno.WouldBlock or Errno.TooManyFiles or Errno.TooManyFilesInSystem or Errno.AddressNotAvailable or Errno.AddressInUse
        or Errno.NoMemory or Errno.NoBuffers or Errno.NoSpace or Errno.NotPermitted or Errno.AccessDenied;

    /// <summary>As the C library says it: <c>Permission denied</c>.</summary>
    public static string Words(this Errno error) => Marshal.GetPInvokeErrorMessage((int)error);
}
