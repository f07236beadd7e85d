using System.Net;
using System.Net.Sockets;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Netlink;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Engine;

/// <summary>One interface and address family: the socket that the instances on it share. Failover thread only.</summary>
internal sealed class VrrpLink(string name, AddressFamily family, EpollSet epoll, ulong token) : IDisposable
{
    private const int Protocol = 112; // RFC 9568 §5.1.1.4
    private const int PacketsAtOnce = 64; // then the timers have their turn

    private static readonly IPAddress Group4 = IPAddress.Parse("224.0.0.18"); // RFC 9568 §5.1.1.2
    private static readonly IPAddress Group6 = IPAddress.Parse("ff02::12"); // RFC 9568 §5.1.2.2

    private readonly byte[] _buffer = GC.AllocateArray<byte>(AdvertisementCodec.MaxLength + 128, pinned: true);
    private RawSocket? _socket;
    public string Name => name;

    public AddressFamily Family => family;

    /// <summary>What its events carry.</summary>
    public ulong Token => token;

    public List<Instance> Instances { get; } = [];

    /// <summary>0 while there is no such interface.</summary>
    public int Index { get; private set; }

    public static IPAddress GroupOf(AddressFamily family) => family == AddressFamily.InterNetwork ? Group4 : Group6;

    /// <summary>The first address of the family that is no virtual one (IPv6: link-local); null while there is none.</summary>
    public IPAddress? Address { get; private set; }

    /// <summary>Why nothing can be said or heard here, as half a sentence; null when it can.</summary>
    public string? WhyNot { get; private set; } = "it has not been looked at yet";

    /// <summary>Looks at the interface again: it may have come, gone, or changed its addresses.</summary>
    /// <param name="isOurs">Whether an address is a virtual one: none may be our primary address.</param>
    public void LookAgain(IReadOnlyList<NetworkLink> links, IReadOnlyList<NetworkAddress> addresses, Func<IPAddress, bool> isOurs)
    {
        NetworkLink? found = links.FirstOrDefault(l => l.Name == name);
        if (found?.Index != Index)
            Close();
        Index = found?.Index ?? 0;
        Address = addresses.Where(a => a.InterfaceIndex == Index && a.Address.AddressFamily == family && !isOurs(a.Address)
            && (family == AddressFamily.InterNetwork || a.Address.IsIPv6LinkLocal)).Select(a => a.Address).FirstOrDefault();
        WhyNot = found switch
        {
            null => $"there is no interface {name}",
            { IsUp: false } => $"interface {name} is down",
            { HasCarrier: false } => $"interface {name} has no carrier",
            _ => TryOpen(found),
        };
    }

    /// <summary>Takes up what waits in the socket.</summary>
    public void Receive(TimeSpan now)
    {
        for (int i = 0; i < PacketsAtOnce && _socket is not null; i++)
        {
            IoResult result = _socket.Receive(_buffer, out ReceivedPacket packet);
            if (result.Error != Errno.None)
                return;
            Deliver(packet, _buffer.AsSpan(packet.Offset, packet.Length), now);
        }
    }

    /// <summary>Sends an advertisement.</summary>
    public Errno Send(ReadOnlySpan<byte> message, in NativeAddress to, in NativeAddress from) => _socket?.Send(message, to, from).Error ?? Errno.NoDevice;

    public void Dispose() => Close();

    private void Deliver(in ReceivedPacket packet, ReadOnlySpan<byte> message, TimeSpan now)
    {
        byte id = message.Length > 1 ? message[1] : (byte)0;
        foreach (Instance instance in Instances)
        {
            if (instance.Configured.VirtualRouterId != id)
                continue;
            instance.Receive(packet, message, now);
            return;
        }

        foreach (Instance instance in Instances)
            instance.Counters.Reject(message.Length < 2 ? DecodeError.Truncated : DecodeError.OtherVirtualRouter);
    }

    private string? TryOpen(NetworkLink found)
    {
        if (_socket is not null)
            return null;
        try
        {
            _socket = RawSocket.Open(family, Protocol, found.Index, name);
            if (Instances.Exists(i => i.Configured.Unicast.Count == 0))
                _socket.Join(GroupOf(family));
            epoll.AddReadable(_socket.Descriptor, token);
            return null;
        }
        catch (KernelException e)
        {
            Close();
            return e.Errno == Errno.NotPermitted ? "VRRP needs raw sockets (root, or CAP_NET_RAW and CAP_NET_ADMIN)" : e.Message;
        }
    }

    private void Close()
    {
        _socket?.Dispose(); // which also takes it out of the epoll set
        _socket = null;
    }
}
