using System.Buffers.Binary;
using System.Net;
using System.Text;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Sessions;

/// <summary>A client of a virtual server as a peer is told of him.</summary>
/// <remarks>
/// <code>
/// length 1 | virtual server's name, UTF-8
/// 4 or 6   | client: 4 or 16 bytes
/// 4 or 6   | real server: 4 or 16 bytes | port 2
/// age 4, milliseconds
/// </code>
/// </remarks>
internal static class SessionEntry
{
    /// <summary>Bytes.</summary>
    public const int Longest = 1 + byte.MaxValue + 17 + 19 + 4;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: false);

    /// <summary>Writes it.</summary>
    /// <param name="entry">Has room for the longest.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(string virtualServer, in SessionFact fact, Span<byte> entry)
    {
        int at = 1 + Strict.GetBytes(virtualServer, entry[1..]);
        entry[0] = (byte)(at - 1);
        entry[at++] = (byte)(fact.Key.IsIpv4 ? 4 : 6);
        if (fact.Key.IsIpv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(entry[at..], (uint)fact.Key.Low);
            at += 4;
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(entry[at..], fact.Key.High);
            BinaryPrimitives.WriteUInt64BigEndian(entry[(at + 8)..], fact.Key.Low);
            at += 16;
        }

        fact.RealServer.Address.TryWriteBytes(entry[(at + 1)..], out int length);
        entry[at] = (byte)(length == 4 ? 4 : 6);
        at += 1 + length;
        BinaryPrimitives.WriteUInt16BigEndian(entry[at..], (ushort)fact.RealServer.Port);
        BinaryPrimitives.WriteUInt32BigEndian(entry[(at + 2)..], (uint)long.Min(fact.Age / TimeSpan.TicksPerMillisecond, uint.MaxValue));
        return at + 6;
    }

    /// <summary>Reads it, whatever the bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> entry, out string virtualServer, out SessionFact fact)
    {
        (virtualServer, fact) = ("", default);
        if (entry.IsEmpty || entry.Length < 1 + entry[0])
            return false;
        virtualServer = Strict.GetString(entry.Slice(1, entry[0]));
        entry = entry[(1 + entry[0])..];
        if (!TryReadAddress(ref entry, out ReadOnlySpan<byte> client) || !TryReadAddress(ref entry, out ReadOnlySpan<byte> realServer) || entry.Length != 6)
            return false;
        AddressKey key = client.Length == 4
            ? new(0, BinaryPrimitives.ReadUInt32BigEndian(client), IsIpv4: true)
            : new(BinaryPrimitives.ReadUInt64BigEndian(client), BinaryPrimitives.ReadUInt64BigEndian(client[8..]), IsIpv4: false);
        IPEndPoint address = new(new IPAddress(realServer), BinaryPrimitives.ReadUInt16BigEndian(entry));
        fact = new(key, address, BinaryPrimitives.ReadUInt32BigEndian(entry[2..]) * TimeSpan.TicksPerMillisecond);
        return true;
    }

    private static bool TryReadAddress(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> address)
    {
        int length = rest.IsEmpty ? 0 : rest[0] switch { 4 => 4, 6 => 16, _ => 0 };
        address = default;
        if (length == 0 || rest.Length < 1 + length)
            return false;
        address = rest.Slice(1, length);
        rest = rest[(1 + length)..];
        return true;
    }
}
