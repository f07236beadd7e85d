using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Sockets;

/// <summary>
/// An IP protocol on one interface, as its packets are: for a protocol between neighbours, so everything leaves with a time to live of 255, and own
/// packets are not heard. Non-blocking; nothing allocates after it was opened. One thread. raw(7), ip(7), ipv6(7).
/// </summary>
public sealed unsafe class RawSocket : IDisposable
{
    private const int Raw = 3; // SOCK_RAW
    private const int LevelIp = 0;
    private const int BindToDevice = 25, ReceiveBuffer = 8; // SO_…
    private const int TypeOfService = 1, TimeToLive = 2, MulticastInterface = 32, MulticastTimeToLive = 33, MulticastLoop = 34, AddMembership = 35; // IP_…
    private const int UnicastHops6 = 16, MulticastInterface6 = 17, MulticastHops6 = 18, MulticastLoop6 = 19, AddMembership6 = 20; // IPV6_…
    private const int ReceiveHopLimit6 = 51, HopLimit6 = 52, TrafficClass6 = 67;
    private const int NetworkControl = 0xC0; // the precedence of routing protocols, RFC 791 §3.1
    private const int Truncated = 0x20; // MSG_TRUNC
    private const int ControlRoom = 128;

    private readonly bool _isIpv4;
    private readonly int _interface;
    private readonly int _descriptor;
    private bool _closed;

    private RawSocket(int descriptor, bool isIpv4, int interfaceIndex) => (_descriptor, _isIpv4, _interface) = (descriptor, isIpv4, interfaceIndex);

    /// <summary>What an epoll set watches.</summary>
    public int Descriptor => _descriptor;

