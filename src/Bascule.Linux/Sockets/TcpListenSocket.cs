using System.Net;

namespace Bascule.Linux.Sockets;

/// <summary>A listening TCP socket.</summary>
public sealed unsafe class TcpListenSocket : ListenSocket
{
    private TcpListenSocket(int descriptor)
        : base(descriptor)
    {
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
        if (socket.Switch(Libc.LevelSocket, Libc.OptionReuseAddress) && socket.BindTo(address, shared, anywhere) && Libc.Listen(descriptor, backlog) == 0)
        {
            error = Errno.None;
            return socket;
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
}
