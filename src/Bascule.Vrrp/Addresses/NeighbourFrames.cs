using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Addresses;

/// <summary>The Ethernet frames by which neighbours learn, and are asked, who has an address: ARP (RFC 826) and neighbour discovery (RFC 4861).</summary>
internal static class NeighbourFrames
{
    public const byte NeighbourSolicitation = 135, NeighbourAdvertisement = 136;

    private const int EthernetHeader = 14, Ipv6Header = 40;
    private const byte Icmpv6 = 58;
    private static ReadOnlySpan<byte> Everybody => [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

    /// <summary>An announcement: sender and target are the address. RFC 5227 §3 says why the request, and that some only listen to the reply.</summary>
    /// <remarks>Linux takes a reply for gratuitous, and at once, only if its target MAC is the sender's.</remarks>
    /// <code>
    /// | Ethernet 14 | hardware 2 | protocol 2 | lengths 2 | operation 2 | sender MAC 6 | sender 4 | target MAC 6 | target 4 |
    /// </code>
    public static byte[] GratuitousArp(PhysicalAddress mac, IPAddress address, bool asReply) =>
        Arp(mac, operation: asReply ? (byte)2 : (byte)1, address.GetAddressBytes(), asReply ? mac.GetAddressBytes() : new byte[6], address.GetAddressBytes());

    /// <summary>Asks who has an address without saying that we do. RFC 5227 §2.1.1.</summary>
    public static byte[] ArpProbe(PhysicalAddress mac, IPAddress address) =>
        Arp(mac, operation: 1, [0, 0, 0, 0], [0, 0, 0, 0, 0, 0], address.GetAddressBytes());

    /// <summary>An unsolicited Neighbor Advertisement to all nodes that overrides what they know. RFC 4861 §7.2.6.</summary>
    /// <param name="isRouter">
    /// Whether this machine forwards: as the kernel says in its own answers, since who unlearns that we are a router forgets the routes through us.
    /// </param>
    public static byte[] UnsolicitedNeighbourAdvertisement(PhysicalAddress mac, IPAddress address, bool isRouter)
    {
        const byte Router = 0x80, Override = 0x20, TargetLinkLayerAddress = 2;
        byte[] allNodes = IPAddress.Parse("ff02::1").GetAddressBytes();
        return Discovery(mac, address.GetAddressBytes(), allNodes, NeighbourAdvertisement, isRouter ? (byte)(Router | Override) : Override,
            address.GetAddressBytes(), [TargetLinkLayerAddress, 1, .. mac.GetAddressBytes()]);
    }

    /// <summary>Asks who has an address without saying who asks, as for duplicate address detection. RFC 4862 §5.4.2.</summary>
    public static byte[] NeighbourProbe(PhysicalAddress mac, IPAddress address)
    {
        byte[] target = address.GetAddressBytes();
        byte[] solicitedNode = IPAddress.Parse("ff02::1:ff00:0").GetAddressBytes();
        target.AsSpan(13).CopyTo(solicitedNode.AsSpan(13)); // RFC 4291 §2.7.1
        return Discovery(mac, new byte[16], solicitedNode, NeighbourSolicitation, flags: 0, target, []);
    }

    private static byte[] Arp(PhysicalAddress mac, byte operation, ReadOnlySpan<byte> sender, ReadOnlySpan<byte> targetMac, ReadOnlySpan<byte> target)
    {
        byte[] own = mac.GetAddressBytes();
        return [.. Everybody, .. own, PacketSocket.Arp >> 8, PacketSocket.Arp & 0xFF, 0, 1, 8, 0, 6, 4, 0, operation, .. own, .. sender, .. targetMac, .. target];
    }

    // | Ethernet 14 | IPv6 40 | type 1 | code 1 | checksum 2 | flags 4 | target 16 | options |
    private static byte[] Discovery(PhysicalAddress mac, ReadOnlySpan<byte> source, byte[] group, byte type, byte flags, ReadOnlySpan<byte> target, ReadOnlySpan<byte> options)
    {
        const byte HopLimit = 255; // RFC 4861 §7.1: proof that no router passed it on
        byte length = (byte)(24 + options.Length);
        byte[] frame =
        [
            0x33, 0x33, .. group.AsSpan(12), .. mac.GetAddressBytes(), PacketSocket.Ipv6 >> 8, PacketSocket.Ipv6 & 0xFF,
            0x60, 0, 0, 0, 0, length, Icmpv6, HopLimit, .. source, .. group,
            type, 0, 0, 0, flags, 0, 0, 0, .. target, .. options,
        ];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetHeader + Ipv6Header + 2), Checksum(frame.AsSpan(EthernetHeader)));
        return frame;
    }

    // RFC 4443 §2.3: over the pseudo-header and the message.
    private static ushort Checksum(ReadOnlySpan<byte> packet)
    {
        uint sum = Icmpv6 + (uint)(packet.Length - Ipv6Header);
        for (int i = 8; i < packet.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        while (sum >> 16 != 0)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
