using System.Net;

namespace Bascule.Linux.Sockets;

/// <summary>A listening TCP socket, non-blocking. Several may share one address (SO_REUSEPORT); the kernel spreads connections over them.</summary>
public sealed unsafe class TcpListenSocket : IDisposable
{
    private bool _closed;

    private TcpListenSocket(int descriptor) => Descriptor = descriptor;

    /// <summary>For <see cref="Epoll.EpollSet"/>.</summary>
    public int Descriptor { get; }

    /// <summary>The address it listens on, with the port the kernel chose when 0 was asked for.</summary>
    public IPEndPoint LocalAddress
    {
        get
        {
            NativeAddress address = default;
            int length = NativeAddress.Length;
            fixed (byte* bytes = (Span<byte>)address)
                Libc.GetSocketName(Descriptor, bytes, &length);
            return address.ToEndPoint();
        }
    }

    /// <summary>Opens and listens.</summary>
    /// <param name="endPoint">IPv6 addresses take IPv6 alone, never IPv4 as well.</param>
    /// <param name="backlog">Connections that wait to be accepted; the kernel caps it at net.core.somaxconn.</param>
    /// <param name="shared">Whether further sockets of this user may listen on the same address.</param>
    /// <param name="anywhere">Whether the address may be one that this machine does not have yet (IP_FREEBIND).</param>
    /// <param name="error">Why it failed.</param>
    /// <returns>Null when it failed.</returns>
    public static TcpListenSocket? Open(IPEndPoint endPoint, int backlog, bool shared, bool anywhere, out Errno error)
    {
        NativeAddress address = NativeAddress.From(endPoint);
        int descriptor = Libc.Socket(address.Family, Libc.SocketStream | Libc.SocketNonBlock | Libc.SocketCloseOnExec, 0);
        if (descriptor < 0)
        {
            error = Libc.LastError;
            return null;
        }

        TcpListenSocket socket = new(descriptor);
        fixed (byte* bytes = (ReadOnlySpan<byte>)address)
        {
            if (socket.Switch(Libc.LevelSocket, Libc.OptionReuseAddress)
                && (!shared || socket.Switch(Libc.LevelSocket, Libc.OptionReusePort))
                && (!anywhere || socket.BindAnywhere(address.IsIpv4))
                && (address.IsIpv4 || socket.Switch(Libc.LevelIpv6, Libc.OptionIpv6Only))
                && Libc.Bind(descriptor, bytes, address.Size) == 0
                && Libc.Listen(descriptor, backlog) == 0)
            {
                error = Errno.None;
                return socket;
            }
        }

        error = Libc.LastError;
        socket.Dispose();
        return null;
    }

    /// <summary>Takes a waiting connection.</summary>
    /// <param name="client">Where it comes from.</param>
    /// <param name="error"><see cref="Errno.WouldBlock"/> when none waits; <see cref="Errno.TooManyFiles"/> and its kind when there is no room for it.</param>
    /// <returns>Null when there is none, or on an error.</returns>
    public TcpSocket? Accept(out NativeAddress client, out Errno error)
    {
        client = default;
        int length = NativeAddress.Length;
        int descriptor;
        fixed (byte* bytes = (Span<byte>)client)
            descriptor = Libc.Accept(Descriptor, bytes, &length, Libc.SocketNonBlock | Libc.SocketCloseOnExec);
        error = descriptor < 0 ? Libc.LastError : Errno.None;
        return descriptor < 0 ? null : new(descriptor);
    }

    /// <summary>Closes it; connections that wait to be accepted are reset by the kernel. A second call does nothing.</summary>
    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;

        // A program that is being started holds a copy of every descriptor for a moment, and would go on listening.
        Libc.Shutdown(Descriptor, Libc.ShutdownRead);
        Libc.Close(Descriptor);
    }

    private bool BindAnywhere(bool isIpv4) =>
        isIpv4 ? Switch(Libc.LevelIpv4, Libc.OptionIpv4FreeBind) : Switch(Libc.LevelIpv6, Libc.OptionIpv6FreeBind);

    private bool Switch(int level, int option)
    {
        int on = 1;
        return Libc.SetSocketOption(Descriptor, level, option, &on, sizeof(int)) == 0;
    }
}
