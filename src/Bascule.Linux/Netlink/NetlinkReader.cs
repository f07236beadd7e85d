using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using System.Text;

namespace Bascule.Linux.Netlink;

/// <summary>Messages of rtnetlink(7) into facts. No bytes throw; those that make no sense give null.</summary>
internal static class NetlinkReader
{
    public const byte FamilyIpv4 = 2, FamilyIpv6 = 10;

    private const int LinkHeader = 16, AddressHeader = 8, RouteHeader = 12, NeighbourHeader = 12;
    private const uint FlagUp = 1, FlagLoopback = 8, FlagLowerUp = 0x10000;

    public static NetworkEvent? Change(NetlinkMessage message)
    {
        NetlinkType type = (NetlinkType)message.Type;
        bool isGone = type is NetlinkType.RemoveLink or NetlinkType.RemoveAddress or NetlinkType.RemoveRoute or NetlinkType.RemoveNeighbour;
        NetworkEvent change = new() { IsGone = isGone };
        switch (type)
        {
            case NetlinkType.NewLink or NetlinkType.RemoveLink:
                return Link(message) is { } link ? change with { Link = link } : null;
            case NetlinkType.NewAddress or NetlinkType.RemoveAddress:
                return Address(message) is { } address ? change with { Address = address } : null;
            case NetlinkType.NewNeighbour or NetlinkType.RemoveNeighbour:
                return Neighbour(message) is { } neighbour ? change with { Neighbour = neighbour } : null;
            case NetlinkType.NewRoute or NetlinkType.RemoveRoute:
                return change with { IsRoute = true };
            default:
                return null;
        }
    }

    public static NetworkLink? Link(NetlinkMessage message)
    {
        const int Name = 3, Mac = 1, Mtu = 4, Parent = 5, Master = 10, Alias = 20; // IFLA_…
        ReadOnlySpan<byte> body = message.Body;
        if (body.Length < LinkHeader)
            return null;
        int index = MemoryMarshal.Read<int>(body[4..]);
        uint flags = MemoryMarshal.Read<uint>(body[8..]);
        NetworkLink link = new(index, "", PhysicalAddress.None, 0, (flags & FlagUp) != 0, (flags & FlagLowerUp) != 0, (flags & FlagLoopback) != 0, 0);
        foreach (NetlinkAttributes attribute in new NetlinkAttributes(body[LinkHeader..]))
        {
            link = attribute.Type switch
            {
                Name => link with { Name = Text(attribute.Value) },
                Mac => link with { Mac = new(attribute.Value.ToArray()) },
                Mtu => link with { Mtu = (int)Math.Min(attribute.Number, int.MaxValue) },
                Master => link with { Master = (int)attribute.Number },
                Parent => link with { Parent = (int)attribute.Number },
                Alias => link with { Alias = Text(attribute.Value) },
                _ => link,
            };
        }

        return index > 0 && link.Name.Length > 0 ? link : null;
    }

    public static NetworkAddress? Address(NetlinkMessage message)
    {
        const int Peer = 1, Local = 2; // IFA_…: on a point-to-point link the first is the other end
        ReadOnlySpan<byte> body = message.Body;
        if (body.Length < AddressHeader)
            return null;
        IPAddress? local = null, peer = null;
        foreach (NetlinkAttributes attribute in new NetlinkAttributes(body[AddressHeader..]))
        {
            if (attribute.Type == Local)
                local = attribute.Address;
            else if (attribute.Type == Peer)
                peer = attribute.Address;
        }

        IPAddress? address = local ?? peer;
        int index = MemoryMarshal.Read<int>(body[4..]);
        return address is null || index <= 0 ? null : new(index, address, body[1]);
    }

    /// <summary>Who put an address there, IFA_PROTO; 0: not said. Allocates nothing.</summary>
    public static byte ProtocolOf(NetlinkMessage message)
    {
        const int Protocol = 11; // IFA_PROTO
        foreach (NetlinkAttributes attribute in new NetlinkAttributes(message.Body.Length > AddressHeader ? message.Body[AddressHeader..] : []))
        {
            if (attribute.Type == Protocol && attribute.Value.Length == 1)
                return attribute.Value[0];
        }

        return 0;
    }

    public static AssignedAddress? AssignedAddress(NetlinkMessage message)
    {
        const int Label = 3, Lifetimes = 6, FlagBits = 8; // IFA_…
        const uint NoNetworkRoute = 0x200; // IFA_F_NOPREFIXROUTE
        if (Address(message) is not { } address)
            return null;
        AssignedAddress assigned = new(address, ProtocolOf(message), null, null, true);
        foreach (NetlinkAttributes attribute in new NetlinkAttributes(message.Body[AddressHeader..]))
        {
            assigned = attribute.Type switch
            {
                Label => assigned with { Label = Text(attribute.Value) },
                Lifetimes when attribute.Value.Length >= 2 * sizeof(uint) => assigned with { Valid = Lifetime(MemoryMarshal.Read<uint>(attribute.Value[4..])) },
                FlagBits => assigned with { HasNetworkRoute = (attribute.Number & NoNetworkRoute) == 0 },
                _ => assigned,
            };
        }

        return assigned;
    }

    public static NetworkRoute? Route(NetlinkMessage message)
    {
        const int Interface = 4, Gateway = 5, Source = 7, Metrics = 8, Via = 18; // RTA_…
        ReadOnlySpan<byte> body = message.Body;
        if (body.Length < RouteHeader)
            return null;
        RouteKind kind = Enum.IsDefined((RouteKind)body[7]) ? (RouteKind)body[7] : RouteKind.Other;
        NetworkRoute route = new(kind, 0, null, null, 0);
        foreach (NetlinkAttributes attribute in new NetlinkAttributes(body[RouteHeader..]))
        {
            route = attribute.Type switch
            {
                Interface => route with { InterfaceIndex = (int)attribute.Number },
                Gateway => route with { Gateway = attribute.Address },
                Source => route with { Source = attribute.Address },
                Metrics => route with { Mtu = MtuOf(attribute.Value) },
                Via when attribute.Value.Length is 2 + 4 or 2 + 16 => route with { Gateway = new(attribute.Value[2..]) },
                _ => route,
            };
        }

        return route;
    }

    public static Neighbour? Neighbour(NetlinkMessage message)
    {
        const int Destination = 1, Mac = 2; // NDA_…
        ReadOnlySpan<byte> body = message.Body;
        if (body.Length < NeighbourHeader || body[0] is not (FamilyIpv4 or FamilyIpv6))
            return null;
        IPAddress? address = null;
        PhysicalAddress? mac = null;
        foreach (NetlinkAttributes attribute in new NetlinkAttributes(body[NeighbourHeader..]))
        {
            if (attribute.Type == Destination)
                address = attribute.Address;
            else if (attribute.Type == Mac && attribute.Value.Length == 6)
                mac = new(attribute.Value.ToArray());
        }

        int index = MemoryMarshal.Read<int>(body[4..]);
        return address is null || index <= 0 ? null : new(index, address, mac, (NeighbourState)MemoryMarshal.Read<ushort>(body[8..]));
    }

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));

    private static TimeSpan? Lifetime(uint seconds) => seconds == uint.MaxValue ? null : TimeSpan.FromSeconds(seconds);

    private static int MtuOf(ReadOnlySpan<byte> metrics)
    {
        const int Mtu = 2; // RTAX_MTU
        foreach (NetlinkAttributes metric in new NetlinkAttributes(metrics))
        {
            if (metric.Type == Mtu)
                return (int)Math.Min(metric.Number, int.MaxValue);
        }

        return 0;
    }
}
