using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Netlink;

/// <summary>
/// Changes to addresses, routes, rules and interfaces: written once, and then made by <see cref="Network.Make"/> as often as wished,
/// which allocates nothing. One thread. rtnetlink(7).
/// </summary>
public sealed class NetworkChanges
{
    private const int Room = 512;
    private const NetlinkFlags Ask = NetlinkFlags.Request | NetlinkFlags.Acknowledge;

    private readonly List<byte> _bytes = [];
    private readonly List<int> _ends = [];
    private readonly List<string> _names = [];
    private readonly List<Errno> _errors = [];

    /// <summary>How many changes.</summary>
    public int Count => _ends.Count;

    /// <summary>What the kernel said to a change when it was made last.</summary>
    public Errno Error(int index) => _errors[index];

    /// <summary>What a change is called in sentences.</summary>
    public string Name(int index) => _names[index];

    /// <summary>Why a change was not made, in words.</summary>
    public string Reason(int index) => Libc.Describe(_errors[index]);

    /// <summary>Puts an address on an interface; where it is already, its lease begins anew.</summary>
    /// <param name="name">What sentences call it.</param>
    /// <param name="address">Where and what.</param>
    /// <param name="protocol">Who adds it, IFA_PROTO: kept by Linux 5.18 and newer.</param>
    /// <param name="lease">After so long the kernel takes it off; whole seconds, at least 1. Null: never.</param>
    /// <param name="label">IPv4 alone, up to 15 bytes; null: the interface's name.</param>
    /// <param name="withNetworkRoute">Whether the kernel also makes the route to its network.</param>
    public void PutAddress(string name, NetworkAddress address, byte protocol, TimeSpan? lease, string? label = null, bool withNetworkRoute = true)
    {
        const ushort Label = 3, Lifetimes = 6, FlagBits = 8, Protocol = 11; // IFA_…
        const uint NoDuplicateDetection = 0x02, NoNetworkRoute = 0x200;     // IFA_F_…
        bool isIpv6 = address.Address.AddressFamily == AddressFamily.InterNetworkV6;
        // A virtual IPv6 address is usable at once, but is not what this machine's own connections come from (it is "deprecated").
        uint valid = lease is { } whole ? (uint)whole.TotalSeconds : uint.MaxValue;
        ReadOnlySpan<uint> lifetimes = [isIpv6 ? 0 : valid, valid, 0, 0];
        NetlinkRequest request = AddressRequest(NetlinkType.NewAddress, NetlinkFlags.Create | NetlinkFlags.Replace, address, stackalloc byte[Room])
            .With(FlagBits, (isIpv6 ? NoDuplicateDetection : 0) | (withNetworkRoute ? 0 : NoNetworkRoute))
            .With(Lifetimes, MemoryMarshal.AsBytes(lifetimes))
            .With(Protocol, [protocol]);
        Add(name, label is null ? request : request.With(Label, label));
    }

    /// <summary>Takes an address off an interface, whoever put it there.</summary>
    public void RemoveAddress(string name, NetworkAddress address) =>
        Add(name, AddressRequest(NetlinkType.RemoveAddress, NetlinkFlags.None, address, stackalloc byte[Room]));

    /// <summary>Adds a route. EEXIST where there is one with the same destination, table and metric, whoever added it.</summary>
    public void AddRoute(string name, RouteEntry route, byte protocol) =>
        Add(name, RouteRequest(NetlinkType.NewRoute, NetlinkFlags.Create | NetlinkFlags.Exclusive, route, protocol, stackalloc byte[Room]));

    /// <summary>Removes a route, if it is of this protocol.</summary>
    public void RemoveRoute(string name, RouteEntry route, byte protocol) =>
        Add(name, RouteRequest(NetlinkType.RemoveRoute, NetlinkFlags.None, route, protocol, stackalloc byte[Room]));

