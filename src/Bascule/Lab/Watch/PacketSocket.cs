using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bascule.Lab.Watch;

/// <summary>Whole frames of one interface, those for others among them. packet(7).</summary>
internal static class PacketSocket
{
    private const ushort EveryProtocol = 3; // ETH_P_ALL

    /// <summary>Opens one.</summary>
    /// <exception cref="SocketException">Not root.</exception>
    public static Socket Open(string interfaceName)
    {
        NetworkInterface found = NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(i => i.Name == interfaceName)
            ?? throw new LabException($"there is no interface {interfaceName}");
        // Deaf until it is bound: a packet socket with a protocol would hear every interface.
        Socket socket = new(AddressFamily.Packet, SocketType.Raw, 0);
        socket.Bind(new LinkEndPoint(found.GetIPProperties().GetIPv4Properties().Index));
        socket.ReceiveBufferSize = 4 << 20;
        return socket;
    }

    /// <summary>struct sockaddr_ll, as far as bind(2) reads it.</summary>
    private sealed class LinkEndPoint(int index) : EndPoint
    {
        private const int Length = 20;

        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            SocketAddress address = new(AddressFamily.Packet, Length);
            BinaryPrimitives.WriteUInt16BigEndian(address.Buffer.Span[2..], EveryProtocol);
            BitConverter.TryWriteBytes(address.Buffer.Span[4..], index);
            return address;
        }
    }
}
