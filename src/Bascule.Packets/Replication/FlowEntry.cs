using System.Net;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Replication;

/// <summary>What is said about a flow beside its state. On the wire: this byte.</summary>
[Flags]
internal enum FlowMarks : byte
{
    None = 0,

    /// <summary>It is over.</summary>
    Ended = 1 << 0,

    /// <summary>Recorded because its slot was in transition, see bpf/table.h.</summary>
    Exception = 1 << 1,

    /// <summary>The sender has never seen a packet of it: it only has it from the other director.</summary>
    Followed = 1 << 2,

    /// <summary>Its virtual server takes every address.</summary>
    AnyAddress = 1 << 3,

    /// <summary>Its virtual server takes every port.</summary>
    AnyPort = 1 << 4,
}

/// <summary>
/// A flow as one director tells it to the other. Numbers of virtual and real servers differ between the two, so both are named by what makes them the
/// same: where clients connect, and how and where the real server is reached.
/// <code>
/// | version | family | protocol | state | marks | method |
/// | age, milliseconds                   | source port | destination port | source port of full NAT |
/// | MAC of the client's next hop on the virtual address's interface; 0: not known |
/// | source, 4 or 16 bytes | destination | real server: family, address, port |
/// </code>
/// </summary>
/// <param name="Client">The client's tuple; an IPv4 address in the first four bytes.</param>
/// <param name="Family">4 or 6.</param>
/// <param name="State">Where the connection stands.</param>
/// <param name="Marks">See there.</param>
/// <param name="Age">Milliseconds since its last packet.</param>
/// <param name="NatPort">Full NAT: the port taken; else 0.</param>
/// <param name="ClientMac">Where answers go when the routing table does not know.</param>
/// <param name="RealServer">Whose it is.</param>
internal readonly record struct FlowEntry(
    Tuple6 Client, byte Family, FlowState State, FlowMarks Marks, uint Age, ushort NatPort, Mac ClientMac, RealServerKey RealServer)
{
    /// <summary>Bytes of an entry at most.</summary>
    public const int Longest = 80;

    private const byte Version = 1;
    private const FlowMarks Known = FlowMarks.Ended | FlowMarks.Exception | FlowMarks.Followed | FlowMarks.AnyAddress | FlowMarks.AnyPort;

    /// <summary>Writes it.</summary>
    /// <returns>Its length.</returns>
    public int Write(Span<byte> room)
    {
        EntryWriter writer = new(room);
        writer.Bytes([Version, Family, Client.Protocol, (byte)State, (byte)Marks, (byte)RealServer.Method]);
        writer.UInt32(Age);
        writer.UInt16(Client.SourcePort.Value);
        writer.UInt16(Client.DestinationPort.Value);
        writer.UInt16(NatPort);
        writer.Bytes(ClientMac.ToBytes());
        writer.Address(AddressOf(Client.Source, Family));
        writer.Address(AddressOf(Client.Destination, Family));
        writer.EndPoint(RealServer.Address, RealServer.Port);
        return writer.Length;
    }

    /// <summary>Reads one.</summary>
    /// <returns>False when it is none.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out FlowEntry entry)
    {
        entry = default;
        EntryReader reader = new(bytes);
        if (reader.Byte() != Version)
            return false;
        byte family = reader.Byte(), protocol = reader.Byte();
        FlowState state = (FlowState)reader.Byte();
        FlowMarks marks = (FlowMarks)reader.Byte();
        Method method = (Method)reader.Byte();
        uint age = reader.UInt32();
        (ushort sourcePort, ushort destinationPort, ushort natPort) = (reader.UInt16(), reader.UInt16(), reader.UInt16());
        ReadOnlySpan<byte> mac = reader.Take(6);
        (IPAddress source, IPAddress destination) = (reader.Address(family), reader.Address(family));
        (IPAddress realServer, ushort realPort) = reader.EndPoint();
        if (!reader.IsWhole || family is not (4 or 6) || (marks & ~Known) != 0 || !CanBe(protocol, state))
            return false;

        Tuple6 client = new()
        {
            Source = Address.Of(source),
            Destination = Address.Of(destination),
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
            Protocol = protocol,
        };
        entry = new(client, family, state, marks, age, natPort, Mac.Of(mac), new(ServiceOf(client, family, marks), realServer, realPort, method));
        return true;
    }

    /// <summary>The marks that name a virtual server's address and port together with the tuple.</summary>
    public static FlowMarks MarksOf(ServiceKey service) =>
        (service.IsAnyAddress ? FlowMarks.AnyAddress : 0) | (service.Port == 0 ? FlowMarks.AnyPort : 0);

    private static bool CanBe(byte protocol, FlowState state) => protocol switch
    {
        EntryForms.Tcp => state <= FlowState.LastAck,
        EntryForms.Udp => state == FlowState.Udp,
        _ => false,
    };

    private static ServiceKey ServiceOf(Tuple6 client, byte family, FlowMarks marks)
    {
        IPAddress any = family == 4 ? IPAddress.Any : IPAddress.IPv6Any;
        return new(
            marks.HasFlag(FlowMarks.AnyAddress) ? any : AddressOf(client.Destination, family),
            marks.HasFlag(FlowMarks.AnyPort) ? 0 : client.DestinationPort.Value,
            client.Protocol);
    }

    private static IPAddress AddressOf(Address address, byte family) =>
        address.ToAddress(family == 4 ? System.Net.Sockets.AddressFamily.InterNetwork : System.Net.Sockets.AddressFamily.InterNetworkV6);
}
