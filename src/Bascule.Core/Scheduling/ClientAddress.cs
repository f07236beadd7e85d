using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

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
        bool isIpv4 = endPoint.AddressFamily == AddressFamily.InterNetwork;
        endPoint.Address.TryWriteBytes(bytes, out _);
        return isIpv4
            ? new(0, BinaryPrimitives.ReadUInt32BigEndian(bytes), (ushort)endPoint.Port, IsIpv4: true)
            : new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), (ushort)endPoint.Port, IsIpv4: false);
    }
}
