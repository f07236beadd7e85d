using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Addresses;

/// <summary>Frames in which somebody says that it has an address.</summary>
internal static class HeardFrames
{
    private const int SenderMac = 22, SenderAddress = 28, ArpLength = 42;
    private const int NextHeader = 20, Source = 22, DiscoveryType = 54, Target = 62, Options = 78;

    /// <summary>ARP whose sender has one of these.</summary>
    public static FilterInstruction[] ArpFilter(IPAddress[] addresses) =>
        [FilterInstruction.LoadWord(SenderAddress), .. AnyOf(addresses), FilterInstruction.Reject];

    /// <summary>Neighbor Advertisements and Solicitations about one of these, by its last four bytes.</summary>
    public static FilterInstruction[] DiscoveryFilter(IPAddress[] addresses) =>
    [
        FilterInstruction.LoadByte(NextHeader), FilterInstruction.SkipIfEqual((byte)ProtocolType.IcmpV6, 1), FilterInstruction.Reject,
        FilterInstruction.LoadByte(DiscoveryType),
        FilterInstruction.SkipIfEqual(NeighbourFrames.NeighbourAdvertisement, 2), FilterInstruction.SkipIfEqual(NeighbourFrames.NeighbourSolicitation, 1), FilterInstruction.Reject,
        FilterInstruction.LoadWord(Target + 12), .. AnyOf(addresses), FilterInstruction.Reject,
    ];

    /// <summary>Who says of which address that it has it. No input throws and none allocates.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> address, out ReadOnlySpan<byte> mac)
    {
        address = mac = default;
        if (frame.Length < ArpLength)
            return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == PacketSocket.Arp)
        {
            address = frame.Slice(SenderAddress, 4);
            mac = frame.Slice(SenderMac, 6);
            return true;
        }

        if (frame.Length < Options || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != PacketSocket.Ipv6)
            return false;
        // Who asks for it without an address of its own is about to take it; who asks from one wants to reach us.
        if (frame[DiscoveryType] == NeighbourFrames.NeighbourSolicitation && frame.Slice(Source, 16).ContainsAnyExcept((byte)0))
            return false;
        address = frame.Slice(Target, 16);
        mac = frame.Slice(6, 6);
        return true;
    }

    private static IEnumerable<FilterInstruction> AnyOf(IPAddress[] addresses) => addresses.SelectMany(address => (FilterInstruction[])
        [FilterInstruction.SkipUnlessEqual(BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes().AsSpan()[^4..]), 1), FilterInstruction.Accept]);
}
