using System.Runtime.InteropServices;

namespace Bascule.Linux;

/// <summary>The system calls, as the C library names them. Numbers are those of Linux on x86-64 and arm64, where they agree.</summary>
internal static unsafe partial class Libc
{
    public const int EpollCtlAdd = 1;
    public const int EpollCtlDelete = 2;

    public const int AddressFamilyInet = 2;
    public const int AddressFamilyInet6 = 10;
    public const int SocketStream = 1;
    public const int SocketDatagrams = 2;
    public const int SocketNonBlock = 0x800;
    public const int SocketCloseOnExec = 0x80000;

    public const int LevelSocket = 1;
    public const int OptionReuseAddress = 2;
    public const int OptionError = 4;
    public const int OptionReceiveBuffer = 8;
    public const int OptionUrgentInline = 10;
    public const int OptionLinger = 13;
    public const int OptionReusePort = 15;
    public const int LevelTcp = 6;
    public const int OptionNoDelay = 1;
    public const int LevelIpv6 = 41;
    public const int OptionIpv6Only = 26;
    public const int OptionIpv6FreeBind = 78;
    public const int OptionIpv6ReceivePacketInformation = 49;
    public const int OptionIpv6PacketInformation = 50;
    public const int LevelIpv4 = 0;
    public const int OptionIpv4PacketInformation = 8;
    public const int OptionIpv4FreeBind = 15;

    public const int OptionIpv4Transparent = 19;
    public const int OptionIpv6Transparent = 75;
    public const int OptionBindAddressNoPort = 24;

    public const int MessageNoSignal = 0x4000;
    public const int MessageMore = 0x8000;
    public const int ShutdownRead = 0;
    public const int ShutdownWrite = 1;
    public const int SpliceMove = 1;
    public const int SpliceNonBlock = 2;
    public const int PipeNonBlockCloseOnExec = 0x80800;
    public const int EventFdNonBlockCloseOnExec = 0x80800;
    public const int SetPipeSize = 1031;
    public const int AtWorkingDirectory = -100;
    public const uint StatxType = 1;
    public const int StatxSize = 256;
    public const uint StatxOwner = 0x18; // user and group
    public const int StatxUserOffset = 20;
    public const int StatxGroupOffset = 24;
    public const int StatxModeOffset = 28;

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, byte* readyEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* events, int capacity, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int descriptor, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    public static partial int Listen(int descriptor, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept(int descriptor, byte* address, int* length, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int descriptor, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    public static partial int GetSocketName(int descriptor, byte* address, int* length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetSocketOption(int descriptor, int level, int option, void* value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetSocketOption(int descriptor, int level, int option, void* value, int* length);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMessages(int descriptor, SeveralMessages* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMessages(int descriptor, SeveralMessages* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int descriptor, int how);

    [LibraryImport("libc", EntryPoint = "splice", SetLastError = true)]
    public static partial nint Splice(int from, void* fromOffset, int to, void* toOffset, nuint length, uint flags);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(int* descriptors, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    public static partial int Open(byte* path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int Statx(int directory, byte* path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true)]
    public static partial int ChangeOwner(byte* path, uint user, uint group);

    /// <summary>statx(2) of a path that ends with a zero byte, for its type and its owner.</summary>
    public static bool TryStatx(ReadOnlySpan<byte> path, Span<byte> status)
    {
        fixed (byte* name = path, into = status)
            return Statx(AtWorkingDirectory, name, 0, StatxType | StatxOwner, into) == 0;
    }

    /// <summary>The error of the call just made on this thread.</summary>
    public static Errno LastError => (Errno)Marshal.GetLastPInvokeError();

    /// <summary>An error in the C library's words, with its number.</summary>
    public static string Describe(Errno error) => $"{Marshal.GetPInvokeErrorMessage((int)error)}, errno {(int)error}";

    /// <summary><c>struct iovec</c>.</summary>
    public struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary><c>struct msghdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary><c>struct mmsghdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct SeveralMessages
    {
        public MessageHeader Header;
        public uint Length;
    }
}
