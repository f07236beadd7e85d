using System.Net;
using System.Net.Sockets;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Replication;

/// <summary>
/// A client that persistence remembers, as one director tells it to the other.
/// <code>
/// | version | family of the client | followed: 0 or 1 | protocol | method | age, milliseconds |
/// | client under the mask, 4 or 16 bytes | virtual server: family, address, port | real server: family, address, port |
/// </code>
/// </summary>
/// <param name="Source">The client under the mask; an IPv4 address in the first four bytes.</param>
/// <param name="Family">4 or 6, of the client.</param>
/// <param name="IsFollowed">The sender only has it from the other director.</param>
/// <param name="Age">Milliseconds since its last flow.</param>
/// <param name="RealServer">Where it returns to.</param>
internal readonly record struct ClientEntry(Address Source, byte Family, bool IsFollowed, uint Age, RealServerKey RealServer)
{
    /// <summary>Bytes of an entry at most.</summary>
    public const int Longest = 80;

    private const byte Version = 1;

    /// <summary>Writes it.</summary>
    /// <returns>Its length.</returns>
    public int Write(Span<byte> room)
    {
        EntryWriter writer = new(room);
        writer.Bytes([Version, Family, (byte)(IsFollowed ? 1 : 0), RealServer.Service.Protocol, (byte)RealServer.Method]);
        writer.UInt32(Age);
        writer.Address(Source.ToAddress(Family == 4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6));
        writer.EndPoint(RealServer.Service.Address, RealServer.Service.Port);
        writer.EndPoint(RealServer.Address, RealServer.Port);
        return writer.Length;
    }

    /// <summary>Reads one.</summary>
    /// <returns>False when it is none.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ClientEntry entry)
    {
        entry = default;
        EntryReader reader = new(bytes);
        if (reader.Byte() != Version)
            return false;
        (byte family, byte followed, byte protocol) = (reader.Byte(), reader.Byte(), reader.Byte());
        Method method = (Method)reader.Byte();
        uint age = reader.UInt32();
        IPAddress source = reader.Address(family);
        (IPAddress service, ushort servicePort) = reader.EndPoint();
        (IPAddress realServer, ushort realPort) = reader.EndPoint();
        if (!reader.IsWhole || family is not (4 or 6) || followed > 1 || protocol is not (EntryForms.Tcp or EntryForms.Udp))
            return false;
        entry = new(Address.Of(source), family, followed == 1, age, new(new(service, servicePort, protocol), realServer, realPort, method));
        return true;
    }
}
