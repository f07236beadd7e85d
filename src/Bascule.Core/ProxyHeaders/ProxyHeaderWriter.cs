using System.Buffers.Binary;
using System.Buffers.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.ProxyHeaders;

/// <summary>Writes headers of the PROXY protocol. Allocates nothing.</summary>
public static class ProxyHeaderWriter
{
    private static ReadOnlySpan<byte> SignatureAndVersion => "\r\n\r\n\0\r\nQUIT\n\x20"u8;

    /// <summary>Says that a client is connected to an address. Where the two are of different families, both are written as IPv6.</summary>
    /// <param name="output">At least <see cref="ProxyHeader.LongestWritten"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(ProxyProtocolVersion version, in ClientAddress client, in ClientAddress destination, Span<byte> output)
    {
        bool isIpv4 = client.IsIpv4 && destination.IsIpv4;
        ClientAddress source = isIpv4 ? client : Mapped(client);
        ClientAddress asked = isIpv4 ? destination : Mapped(destination);
        return version switch
        {
            ProxyProtocolVersion.V1 => WriteV1(source, asked, output),
            ProxyProtocolVersion.V2 => WriteV2(source, asked, output),
        };
    }

    /// <summary>Says that nobody's connection is passed on: the director itself asks.</summary>
    public static byte[] OfNobody(ProxyProtocolVersion version) => version switch
    {
        ProxyProtocolVersion.V1 => "PROXY UNKNOWN\r\n"u8.ToArray(),
        ProxyProtocolVersion.V2 => [.. SignatureAndVersion, 0, 0, 0], // LOCAL, AF_UNSPEC, nothing follows
    };

    private static int WriteV1(in ClientAddress source, in ClientAddress destination, Span<byte> output)
    {
        ReadOnlySpan<byte> beginning = source.IsIpv4 ? "PROXY TCP4 "u8 : "PROXY TCP6 "u8;
        beginning.CopyTo(output);
        int at = beginning.Length;
        at += AddressText.Write(source, output[at..]);
        output[at++] = (byte)' ';
        at += AddressText.Write(destination, output[at..]);
        output[at++] = (byte)' ';
        Utf8Formatter.TryFormat(source.Port, output[at..], out int digits);
        at += digits;
        output[at++] = (byte)' ';
        Utf8Formatter.TryFormat(destination.Port, output[at..], out digits);
        at += digits;
        "\r\n"u8.CopyTo(output[at..]);
        return at + 2;
    }

    private static int WriteV2(in ClientAddress source, in ClientAddress destination, Span<byte> output)
    {
        int size = source.IsIpv4 ? 4 : 16;
        int length = (2 * size) + 4;
        SignatureAndVersion.CopyTo(output);
        output[12] |= 1; // PROXY
        output[13] = (byte)(source.IsIpv4 ? 0x11 : 0x21); // over TCP
        BinaryPrimitives.WriteUInt16BigEndian(output[14..], (ushort)length);
        Span<byte> block = output[16..];
        source.WriteTo(block);
        destination.WriteTo(block[size..]);
        BinaryPrimitives.WriteUInt16BigEndian(block[(2 * size)..], source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(block[((2 * size) + 2)..], destination.Port);
        return 16 + length;
    }

    private static ClientAddress Mapped(in ClientAddress address) =>
        address.IsIpv4 ? new(0, (AddressText.MappedIpv4 << 32) | address.Low, address.Port, IsIpv4: false) : address;
}
