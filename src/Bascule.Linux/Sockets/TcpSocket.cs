namespace Bascule.Linux.Sockets;

/// <summary>
/// A connected (or connecting) TCP socket, non-blocking. Owned by one thread, which closes it; there is no finalizer and no
/// reference counting, since both would be paid on every read and write.
/// </summary>
public sealed unsafe class TcpSocket : IDisposable
{
    private bool _closed;

    internal TcpSocket(int descriptor) => Descriptor = descriptor;

    /// <summary>For <see cref="Epoll.EpollSet"/>.</summary>
    public int Descriptor { get; }

    /// <summary>The address of this end: for an accepted connection, the one the client asked for.</summary>
    public NativeAddress LocalAddress
    {
        get
        {
            NativeAddress address = default;
            int length = NativeAddress.Length;
            fixed (byte* bytes = (Span<byte>)address)
                Libc.GetSocketName(Descriptor, bytes, &length);
            return address;
        }
    }

    /// <summary>Begins to connect. When the socket becomes writable, <see cref="TakeError"/> tells how it went.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="source">The address to come from, of the same family; it need not be this machine's, which takes CAP_NET_ADMIN. Null: the kernel's choice.</param>
    /// <param name="error">Why it failed at once; otherwise <see cref="Errno.None"/>.</param>
    /// <returns>Null when it failed at once.</returns>
    public static TcpSocket? BeginConnect(in NativeAddress address, in NativeAddress? source, out Errno error)
    {
        int descriptor = Libc.Socket(address.Family, Libc.SocketStream | Libc.SocketNonBlock | Libc.SocketCloseOnExec, 0);
        if (descriptor < 0)
        {
            error = Libc.LastError;
            return null;
        }

        TcpSocket socket = new(descriptor);
        error = source is { } from && !socket.ComeFrom(from) ? Libc.LastError : socket.Connect(address);
        if (error is Errno.None or Errno.InProgress)
        {
            error = Errno.None;
            socket.SetNoDelay();
            return socket;
        }

        socket.Dispose();
        return null;
    }

    /// <summary>Whether this program may let connections come from addresses that this machine does not have.</summary>
    /// <returns><see cref="Errno.None"/>, or why not: EPERM without CAP_NET_ADMIN.</returns>
    public static Errno MayComeFromAnywhere()
    {
        int descriptor = Libc.Socket(Libc.AddressFamilyInet, Libc.SocketStream | Libc.SocketCloseOnExec, 0);
        if (descriptor < 0)
            return Libc.LastError;
        Errno error = AllowAnySource(descriptor, isIpv4: true) ? Errno.None : Libc.LastError;
        Libc.Close(descriptor);
        return error;
    }

    // The port is chosen by the connect: so an address has as many connections to each real server as there are ports, and not in all.
    private bool ComeFrom(in NativeAddress source)
    {
        int on = 1;
        fixed (byte* bytes = (ReadOnlySpan<byte>)source)
        {
            return AllowAnySource(Descriptor, source.IsIpv4)
                && Libc.SetSocketOption(Descriptor, Libc.LevelIpv4, Libc.OptionBindAddressNoPort, &on, sizeof(int)) == 0
                && Libc.Bind(Descriptor, bytes, source.Size) == 0;
        }
    }

    private static bool AllowAnySource(int descriptor, bool isIpv4)
    {
        int on = 1;
        return Libc.SetSocketOption(descriptor, isIpv4 ? Libc.LevelIpv4 : Libc.LevelIpv6, isIpv4 ? Libc.OptionIpv4Transparent : Libc.OptionIpv6Transparent, &on, sizeof(int)) == 0;
    }

    private Errno Connect(in NativeAddress address)
    {
        fixed (byte* bytes = (ReadOnlySpan<byte>)address)
            return Libc.Connect(Descriptor, bytes, address.Size) < 0 ? Libc.LastError : Errno.None;
    }

    /// <summary>Sends small messages at once instead of waiting for more (a proxy always hands over whole messages).</summary>
    public void SetNoDelay()
    {
        int on = 1;
        Libc.SetSocketOption(Descriptor, Libc.LevelTcp, Libc.OptionNoDelay, &on, sizeof(int));
    }

    /// <summary>Leaves urgent bytes where they are in the stream, instead of dropping them from it. SO_OOBINLINE; RFC 6093 §6.</summary>
    public void KeepUrgentInline()
    {
        int on = 1;
        Libc.SetSocketOption(Descriptor, Libc.LevelSocket, Libc.OptionUrgentInline, &on, sizeof(int));
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
    /// <param name="moreFollows">It is to be sent together with what is written next. tcp(7), MSG_MORE.</param>
    public IoResult Send(ReadOnlySpan<byte> bytes, bool moreFollows = false)
    {
        fixed (byte* first = bytes)
            return IoResult.Of(Libc.Send(Descriptor, first, (nuint)bytes.Length, Libc.MessageNoSignal | (moreFollows ? Libc.MessageMore : 0)));
    }

    /// <summary>Writes three pieces, one after the other, in one call. Any may be empty, but not all.</summary>
    public IoResult Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        fixed (byte* a = first, b = second, c = third)
        {
            Libc.Vector* vectors = stackalloc Libc.Vector[3];
            nuint count = 0;
            if (first.Length > 0)
                vectors[count++] = new() { Base = a, Length = (nuint)first.Length };
            if (second.Length > 0)
                vectors[count++] = new() { Base = b, Length = (nuint)second.Length };
            if (third.Length > 0)
                vectors[count++] = new() { Base = c, Length = (nuint)third.Length };
            Libc.MessageHeader message = new() { Vectors = vectors, VectorCount = count };
            return IoResult.Of(Libc.SendMessage(Descriptor, &message, Libc.MessageNoSignal));
        }
    }

    /// <summary>Says that nothing more will be sent; reading goes on.</summary>
    public void ShutdownSend() => Libc.Shutdown(Descriptor, Libc.ShutdownWrite);

    /// <summary>Makes <see cref="Dispose"/> send a reset instead of a polite end, and drop what was not sent yet.</summary>
    public void ResetOnClose()
    {
        int* linger = stackalloc int[2] { 1, 0 };
        Libc.SetSocketOption(Descriptor, Libc.LevelSocket, Libc.OptionLinger, linger, 2 * sizeof(int));
    }

    /// <summary>Closes it. A second call does nothing.</summary>
    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;
        Libc.Close(Descriptor);
    }
}
