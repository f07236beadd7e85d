namespace Bascule.Linux.Epoll;

/// <summary>Lets any thread wake the one that waits in an <see cref="EpollSet"/>. eventfd(2).</summary>
public sealed unsafe class WakeUp : IDisposable
{
    /// <summary>Creates it.</summary>
    /// <exception cref="KernelException">EMFILE, ENFILE, ENOMEM.</exception>
    public WakeUp()
    {
        Descriptor = Libc.EventFd(0, Libc.EventFdNonBlockCloseOnExec);
        if (Descriptor < 0)
            throw new KernelException("eventfd", Libc.LastError);
    }

    /// <summary>What the sleeper watches with <see cref="EpollSet.AddReadable"/>.</summary>
    public int Descriptor { get; }

    /// <summary>Wakes the sleeper, now or at its next wait.</summary>
    public void Signal()
    {
        ulong one = 1;
        Libc.Write(Descriptor, &one, sizeof(ulong));
    }

    /// <summary>The sleeper has woken; the next signal wakes it again.</summary>
    public void Clear()
    {
        ulong count;
        Libc.Read(Descriptor, &count, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose() => Libc.Close(Descriptor);
}
