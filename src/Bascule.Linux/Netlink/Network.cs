using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Netlink;

/// <summary>
/// The interfaces, addresses, routes and neighbours of this thread's network namespace: asks the kernel, and changes addresses. One thread.
/// rtnetlink(7).
/// </summary>
public sealed class Network : IDisposable
{
    private const int Room = 256;
    private const int Attempts = 5;
    private const int ChangesAtOnce = 64; // so that their answers fit into the socket

    // The kernel answers at once; a second of silence means that it will not.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly NetlinkSocket _socket = new(groups: 0);
    private uint _sequence;

    private delegate T? Read<T>(NetlinkMessage message)
        where T : class;

    /// <summary>All interfaces.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public IReadOnlyList<NetworkLink> Links() => Dump(NetlinkType.GetLink, NetlinkType.NewLink, 16, NetlinkReader.Link);

    /// <summary>All addresses of this machine.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public IReadOnlyList<NetworkAddress> Addresses() => Dump(NetlinkType.GetAddress, NetlinkType.NewAddress, 8, NetlinkReader.Address);

    /// <summary>All addresses of this machine, with what the kernel keeps with them.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public IReadOnlyList<AssignedAddress> AssignedAddresses() => Dump(NetlinkType.GetAddress, NetlinkType.NewAddress, 8, NetlinkReader.AssignedAddress);

    /// <summary>All neighbours, of both families.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public IReadOnlyList<Neighbour> Neighbours() => Dump(NetlinkType.GetNeighbour, NetlinkType.NewNeighbour, 12, NetlinkReader.Neighbour);

    /// <summary>The interface of that name; null when there is none.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public NetworkLink? FindLink(string name) => Links().FirstOrDefault(link => link.Name == name);

    /// <summary>What the kernel would do with a packet to a destination.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="error">ENETUNREACH, EHOSTUNREACH: there is no way.</param>
    /// <returns>Null when there is no way.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public NetworkRoute? FindRoute(IPAddress destination, out Errno error)
    {
        const ushort Destination = 1; // RTA_DST
        byte[] address = destination.GetAddressBytes();
        Span<byte> header = stackalloc byte[12];
        header[0] = FamilyOf(destination);
        header[1] = (byte)(address.Length * 8);
        NetlinkRequest request = new NetlinkRequest(stackalloc byte[Room], NetlinkType.GetRoute, NetlinkFlags.Request, header).With(Destination, address);
        NetworkRoute? route = null;
        error = Ask(request.Finish(++_sequence), message =>
        {
            route = (NetlinkType)message.Type == NetlinkType.NewRoute ? NetlinkReader.Route(message) : route;
            return false;
        });
        return error == Errno.None ? route : null;
    }

    /// <summary>What is known of one neighbour; null when nothing is.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public Neighbour? FindNeighbour(int interfaceIndex, IPAddress address)
    {
        Neighbour? neighbour = null;
        Errno error = Ask(NeighbourRequest(NetlinkType.GetNeighbour, NetlinkFlags.Request, interfaceIndex, address, stackalloc byte[Room], flags: 0), message =>
        {
            neighbour = (NetlinkType)message.Type == NetlinkType.NewNeighbour ? NetlinkReader.Neighbour(message) : neighbour;
            return false;
        });
        return error == Errno.None ? neighbour : null;
    }

    /// <summary>Has the kernel ask for a neighbour's MAC, or confirm the one it knows; <see cref="NetworkWatch"/> hears the answer.</summary>
    /// <returns><see cref="Errno.None"/>, or why not: EPERM without CAP_NET_ADMIN, ENODEV, EINVAL.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public Errno Resolve(int interfaceIndex, IPAddress address)
    {
        const byte Use = 1; // NTF_USE
        return Ask(NeighbourRequest(NetlinkType.NewNeighbour, NetlinkFlags.Request | NetlinkFlags.Acknowledge | NetlinkFlags.Create | NetlinkFlags.Replace,
            interfaceIndex, address, stackalloc byte[Room], Use), _ => true);
    }

    /// <summary>Gives an interface an address.</summary>
    /// <returns><see cref="Errno.None"/>, or why not: EEXIST, EPERM, ENODEV.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public Errno AddAddress(NetworkAddress address) =>
        Ask(AddressRequest(NetlinkType.NewAddress, NetlinkFlags.Create, address, stackalloc byte[Room]), _ => true);

    /// <summary>Takes an address off an interface.</summary>
    /// <returns><see cref="Errno.None"/>, or why not: EADDRNOTAVAIL, EPERM, ENODEV.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public Errno RemoveAddress(NetworkAddress address) =>
        Ask(AddressRequest(NetlinkType.RemoveAddress, NetlinkFlags.None, address, stackalloc byte[Room]), _ => true);

    /// <summary>Makes changes, in their order. One that cannot be made does not keep the others from it. Allocates nothing.</summary>
    /// <returns>How many were not made; <see cref="NetworkChanges.Error"/> says why.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public int Make(NetworkChanges changes)
    {
        int failed = 0;
        for (int first = 0; first < changes.Count; first += ChangesAtOnce)
            failed += MakeSome(changes, first, Math.Min(ChangesAtOnce, changes.Count - first));
        return failed;
    }

