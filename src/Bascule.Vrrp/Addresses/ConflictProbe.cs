using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Addresses;

/// <summary>Somebody who has one of our addresses too.</summary>
internal sealed record ForeignHolder(IPAddress Address, PhysicalAddress Mac, TimeSpan LastHeard);

/// <summary>What to do about foreign holders.</summary>
[Flags]
internal enum ConflictNews
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>There is one more, or one less: <see cref="ConflictProbe.Holders"/>.</summary>
    Changed = 1,

    /// <summary>Announce again: the other one has just drawn somebody to itself.</summary>
    Defend = 2,
}

/// <summary>
/// Looks whether somebody else has our addresses while we are Active: asks in ARP (RFC 5227 §2.1.1) and neighbour discovery (RFC 4862 §5.4.2), and
/// listens to what others say of themselves. What our own interfaces say is never a conflict, nor is the virtual MAC, which the other
/// directors have as well. Times are those since the machine's start. One thread; allocates only when it hears of somebody.
/// </summary>
internal sealed class ConflictProbe : IDisposable
{
    /// <summary>DEFEND_INTERVAL: at most one announcement in so long. RFC 5227 §1.1 and §2.4 (c): we never give an address up for somebody who does not speak VRRP.</summary>
    public static readonly TimeSpan DefendInterval = TimeSpan.FromSeconds(10);

    private const int ForgottenAfter = 3; // probes without an answer
    private static readonly TimeSpan FirstProbe = TimeSpan.FromSeconds(1);

    private readonly HaInstance _instance;
    private readonly AddressKeeper _keeper;
    private readonly PacketSocket _socket = new();
    private readonly List<PacketSocket> _ears = [];
    private readonly byte[] _frame = new byte[256];
    private readonly List<ForeignHolder> _holders = [];
    private IReadOnlyList<AddressPlace> _places = [];
    private (int Cable, byte[] Frame)[] _probes = [];
    private ulong[] _ownMacs = [];
    private TimeSpan _defended = TimeSpan.MinValue;

    /// <summary>Opens its ears.</summary>
    /// <exception cref="KernelException">EPERM without CAP_NET_RAW.</exception>
    public ConflictProbe(HaInstance instance, AddressKeeper keeper)
    {
        (_instance, _keeper) = (instance, keeper);
        IPAddress[] addresses = [.. instance.Addresses.Select(address => address.Address).Distinct()];
        IPAddress[] ipv4 = [.. addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork)];
        IPAddress[] ipv6 = [.. addresses.Where(address => address.AddressFamily == AddressFamily.InterNetworkV6)];
        if (ipv4.Length > 0)
            _ears.Add(new(PacketSocket.Arp, HeardFrames.ArpFilter(ipv4)));
        if (ipv6.Length > 0)
            _ears.Add(new(PacketSocket.Ipv6, HeardFrames.DiscoveryFilter(ipv6)));
    }

    /// <summary>Readable when <see cref="Hear"/> has something to hear.</summary>
    public IEnumerable<int> Descriptors => _ears.Select(ear => ear.Descriptor);

    /// <summary>When <see cref="Tick"/> must be called; <see cref="TimeSpan.MaxValue"/>: not at all.</summary>
    public TimeSpan Due { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Those who have our addresses, as far as we heard lately.</summary>
    public IReadOnlyList<ForeignHolder> Holders => _holders;

    /// <summary>The addresses have been taken.</summary>
    /// <param name="links">The interfaces of this machine, whose MACs are ours.</param>
    public void Begin(TimeSpan now, IReadOnlyList<NetworkLink> links)
    {
        _ownMacs = [.. links.Select(link => Number(link.Mac.GetAddressBytes())), .. _keeper.Places.Where(place => place.Mac is not null).Select(place => Number(place.Mac!.GetAddressBytes()))];
        if (_instance.ConflictProbe > TimeSpan.Zero)
            Due = now + (_instance.ConflictProbe < FirstProbe ? _instance.ConflictProbe : FirstProbe);
    }

    /// <summary>The addresses have been dropped: whoever has them is right.</summary>
    public void Stop()
    {
        Due = TimeSpan.MaxValue;
        _holders.Clear();
    }

    /// <summary>Asks when it is time to, and forgets who has not answered for long.</summary>
    public ConflictNews Tick(TimeSpan now)
    {
        if (now < Due)
            return ConflictNews.None;
        Due = now + _instance.ConflictProbe;
        Build();
        foreach ((int cable, byte[] frame) in _probes)
            _socket.Send(cable, frame);
        return _holders.RemoveAll(holder => now - holder.LastHeard > ForgottenAfter * _instance.ConflictProbe) > 0 ? ConflictNews.Changed : ConflictNews.None;
    }

    /// <summary>Takes up all that was heard. To be called while Backup too, so that nothing waits.</summary>
    public ConflictNews Hear(TimeSpan now)
    {
        ConflictNews news = ConflictNews.None;
        foreach (PacketSocket ear in _ears)
        {
            for (int length; (length = ear.Receive(_frame, out int link)) > 0;)
            {
                if (Due != TimeSpan.MaxValue && HeardFrames.TryRead(_frame.AsSpan(0, length), out ReadOnlySpan<byte> address, out ReadOnlySpan<byte> mac))
                    news |= Note(link, address, mac, now);
            }
        }

        return news;
    }

    /// <summary>Closes the sockets.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        foreach (PacketSocket ear in _ears)
            ear.Dispose();
    }

    private static ulong Number(ReadOnlySpan<byte> mac)
    {
        ulong number = 0;
        foreach (byte each in mac)
            number = (number << 8) | each;
        return number;
    }

    private ConflictNews Note(int link, ReadOnlySpan<byte> address, ReadOnlySpan<byte> mac, TimeSpan now)
    {
        if (_ownMacs.AsSpan().Contains(Number(mac)) || Find(link, address) is not { } ours)
            return ConflictNews.None;
        ForeignHolder holder = new(ours.Address.Address, new(mac.ToArray()), now);
        int known = _holders.FindIndex(other => other.Address.Equals(holder.Address) && other.Mac.Equals(holder.Mac));
        ConflictNews news = known < 0 ? ConflictNews.Changed : ConflictNews.None;
        if (known < 0)
            _holders.Add(holder);
        else
            _holders[known] = holder;
        if (_defended != TimeSpan.MinValue && now - _defended < DefendInterval)
            return news;
        _defended = now;
        return news | ConflictNews.Defend;
    }

    private AddressPlace? Find(int link, ReadOnlySpan<byte> address)
    {
        Span<byte> bytes = stackalloc byte[16];
        foreach (AddressPlace place in _keeper.Places)
        {
            if ((place.Cable == link || place.Holder == link) && place.Address.Address.TryWriteBytes(bytes, out int length) && address.SequenceEqual(bytes[..length]))
                return place;
        }

        return null;
    }

    private void Build()
    {
        if (ReferenceEquals(_places, _keeper.Places))
            return;
        _places = _keeper.Places;
        _probes = [.. _places.Where(place => place.Mac is not null).Select(place => (place.Cable,
            place.Address.Address.AddressFamily == AddressFamily.InterNetwork
                ? NeighbourFrames.ArpProbe(place.Mac!, place.Address.Address)
                : NeighbourFrames.NeighbourProbe(place.Mac!, place.Address.Address)))];
    }
}