    /// <summary>Adds a rule. EEXIST where there is the same.</summary>
    public void AddRule(string name, RuleEntry rule, byte protocol) =>
        Add(name, RuleRequest(NetlinkType.NewRule, NetlinkFlags.Create | NetlinkFlags.Exclusive, rule, protocol, stackalloc byte[Room]));

    /// <summary>Removes a rule, if it is of this protocol.</summary>
    public void RemoveRule(string name, RuleEntry rule, byte protocol) =>
        Add(name, RuleRequest(NetlinkType.RemoveRule, NetlinkFlags.None, rule, protocol, stackalloc byte[Room]));

    /// <summary>Adds an interface with a MAC of its own on top of another; it is down. It hears others on the same parent (bridge mode).</summary>
    public void AddMacvlan(string name, string link, int parent, PhysicalAddress mac)
    {
        const ushort Mac = 1, Name = 3, Parent = 5, Info = 18, Kind = 1, Data = 2, Mode = 1; // IFLA_…
        const uint Bridge = 4; // MACVLAN_MODE_BRIDGE
        Add(name, LinkRequest(0, up: null, stackalloc byte[Room], NetlinkFlags.Create | NetlinkFlags.Exclusive)
            .With(Name, link).With(Parent, (uint)parent).With(Mac, mac.GetAddressBytes())
            .Begin(Info, out int info).With(Kind, "macvlan").Begin(Data, out int data).With(Mode, Bridge).End(data).End(info));
    }

    /// <summary>Notes something about an interface.</summary>
    public void SetAlias(string name, int link, string alias)
    {
        const ushort Alias = 20; // IFLA_IFALIAS
        Add(name, LinkRequest(link, up: null, stackalloc byte[Room]).With(Alias, alias));
    }

    /// <summary>Switches an interface on or off.</summary>
    public void SetUp(string name, int link, bool up) => Add(name, LinkRequest(link, up, stackalloc byte[Room]));

    /// <summary>Deletes an interface that was made.</summary>
    public void RemoveLink(string name, int link)
    {
        Span<byte> header = stackalloc byte[16];
        MemoryMarshal.Write(header[4..], link);
        Add(name, new NetlinkRequest(stackalloc byte[Room], NetlinkType.RemoveLink, Ask, header));
    }

    /// <summary>The messages of some changes, with the numbers that their answers will bear.</summary>
    internal ReadOnlySpan<byte> Messages(int first, int count, uint sequence)
    {
        int begin = first == 0 ? 0 : _ends[first - 1];
        Span<byte> all = CollectionsMarshal.AsSpan(_bytes)[begin.._ends[first + count - 1]];
        for (int i = first, at = 0; i < first + count; i++)
        {
            MemoryMarshal.Write(all[(at + 8)..], sequence++);
            at = _ends[i] - begin;
        }

        return all;
    }

    internal void Answered(int index, Errno error) => _errors[index] = error;

    private static NetlinkRequest AddressRequest(NetlinkType type, NetlinkFlags flags, NetworkAddress address, Span<byte> room)
    {
        const ushort Peer = 1, Local = 2; // IFA_…
        const byte ScopeLink = 253;
        byte[] bytes = address.Address.GetAddressBytes();
        Span<byte> header = stackalloc byte[8];
        header[0] = FamilyOf(address.Address);
        header[1] = (byte)address.PrefixLength;
        header[3] = bytes is [169, 254, _, _] ? ScopeLink : (byte)0; // RFC 3927; IPv6 scopes are in the address
        MemoryMarshal.Write(header[4..], address.InterfaceIndex);
        return new NetlinkRequest(room, type, Ask | flags, header).With(Local, bytes).With(Peer, bytes);
    }

