namespace Bascule.Linux;

/// <summary>The kernel's error numbers that somebody branches on or an operator meets. errno(3).</summary>
public enum Errno
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>EINTR: a signal came first; call again.</summary>
    Interrupted = 4,

    /// <summary>EAGAIN: nothing to read, or no room to write.</summary>
    WouldBlock = 11,

    /// <summary>ENOMEM.</summary>
    NoMemory = 12,

    /// <summary>EACCES.</summary>
    AccessDenied = 13,

    /// <summary>EINVAL.</summary>
    Invalid = 22,

    /// <summary>ENFILE: the machine is out of file descriptors.</summary>
    TooManyFilesInSystem = 23,

    /// <summary>EMFILE: this process is out of file descriptors.</summary>
    TooManyFiles = 24,

    /// <summary>EPIPE: the other side no longer reads.</summary>
    BrokenPipe = 32,

    /// <summary>EADDRINUSE.</summary>
    AddressInUse = 98,

    /// <summary>EADDRNOTAVAIL: the address is not on this machine; for a connect, no free source port.</summary>
    AddressNotAvailable = 99,

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
}