    /// <summary>Opens one.</summary>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="protocol">Its number in the IP header.</param>
    /// <param name="interfaceIndex">Where it speaks and hears.</param>
    /// <param name="interfaceName">The same.</param>
    /// <exception cref="KernelException">EPERM without CAP_NET_RAW, ENODEV: the interface has gone.</exception>
    public static RawSocket Open(AddressFamily family, int protocol, int interfaceIndex, string interfaceName)
    {
        bool isIpv4 = family == AddressFamily.InterNetwork;
        int descriptor = Libc.Socket(isIpv4 ? Libc.AddressFamilyInet : Libc.AddressFamilyInet6, Raw | Libc.SocketNonBlock | Libc.SocketCloseOnExec, protocol);
        if (descriptor < 0)
            throw new KernelException($"socket(SOCK_RAW, {protocol})", Libc.LastError);
        RawSocket socket = new(descriptor, isIpv4, interfaceIndex);
        try
        {
            socket.BindTo(interfaceName);
            socket.SetUp();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Hears what is sent to a multicast group on the interface.</summary>
    /// <exception cref="KernelException">EADDRINUSE: it does already; ENODEV.</exception>
    public void Join(IPAddress group)
    {
        Span<byte> request = stackalloc byte[20]; // struct ip_mreqn, struct ipv6_mreq
        group.TryWriteBytes(request, out int written);
        MemoryMarshal.Write(request[(_isIpv4 ? 8 : written)..], _interface);
        fixed (byte* bytes = request)
            Check("setsockopt(…_ADD_MEMBERSHIP)", Libc.SetSocketOption(_descriptor, Level, _isIpv4 ? AddMembership : AddMembership6, bytes, _isIpv4 ? 12 : 20));
    }

    /// <summary>Sends one packet.</summary>
    /// <param name="message">What follows the IP header.</param>
    /// <param name="to">The port is ignored.</param>
    /// <param name="from">An address of this machine; the port is ignored.</param>
    public IoResult Send(ReadOnlySpan<byte> message, in NativeAddress to, in NativeAddress from)
    {
        byte* control = stackalloc byte[ControlRoom];
        int length = ControlMessage.WriteSource(control, from, _interface);
        fixed (byte* bytes = message, name = (ReadOnlySpan<byte>)to)
        {
            Libc.Vector vector = new() { Base = bytes, Length = (nuint)message.Length };
            Libc.MessageHeader header = new() { Name = name, NameLength = (uint)to.Size, Vectors = &vector, VectorCount = 1, Control = control, ControlLength = (nuint)length };
            return IoResult.Of(Libc.SendMessage(_descriptor, &header, Libc.MessageNoSignal));
        }
    }

    /// <summary>Takes the next packet, if one waits. A longer one than there is room for is cut.</summary>
    public IoResult Receive(Span<byte> room, out ReceivedPacket packet)
    {
        packet = default;
        NativeAddress source = default;
        byte* control = stackalloc byte[ControlRoom];
        fixed (byte* bytes = room, name = (Span<byte>)source)
        {
            Libc.Vector vector = new() { Base = bytes, Length = (nuint)room.Length };
            Libc.MessageHeader header = new() { Name = name, NameLength = NativeAddress.Length, Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlRoom };
            IoResult result = IoResult.Of(Libc.ReceiveMessage(_descriptor, &header, Truncated));
            if (result.Error != Errno.None)
                return result;
            int length = int.Min(result.Count, room.Length);
            packet = _isIpv4 ? ReadHeader(room[..length]) : ReadControl(new(control, (int)header.ControlLength), source, length);
            return result;
        }
    }

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;
        Libc.Close(_descriptor);
    }

    private int Level => _isIpv4 ? LevelIp : Libc.LevelIpv6;

    private void BindTo(string interfaceName)
    {
        Span<byte> name = stackalloc byte[16];
        System.Text.Encoding.UTF8.TryGetBytes(interfaceName, name[..15], out _);
        fixed (byte* bytes = name)
            Check($"setsockopt(SO_BINDTODEVICE, {interfaceName})", Libc.SetSocketOption(_descriptor, Libc.LevelSocket, BindToDevice, bytes, name.Length));
    }

    private void SetUp()
    {
        Set(Libc.LevelSocket, ReceiveBuffer, 1 << 18);
        if (_isIpv4)
        {
            Set(LevelIp, TimeToLive, 255);
            Set(LevelIp, MulticastTimeToLive, 255);
            Set(LevelIp, MulticastLoop, 0);
            Set(LevelIp, TypeOfService, NetworkControl);
            int* request = stackalloc int[3] { 0, 0, _interface }; // struct ip_mreqn
            Check("setsockopt(IP_MULTICAST_IF)", Libc.SetSocketOption(_descriptor, LevelIp, MulticastInterface, request, 12));
            return;
        }

        Set(Libc.LevelIpv6, UnicastHops6, 255);
        Set(Libc.LevelIpv6, MulticastHops6, 255);
        Set(Libc.LevelIpv6, MulticastLoop6, 0);
        Set(Libc.LevelIpv6, TrafficClass6, NetworkControl);
        Set(Libc.LevelIpv6, MulticastInterface6, _interface);
        Set(Libc.LevelIpv6, Libc.OptionIpv6ReceivePacketInformation, 1);
        Set(Libc.LevelIpv6, ReceiveHopLimit6, 1);
    }

    private void Set(int level, int option, int value) => Check($"setsockopt({level}, {option})", Libc.SetSocketOption(_descriptor, level, option, &value, sizeof(int)));

    private static void Check(string call, int result)
    {
        if (result < 0)
            throw new KernelException(call, Libc.LastError);
    }

    // An IPv4 raw socket gives the IP header, too. RFC 791 §3.1
    private static ReceivedPacket ReadHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 20 || (bytes[0] & 0xF) * 4 is var header && (header < 20 || header > bytes.Length))
            return default;
        return new(NativeAddress.FromBytes(bytes.Slice(12, 4)), NativeAddress.FromBytes(bytes.Slice(16, 4)), bytes[8], header, bytes.Length - header);
    }

    private static ReceivedPacket ReadControl(ReadOnlySpan<byte> control, in NativeAddress source, int length)
    {
        NativeAddress destination = default;
        int hopLimit = 0;
        while (control.Length >= ControlMessage.HeaderLength && (int)MemoryMarshal.Read<nuint>(control) is var size && size >= ControlMessage.HeaderLength && size <= control.Length)
        {
            ReadOnlySpan<byte> data = control[ControlMessage.HeaderLength..size];
            switch (MemoryMarshal.Read<int>(control[12..]))
            {
                case HopLimit6 when data.Length >= sizeof(int):
                    hopLimit = MemoryMarshal.Read<int>(data);
                    break;
                case Libc.OptionIpv6PacketInformation when data.Length >= 16:
                    destination = NativeAddress.FromBytes(data[..16]);
                    break;
            }

            control = control[int.Min((size + 7) & ~7, control.Length)..];
        }

        return new(source, destination, hopLimit, 0, length);
    }
}

/// <summary>Where a packet came from and went to, and where in the buffer it is.</summary>
/// <param name="Source">Whence; without a port.</param>
/// <param name="Destination">Where to; without a port.</param>
/// <param name="HopLimit">Time to live, or hop limit, that was left.</param>
/// <param name="Offset">The first byte after the IP header.</param>
/// <param name="Length">Bytes after the IP header; 0 where that made no sense.</param>
public readonly record struct ReceivedPacket(NativeAddress Source, NativeAddress Destination, int HopLimit, int Offset, int Length);