    /// <summary>Removes all routes, of either family and in any table, that this protocol added.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public int RemoveRoutes(byte protocol) => RemoveAll(NetlinkType.GetRoute, NetlinkType.NewRoute, NetlinkType.RemoveRoute,
        message => message.Body.Length > 5 && message.Body[5] == protocol);

    /// <summary>Removes all rules, of either family, that this protocol added.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public int RemoveRules(byte protocol) => RemoveAll(NetlinkType.GetRule, NetlinkType.NewRule, NetlinkType.RemoveRule, message =>
    {
        const int Protocol = 21; // FRA_PROTOCOL
        foreach (NetlinkAttributes attribute in new NetlinkAttributes(message.Body.Length > 12 ? message.Body[12..] : []))
        {
            if (attribute.Type == Protocol)
                return attribute.Value is [var by] && by == protocol;
        }

        return false;
    });

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _socket.Dispose();

    private static byte FamilyOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? NetlinkReader.FamilyIpv4 : NetlinkReader.FamilyIpv6;

    private ReadOnlySpan<byte> NeighbourRequest(NetlinkType type, NetlinkFlags how, int interfaceIndex, IPAddress address, Span<byte> room, byte flags)
    {
        const ushort Destination = 1; // NDA_DST
        Span<byte> header = stackalloc byte[12];
        header[0] = FamilyOf(address);
        MemoryMarshal.Write(header[4..], interfaceIndex);
        header[10] = flags;
        return new NetlinkRequest(room, type, how, header).With(Destination, address.GetAddressBytes()).Finish(++_sequence);
    }

    private ReadOnlySpan<byte> AddressRequest(NetlinkType type, NetlinkFlags flags, NetworkAddress address, Span<byte> room)
    {
        const ushort Peer = 1, Local = 2; // IFA_…
        const byte NoDuplicateDetection = 2; // IFA_F_NODAD: an IPv6 address is usable at once
        byte[] bytes = address.Address.GetAddressBytes();
        Span<byte> header = stackalloc byte[8];
        header[0] = FamilyOf(address.Address);
        header[1] = (byte)address.PrefixLength;
        header[2] = bytes.Length == 16 ? NoDuplicateDetection : (byte)0;
        MemoryMarshal.Write(header[4..], address.InterfaceIndex);
        return new NetlinkRequest(room, type, NetlinkFlags.Request | NetlinkFlags.Acknowledge | flags, header)
            .With(Local, bytes).With(Peer, bytes).Finish(++_sequence);
    }

    // A dump that the kernel's tables changed under is marked so, and asked for again.
    private List<T> Dump<T>(NetlinkType ask, NetlinkType answer, int headerLength, Read<T> read)
        where T : class
    {
        Span<byte> header = stackalloc byte[headerLength];
        Span<byte> room = stackalloc byte[Room];
        List<T> found = [];
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            found.Clear();
            bool interrupted = false;
            NetlinkRequest request = new(room, ask, NetlinkFlags.Request | NetlinkFlags.Dump, header);
            Errno error = Ask(request.Finish(++_sequence), message =>
            {
                interrupted |= ((NetlinkFlags)message.Flags & NetlinkFlags.Interrupted) != 0;
                if ((NetlinkType)message.Type == answer && read(message) is { } one)
                    found.Add(one);
                return true;
            });
            if (error != Errno.None)
                throw new KernelException($"netlink dump {ask}", error);
            if (!interrupted)
                break;
        }

        return found;
    }

    private int MakeSome(NetworkChanges changes, int first, int count)
    {
        uint sequence = _sequence + 1;
        _sequence += (uint)count;
        _socket.Send(changes.Messages(first, count, sequence));
        int failed = 0;
        for (int answered = 0; answered < count;)
        {
            ReadOnlySpan<byte> datagram = _socket.TryReceive(out Errno error);
            if (datagram.IsEmpty)
                throw new KernelException("recvfrom(AF_NETLINK)", error == Errno.None ? Errno.TimedOut : error);
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
            {
                uint index = message.Sequence - sequence;
                if ((NetlinkType)message.Type != NetlinkType.Error || index >= count || message.Body.Length < sizeof(int))
                    continue;
                Errno why = (Errno)(-MemoryMarshal.Read<int>(message.Body));
                changes.Answered(first + (int)index, why);
                failed += why == Errno.None ? 0 : 1;
                answered++;
            }
        }

        return failed;
    }

    // A dumped message sent back as a removal names exactly what it told of.
    private int RemoveAll(NetlinkType ask, NetlinkType answer, NetlinkType remove, Heard isMeant)
    {
        List<byte[]> found = Dump(ask, answer, 12, message => isMeant(message) ? message.Bytes.ToArray() : null);
        foreach (byte[] message in found)
        {
            MemoryMarshal.Write(message.AsSpan(4), (ushort)remove);
            MemoryMarshal.Write(message.AsSpan(6), (ushort)(NetlinkFlags.Request | NetlinkFlags.Acknowledge));
            MemoryMarshal.Write(message.AsSpan(8), ++_sequence);
            Ask(message, _ => true);
        }

        return found.Count;
    }

    private delegate bool Heard(NetlinkMessage message);

    /// <summary>Sends a request and hands on its answers, until the last.</summary>
    /// <param name="heard">Returns whether more is to come; an acknowledgement or the end of a dump ends it anyway.</param>
    private Errno Ask(ReadOnlySpan<byte> request, Heard heard)
    {
        _socket.Send(request);
        while (true)
        {
            ReadOnlySpan<byte> datagram = _socket.Receive(Patience, out Errno error);
            if (datagram.IsEmpty)
                throw new KernelException("recvfrom(AF_NETLINK)", error == Errno.None ? Errno.TimedOut : error);
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
            {
                if (message.Sequence != _sequence)
                    continue;
                if ((NetlinkType)message.Type is NetlinkType.Error or NetlinkType.Done)
                    return message.Body.Length >= sizeof(int) ? (Errno)(-MemoryMarshal.Read<int>(message.Body)) : Errno.None;
                if (!heard(message))
                    return Errno.None;
            }
        }
    }
}
