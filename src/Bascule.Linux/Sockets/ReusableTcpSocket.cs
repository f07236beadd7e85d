namespace Bascule.Linux.Sockets;

/// <summary>
/// A TCP socket that connects, is closed and connects again, thousands of times an hour, without an object for each connection.
/// Non-blocking; owned by one thread.
/// </summary>
public sealed unsafe class ReusableTcpSocket : IDisposable
{
    private const int OptionMark = 36; // SO_MARK
    private const int Closed = -1;

    /// <summary>For <see cref="Epoll.EpollSet"/>; changes with each connection. -1: closed.</summary>
    public int Descriptor { get; private set; } = Closed;

    /// <summary>Begins a new connection. When the socket becomes writable, <see cref="TakeError"/> tells how it went.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="mark">
    /// Mark of its packets, which takes CAP_NET_ADMIN; 0: none. A marked socket is bound to a port of its own before it connects: two marked
    /// connections to one address from one port could not be told apart where the mark sends them. socket(7), SO_MARK.
    /// </param>
    /// <returns>Why it failed at once; then it is closed. Otherwise <see cref="Errno.None"/>.</returns>
    public Errno Connect(in NativeAddress address, uint mark)
    {
        Close();
        Descriptor = Libc.Socket(address.Family, Libc.SocketStream | Libc.SocketNonBlock | Libc.SocketCloseOnExec, 0);
        if (Descriptor == Closed)
            return Libc.LastError;
        Errno error = mark == 0 ? Errno.None : Mark(address, mark);
        if (error == Errno.None)
        {
            fixed (byte* bytes = (ReadOnlySpan<byte>)address)
                error = Libc.Connect(Descriptor, bytes, address.Size) < 0 ? Libc.LastError : Errno.None;
        }

        if (error is Errno.None or Errno.InProgress)
            return Errno.None;
        Close();
        return error;
    }

    /// <summary>The pending error of the socket, which is cleared by asking. After a connect: how it went.</summary>
    public Errno TakeError()
    {
        int error = 0;
        int length = sizeof(int);
        return Libc.GetSocketOption(Descriptor, Libc.LevelSocket, Libc.OptionError, &error, &length) < 0 ? Libc.LastError : (Errno)error;
    }

    /// <summary>Reads what is there.</summary>
    public IoResult Receive(Span<byte> into)
    {
        fixed (byte* bytes = into)
            return IoResult.Of(Libc.Receive(Descriptor, bytes, (nuint)into.Length, 0));
    }

    /// <summary>Writes as much as there is room for.</summary>
    public IoResult Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
            return IoResult.Of(Libc.Send(Descriptor, first, (nuint)bytes.Length, Libc.MessageNoSignal));
    }

    /// <summary>Closes the connection, and lets the next one come. Nothing, when it is closed.</summary>
    public void Close()
    {
        if (Descriptor == Closed)
            return;
        Libc.Close(Descriptor);
        Descriptor = Closed;
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    private Errno Mark(in NativeAddress address, uint mark)
    {
        if (Libc.SetSocketOption(Descriptor, Libc.LevelSocket, OptionMark, &mark, sizeof(uint)) < 0)
            return Libc.LastError;
        NativeAddress any = NativeAddress.AnyOf(address);
        fixed (byte* bytes = (ReadOnlySpan<byte>)any)
            return Libc.Bind(Descriptor, bytes, any.Size) < 0 ? Libc.LastError : Errno.None;
    }
}
