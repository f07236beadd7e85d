using System.Net;

namespace Bascule.Linux.Sockets;

/// <summary>A UDP socket to which any client may send. Where it listens on every address, answers leave from the one that the client asked for. udp(7).</summary>
public sealed class UdpListenSocket : ListenSocket
{
    /// <summary>The kernel caps it at net.core.rmem_max. What comes while a worker is at something else waits there; what does not fit is lost.</summary>
    private const int ReceiveBuffer = 4 << 20;

    private UdpListenSocket(int descriptor, bool isEveryAddress)
        : base(descriptor) => IsEveryAddress = isEveryAddress;

    /// <summary>Whether each datagram tells which address it came to.</summary>
    public bool IsEveryAddress { get; }

    /// <summary>Opens it.</summary>
    /// <inheritdoc cref="TcpListenSocket.Open"/>
    public static UdpListenSocket? Open(IPEndPoint endPoint, bool shared, bool anywhere, out Errno error)
    {
        NativeAddress address = NativeAddress.From(endPoint);
        int descriptor = Libc.Socket(address.Family, Libc.SocketDatagrams | Libc.SocketNonBlock | Libc.SocketCloseOnExec, 0);
        if (descriptor < 0)
        {
            error = Libc.LastError;
            return null;
        }

        UdpListenSocket socket = new(descriptor, isEveryAddress: endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any));
        socket.Switch(Libc.LevelSocket, Libc.OptionReceiveBuffer, ReceiveBuffer);
        if ((!socket.IsEveryAddress || socket.TellDestinations(address.IsIpv4)) && socket.BindTo(address, shared, anywhere))
        {
            error = Errno.None;
            return socket;
        }

        error = Libc.LastError;
        socket.Dispose();
        return null;
    }

    /// <summary>Takes what waits, as much as the batch holds, with where it came from and, of <see cref="IsEveryAddress"/>, where it went to.</summary>
    /// <returns>How many datagrams.</returns>
    public IoResult Receive(DatagramBatch batch) => batch.ReceiveFrom(Descriptor);

    /// <summary>Sends some of a batch to one client.</summary>
    /// <param name="from">An address of this machine; only of <see cref="IsEveryAddress"/>.</param>
    public Sending Send(DatagramBatch batch, int first, int count, in NativeAddress to, in NativeAddress from)
    {
        batch.Address(to, from, IsEveryAddress);
        return batch.SendTo(Descriptor, first, count, isAddressed: true);
    }

    private bool TellDestinations(bool isIpv4) => isIpv4
        ? Switch(Libc.LevelIpv4, Libc.OptionIpv4PacketInformation)
        : Switch(Libc.LevelIpv6, Libc.OptionIpv6ReceivePacketInformation);
}
