namespace Bascule.Linux.Sockets;

/// <summary>
/// A UDP socket that speaks with one address alone, non-blocking. What the network says of it (nobody listens there) is the error of the next
/// call. Owned by one thread, which closes it. udp(7).
/// </summary>
public sealed unsafe class UdpSocket : IDisposable
{
    private bool _closed;

    private UdpSocket(int descriptor) => Descriptor = descriptor;

    /// <summary>For <see cref="Epoll.EpollSet"/>.</summary>
    public int Descriptor { get; }

    /// <summary>Opens one towards an address. Nothing is sent.</summary>
    /// <param name="error">Why it failed; otherwise <see cref="Errno.None"/>.</param>
    /// <returns>Null when it failed: no descriptor, or no way to there.</returns>
    public static UdpSocket? Connect(in NativeAddress address, out Errno error)
    {
        int descriptor = Libc.Socket(address.Family, Libc.SocketDatagrams | Libc.SocketNonBlock | Libc.SocketCloseOnExec, 0);
        if (descriptor < 0)
        {
            error = Libc.LastError;
            return null;
        }

        UdpSocket socket = new(descriptor);
        fixed (byte* bytes = (ReadOnlySpan<byte>)address)
            error = Libc.Connect(descriptor, bytes, address.Size) < 0 ? Libc.LastError : Errno.None;
        if (error == Errno.None)
            return socket;
        socket.Dispose();
        return null;
    }

    /// <summary>Takes what waits, as much as the batch holds.</summary>
    /// <returns>How many datagrams.</returns>
    public IoResult Receive(DatagramBatch batch) => batch.ReceiveFrom(Descriptor);

    /// <summary>Sends some of a batch.</summary>
    public Sending Send(DatagramBatch batch, int first, int count) => batch.SendTo(Descriptor, first, count, isAddressed: false);

    /// <summary>Closes it. A second call does nothing.</summary>
    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;
        Libc.Close(Descriptor);
    }
}
