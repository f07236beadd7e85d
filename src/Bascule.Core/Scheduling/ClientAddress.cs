using System.Buffers.Binary;
using System.Net;

namespace Bascule.Core.Scheduling;

/// <summary>Where a connection comes from, and where it was sent to, in a form that costs nothing to pass around.</summary>
/// <param name="High">First 64 bits of an IPv6 source address in network order; 0 for IPv4.</param>
/// <param name="Low">Last 64 bits of an IPv6 source address; for IPv4 the 32-bit address.</param>
/// <param name="Port">Source port.</param>
/// <param name="IsIpv4">Which family; the destination's is the same.</param>
public readonly record struct ClientAddress(ulong High, ulong Low, ushort Port, bool IsIpv4)
{
    /// <summary>As <see cref="High"/>, of the address the client asked for. Only <c>dh</c>, <c>lblc</c> and <c>lblcr</c> look at it.</summary>
    public ulong DestinationHigh { get; init; }

    /// <summary>As <see cref="Low"/>, of the address the client asked for.</summary>
    public ulong DestinationLow { get; init; }

    /// <summary>Hash of the part of the request that <c>hash</c> goes by (<see cref="RequestHash.ContentOf"/>); 0: none, or the request lacks it.</summary>
    public ulong Content { get; init; }

    /// <summary>The same client, asking for that address.</summary>
    public ClientAddress To(in ClientAddress destination) => this with { DestinationHigh = destination.High, DestinationLow = destination.Low };

    /// <summary>An address and port as if a client had it.</summary>
    public static ClientAddress Of(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.TryWriteBytes(bytes, out int length);
        return Of(bytes[..length], (ushort)endPoint.Port);
    }

    /// <summary>From the four bytes of an IPv4 address or the sixteen of an IPv6 address, in network order.</summary>
    public static ClientAddress Of(ReadOnlySpan<byte> address, ushort port) => address.Length == 4
        ? new(0, BinaryPrimitives.ReadUInt32BigEndian(address), port, IsIpv4: true)
        : new(BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), port, IsIpv4: false);

    /// <summary>The address, for sentences.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        return new(bytes[..WriteTo(bytes)]);
    }

    /// <summary>Writes its four or sixteen bytes, in network order.</summary>
    /// <returns>How many.</returns>
    public int WriteTo(Span<byte> output)
    {
        if (IsIpv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(output, (uint)Low);
            return 4;
        }

        BinaryPrimitives.WriteUInt64BigEndian(output, High);
        BinaryPrimitives.WriteUInt64BigEndian(output[8..], Low);
        return 16;
    }
}
