using System.Runtime.InteropServices;

namespace Bascule.Linux.Epoll;

/// <summary>What the kernel says of a descriptor. epoll_ctl(2).</summary>
[Flags]
public enum Readiness : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>EPOLLIN: there are bytes to read, a connection to accept, or the end of the stream.</summary>
    Read = 0x1,

    /// <summary>EPOLLPRI: among the bytes to read there are urgent ones. tcp(7).</summary>
    Urgent = 0x2,

    /// <summary>EPOLLOUT: there is room to write.</summary>
    Write = 0x4,

    /// <summary>EPOLLERR: the connection broke.</summary>
    Error = 0x8,

    /// <summary>EPOLLHUP: both directions are closed.</summary>
    HangUp = 0x10,

    /// <summary>EPOLLRDHUP: the other side has finished sending.</summary>
    ReadHangUp = 0x2000,
}

/// <summary>One epoll instance and the events of its last wait. Used by one thread.</summary>
public sealed unsafe class EpollSet : IDisposable
{
    private const uint EdgeTriggered = 1u << 31;

    // The kernel packs struct epoll_event on x86-64 only.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - 8;

    private readonly int _epoll;
    private readonly byte* _events;
    private readonly int _capacity;

    /// <summary>Creates the instance, with room for that many events per wait.</summary>
    /// <exception cref="KernelException">EMFILE, ENFILE, ENOMEM.</exception>
    public EpollSet(int capacity)
    {
        _epoll = Libc.EpollCreate(Libc.SocketCloseOnExec);
        if (_epoll < 0)
            throw new KernelException("epoll_create1", Libc.LastError);
        _capacity = capacity;
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(capacity * Stride));
    }

    /// <summary>Watches a descriptor for everything, edge-triggered: each change is told once.</summary>
    /// <exception cref="KernelException">ENOMEM, ENOSPC.</exception>
    public void AddEdgeTriggered(int descriptor, ulong token) =>
        Add(descriptor, (uint)(Readiness.Read | Readiness.Urgent | Readiness.Write | Readiness.ReadHangUp) | EdgeTriggered, token);

    /// <summary>Watches a descriptor for something to read, told again in every wait until it is read.</summary>
    /// <exception cref="KernelException">ENOMEM, ENOSPC.</exception>
    public void AddReadable(int descriptor, ulong token) => Add(descriptor, (uint)Readiness.Read, token);

    /// <summary>Stops watching. A descriptor that is closed needs no call.</summary>
    public void Remove(int descriptor) => Libc.EpollControl(_epoll, Libc.EpollCtlDelete, descriptor, null);

    /// <summary>Waits until something is ready.</summary>
    /// <param name="timeoutMilliseconds">0 looks without waiting; -1 waits for ever.</param>
    /// <returns>How many events there are, to be read with <see cref="Token"/> and <see cref="Flags"/>.</returns>
    /// <exception cref="KernelException">Never in normal use.</exception>
    public int Wait(int timeoutMilliseconds)
    {
        int count = Libc.EpollWait(_epoll, _events, _capacity, timeoutMilliseconds);
        if (count >= 0)
            return count;
        return Libc.LastError == Errno.Interrupted ? 0 : throw new KernelException("epoll_wait", Libc.LastError);
    }

    /// <summary>Whose event it is.</summary>
    public ulong Token(int index) => *(ulong*)(_events + index * Stride + DataOffset);

    /// <summary>What happened.</summary>
    public Readiness Flags(int index) => (Readiness)(*(uint*)(_events + index * Stride));

    /// <inheritdoc/>
    public void Dispose()
    {
        Libc.Close(_epoll);
        NativeMemory.Free(_events);
    }

    private void Add(int descriptor, uint interest, ulong token)
    {
        byte* readyEvent = stackalloc byte[16];
        *(uint*)readyEvent = interest;
        *(ulong*)(readyEvent + DataOffset) = token;
        if (Libc.EpollControl(_epoll, Libc.EpollCtlAdd, descriptor, readyEvent) < 0)
            throw new KernelException("epoll_ctl", Libc.LastError);
    }
}
