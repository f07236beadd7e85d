using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using Bascule.Linux.Netlink;

namespace Bascule.Linux.Tests.Netlink;

/// <summary>Bytes of the kernel into facts; bytes of nobody into nothing.</summary>
public sealed class NetlinkReaderTests
{
    private static readonly byte[] Mac = [2, 0, 0, 0, 0, 17];

    [Fact]
    public void Reads_a_neighbour()
    {
        Neighbour? neighbour = Neighbour([.. NeighbourBody, .. Attribute(1, [10, 0, 0, 11]), .. Attribute(2, Mac)]);

        Assert.Equal(new(7, IPAddress.Parse("10.0.0.11"), new PhysicalAddress(Mac), NeighbourState.Reachable), neighbour);
        Assert.True(neighbour!.IsUsable);
    }

    [Fact]
    public void A_neighbour_without_a_mac_cannot_be_used() =>
        Assert.False(Neighbour([.. NeighbourBody, .. Attribute(1, [10, 0, 0, 11])])!.IsUsable);

    [Fact]
    public void Reads_a_route_whose_gateway_is_of_the_other_family()
    {
        byte[] gateway = IPAddress.Parse("fe80::1").GetAddressBytes();
        byte[] body = [2, 32, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0, .. Attribute(4, [9, 0, 0, 0]), .. Attribute(18, [10, 0, .. gateway]), .. Attribute(8, Attribute(2, [0, 5, 0, 0]))];

        NetworkRoute? route = Read(NetlinkType.NewRoute, body, NetlinkReader.Route);

        Assert.Equal(new(RouteKind.Unicast, 9, IPAddress.Parse("fe80::1"), null, 1280), route);
    }

    [Theory]
    [InlineData(3)] // shorter than its own header
    [InlineData(0)]
    [InlineData(200)] // longer than what is there
    public void An_attribute_of_an_impossible_length_ends_the_message(byte length)
    {
        byte[] attribute = Attribute(2, Mac);
        attribute[0] = length;

        Assert.Null(Neighbour([.. NeighbourBody, .. Attribute(1, [10, 0, 0, 11]), .. attribute])!.Mac);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(4096)]
    public void A_message_of_an_impossible_length_is_none(int length)
    {
        byte[] message = Message(NetlinkType.NewNeighbour, NeighbourBody);
        MemoryMarshal.Write(message, length);
        ReadOnlySpan<byte> datagram = message;

        Assert.False(NetlinkMessage.TryTake(ref datagram, out _));
    }

    [Fact]
    public void No_bytes_throw()
    {
        Random random = new(4711);
        byte[] neighbour = Message(NetlinkType.NewNeighbour, [.. NeighbourBody, .. Attribute(1, [10, 0, 0, 11]), .. Attribute(2, Mac)]);
        NetlinkType[] types = [NetlinkType.NewLink, NetlinkType.NewAddress, NetlinkType.NewRoute, NetlinkType.NewNeighbour, NetlinkType.RemoveLink];
        int read = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] mutant = [.. neighbour];
            MemoryMarshal.Write(mutant.AsSpan(4), (ushort)types[i % types.Length]);
            for (int change = random.Next(6); change > 0; change--)
                mutant[random.Next(NetlinkMessage.HeaderLength, mutant.Length)] = (byte)random.Next(256);
            ReadOnlySpan<byte> datagram = mutant.AsSpan(0, random.Next(mutant.Length + 1));
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
                read += NetlinkReader.Change(message) is null ? 0 : 1;
        }

        Assert.True(read > 0);
    }

    // struct ndmsg: IPv4, interface 7, reachable
    private static byte[] NeighbourBody => [2, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 1];

    private delegate T? Reader<T>(NetlinkMessage message);

    private static Neighbour? Neighbour(byte[] body) => Read(NetlinkType.NewNeighbour, body, NetlinkReader.Neighbour);

    private static T? Read<T>(NetlinkType type, byte[] body, Reader<T> reader)
    {
        ReadOnlySpan<byte> datagram = Message(type, body);
        return NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message) ? reader(message) : default;
    }

    private static byte[] Message(NetlinkType type, byte[] body)
    {
        byte[] message = [.. new byte[NetlinkMessage.HeaderLength], .. body];
        MemoryMarshal.Write(message, message.Length);
        MemoryMarshal.Write(message.AsSpan(4), (ushort)type);
        return message;
    }

    private static byte[] Attribute(ushort type, byte[] value)
    {
        byte[] attribute = new byte[NetlinkMessage.Aligned(4 + value.Length)];
        MemoryMarshal.Write(attribute, (ushort)(4 + value.Length));
        MemoryMarshal.Write(attribute.AsSpan(2), type);
        value.CopyTo(attribute, 4);
        return attribute;
    }
}
