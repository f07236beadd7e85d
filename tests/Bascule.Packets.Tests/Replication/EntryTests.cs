using System.Net;
using Bascule.Packets.Plan;
using Bascule.Packets.Replication;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Tests.Replication;

/// <summary>What directors tell each other of flows and clients, as bytes.</summary>
public sealed class EntryTests
{
    private static readonly Mac NextHop = Mac.Parse("02:00:00:00:00:07");

    public static TheoryData<string, string, int, string> Ends => new()
    {
        { "198.51.100.7", "192.0.2.10", 80, "10.0.0.11" },
        { "198.51.100.7", "192.0.2.10", 80, "fd00::11" }, // IPv4 in a tunnel of IPv6
        { "2001:db8:c::7", "2001:db8::10", 0, "fd00::11" },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public void A_flow_is_read_as_it_was_written(string client, string address, int servicePort, string realServer)
    {
        FlowEntry entry = Flow(client, address, servicePort, realServer);
        Span<byte> room = stackalloc byte[FlowEntry.Longest];

        Assert.True(FlowEntry.TryRead(room[..entry.Write(room)], out FlowEntry read));

        Assert.Equal(Describe(entry), Describe(read));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void A_client_is_read_as_it_was_written(string client, string address, int servicePort, string realServer)
    {
        ClientEntry entry = new(
            Address.Of(IPAddress.Parse(client)), FamilyOf(client), IsFollowed: true, Age: 123_456,
            new(new(IPAddress.Parse(address), servicePort, 17), IPAddress.Parse(realServer), 0, Method.Gue));
        Span<byte> room = stackalloc byte[ClientEntry.Longest];

        Assert.True(ClientEntry.TryRead(room[..entry.Write(room)], out ClientEntry read));

        Assert.Equal(entry, read);
    }

    [Fact]
    public void What_is_cut_short_or_has_something_after_it_is_no_entry()
    {
        byte[] room = new byte[FlowEntry.Longest + 1];
        int length = Flow("198.51.100.7", "192.0.2.10", 80, "10.0.0.11").Write(room);

        for (int i = 0; i < room.Length; i++)
            Assert.Equal(i == length, FlowEntry.TryRead(room.AsSpan(0, i), out _));
    }

    [Theory]
    [InlineData(0, 2)]    // version
    [InlineData(1, 5)]    // family
    [InlineData(2, 1)]    // protocol
    [InlineData(2, 17)]   // UDP, in a state of TCP
    [InlineData(3, 9)]    // TCP, in the state of UDP
    [InlineData(3, 200)]  // state
    [InlineData(4, 0x80)] // marks
    public void What_cannot_be_is_no_entry(int place, byte value)
    {
        byte[] room = new byte[FlowEntry.Longest];
        int length = Flow("198.51.100.7", "192.0.2.10", 80, "10.0.0.11").Write(room);
        room[place] = value;

        Assert.False(FlowEntry.TryRead(room.AsSpan(0, length), out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_comes_is_read_or_refused(int seed)
    {
        Random random = new(seed);
        byte[] room = new byte[FlowEntry.Longest];
        Span<byte> again = stackalloc byte[FlowEntry.Longest];
        int read = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int length = random.Next(room.Length + 1);
            random.NextBytes(room);
            if (i % 2 == 0)
            {
                length = Flow("2001:db8:c::7", "2001:db8::10", 443, "10.0.0.11").Write(room);
                room[random.Next(length)] = (byte)random.Next(256);
            }

            ClientEntry.TryRead(room.AsSpan(0, length), out _);
            if (!FlowEntry.TryRead(room.AsSpan(0, length), out FlowEntry entry))
                continue;
            read++;
            Assert.Equal(length, entry.Write(again));
            Assert.True(again[..length].SequenceEqual(room.AsSpan(0, length)));
        }

        Assert.InRange(read, 5000, 10_000);
    }

    private static FlowEntry Flow(string client, string address, int servicePort, string realServer)
    {
        ServiceKey service = new(IPAddress.Parse(address), servicePort, 6);
        return new(
            new()
            {
                Source = Address.Of(IPAddress.Parse(client)),
                Destination = Address.Of(IPAddress.Parse(address)),
                SourcePort = 4242,
                DestinationPort = servicePort == 0 ? (ushort)8080 : (ushort)servicePort,
                Protocol = 6,
            },
            FamilyOf(client), FlowState.CloseWait, FlowMarks.Followed | FlowEntry.MarksOf(service), Age: 123_456, NatPort: 40_000, NextHop,
            new(service, IPAddress.Parse(realServer), 8080, Method.Nat));
    }

    private static byte FamilyOf(string address) => EntryWriter.FamilyOf(IPAddress.Parse(address));

    // A tuple has bytes that only make up its size, and those do not compare.
    private static string Describe(FlowEntry entry) => $"{entry}";
}
