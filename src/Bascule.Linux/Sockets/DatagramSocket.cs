using System.Net;
using System.Net.Sockets;

namespace Bascule.Linux.Sockets;

/// <summary>UDP on one port of every address of one family. Non-blocking; nothing allocates after it was opened. One thread. udp(7).</summary>
public sealed unsafe class DatagramSocket : IDisposable
{
    private const int LevelIp = 0, TypeOfService = 1, TrafficClass6 = 67;
    private const int NetworkControl = 0xC0; // as routing protocols have it, RFC 791 §3.1

    private bool _closed;

    private DatagramSocket(int descriptor) => Descriptor = descriptor;

    /// <summary>What an epoll set watches.</summary>
    public int Descriptor { get; }

    /// <summary>Opens one.</summary>
    /// <param name="family">IPv4 or IPv6; one of IPv6 takes no IPv4.</param>
    /// <param name="port">1 to 65535; 0: any.</param>
    /// <exception cref="KernelException">EADDRINUSE: another program has the port; EAFNOSUPPORT: this machine has no IPv6.</exception>
    public static DatagramSocket Bind(AddressFamily family, int port)
    {
        bool isIpv4 = family == AddressFamily.InterNetwork;
        int descriptor = Libc.Socket(isIpv4 ? Libc.AddressFamilyInet : Libc.AddressFamilyInet6, Libc.SocketDatagrams | Libc.SocketNonBlock | Libc.SocketCloseOnExec, 0);
        if (descriptor < 0)
            throw new KernelException("socket(SOCK_DGRAM)", Libc.LastError);
        int only = 1, precedence = NetworkControl;
        if (!isIpv4)
            Libc.SetSocketOption(descriptor, Libc.LevelIpv6, Libc.OptionIpv6Only, &only, sizeof(int));
        Libc.SetSocketOption(descriptor, isIpv4 ? LevelIp : Libc.LevelIpv6, isIpv4 ? TypeOfService : TrafficClass6, &precedence, sizeof(int));
        NativeAddress address = NativeAddress.From(new(isIpv4 ? IPAddress.Any : IPAddress.IPv6Any, port));
        DatagramSocket socket = new(descriptor);
        fixed (byte* bytes = (ReadOnlySpan<byte>)address)
        {
            if (Libc.Bind(descriptor, bytes, address.Size) == 0)
                return socket;
        }

        Errno error = Libc.LastError;
        socket.Dispose();
        throw new KernelException($"bind(UDP port {port})", error);
    }

    /// <summary>Sends one datagram. What the network says to an earlier one (nobody listens there) is not this one's error.</summary>
    public IoResult Send(ReadOnlySpan<byte> message, in NativeAddress to)
    {
        IoResult result = SendOnce(message, to);
        return result.Error == Errno.ConnectionRefused ? SendOnce(message, to) : result;
    }

    /// <summary>Takes the next datagram, if one waits. A longer one than there is room for is cut.</summary>
    public IoResult Receive(Span<byte> room, out NativeAddress from)
    {
        from = default;
        fixed (byte* bytes = room, name = (Span<byte>)from)
        {
            Libc.Vector vector = new() { Base = bytes, Length = (nuint)room.Length };
            Libc.MessageHeader header = new() { Name = name, NameLength = NativeAddress.Length, Vectors = &vector, VectorCount = 1 };
            return IoResult.Of(Libc.ReceiveMessage(Descriptor, &header, 0));
        }
    }

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;
        Libc.Close(Descriptor);
    }

    private IoResult SendOnce(ReadOnlySpan<byte> message, in NativeAddress to)
    {
        fixed (byte* bytes = message, name = (ReadOnlySpan<byte>)to)
        {
            Libc.Vector vector = new() { Base = bytes, Length = (nuint)message.Length };
            Libc.MessageHeader header = new() { Name = name, NameLength = (uint)to.Size, Vectors = &vector, VectorCount = 1 };
            return IoResult.Of(Libc.SendMessage(Descriptor, &header, Libc.MessageNoSignal));
        }
    }
}