    private static NetlinkRequest RouteRequest(NetlinkType type, NetlinkFlags flags, RouteEntry route, byte protocol, Span<byte> room)
    {
        const ushort Destination = 1, Interface = 4, Gateway = 5, Priority = 6, PreferredSource = 7, Table = 15, Via = 18; // RTA_…
        const byte ScopeUniverse = 0, ScopeLink = 253, ScopeHost = 254, ScopeAny = 255;
        Span<byte> header = stackalloc byte[12];
        header[0] = FamilyOf(route.Destination.BaseAddress);
        header[1] = (byte)route.Destination.PrefixLength;
        header[5] = protocol;
        header[6] = type == NetlinkType.RemoveRoute ? ScopeAny : route.IsLocal ? ScopeHost : route.Gateway is null && header[0] == NetlinkReader.FamilyIpv4 ? ScopeLink : ScopeUniverse;
        header[7] = (byte)(route.IsLocal ? RouteKind.Local : RouteKind.Unicast);
        NetlinkRequest request = new NetlinkRequest(room, type, Ask | flags, header)
            .With(Table, (uint)route.Table).With(Interface, (uint)route.InterfaceIndex);
        if (route.Destination.PrefixLength > 0)
            request = request.With(Destination, route.Destination.BaseAddress.GetAddressBytes());
        if (route.Gateway is { } gateway && gateway.AddressFamily == route.Destination.BaseAddress.AddressFamily)
            request = request.With(Gateway, gateway.GetAddressBytes());
        else if (route.Gateway is { } other)
            request = request.With(Via, (ReadOnlySpan<byte>)[FamilyOf(other), 0, .. other.GetAddressBytes()]);
        if (route.Metric != 0)
            request = request.With(Priority, (uint)route.Metric);
        return route.Source is { } source ? request.With(PreferredSource, source.GetAddressBytes()) : request;
    }

    private static NetlinkRequest RuleRequest(NetlinkType type, NetlinkFlags flags, RuleEntry rule, byte protocol, Span<byte> room)
    {
        const ushort Destination = 1, Source = 2, Priority = 6, Table = 15, Protocol = 21, IpProtocol = 22, SourcePorts = 23; // FRA_…
        const byte ToTable = 1; // FR_ACT_TO_TBL
        const byte Tcp = 6;
        Span<byte> header = stackalloc byte[12];
        header[0] = FamilyOf(rule.From.BaseAddress);
        header[1] = (byte)rule.To.PrefixLength;
        header[2] = (byte)rule.From.PrefixLength;
        header[7] = ToTable;
        NetlinkRequest request = new NetlinkRequest(room, type, Ask | flags, header)
            .With(Table, (uint)rule.Table).With(Priority, (uint)rule.Priority).With(Protocol, [protocol]);
        if (rule.FromPorts is { } ports)
        {
            ReadOnlySpan<ushort> range = [ports.First, ports.Last];
            request = request.With(IpProtocol, [Tcp]).With(SourcePorts, MemoryMarshal.AsBytes(range));
        }

        if (rule.To.PrefixLength > 0)
            request = request.With(Destination, rule.To.BaseAddress.GetAddressBytes());
        return rule.From.PrefixLength > 0 ? request.With(Source, rule.From.BaseAddress.GetAddressBytes()) : request;
    }

    private static NetlinkRequest LinkRequest(int link, bool? up, Span<byte> room, NetlinkFlags flags = NetlinkFlags.None)
    {
        const uint Up = 1; // IFF_UP
        Span<byte> header = stackalloc byte[16];
        MemoryMarshal.Write(header[4..], link);
        MemoryMarshal.Write(header[8..], up == true ? Up : 0);
        MemoryMarshal.Write(header[12..], up is null ? 0 : Up);
        return new(room, NetlinkType.NewLink, Ask | flags, header);
    }

    private static byte FamilyOf(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? NetlinkReader.FamilyIpv4 : NetlinkReader.FamilyIpv6;

    private void Add(string name, NetlinkRequest request)
    {
        _bytes.AddRange(request.Finish(sequence: 0));
        _ends.Add(_bytes.Count);
        _names.Add(name);
        _errors.Add(Errno.None);
    }
}
