using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Bascule.Linux.Sockets;

/// <summary>
/// A socket address in the kernel's own form, so that a connect or accept converts nothing. ip(7), ipv6(7).
/// <code>
/// IPv4: | family 2 | port, network order 2 | address 4 | zero 8 |
/// IPv6: | family 2 | port, network order 2 | flow 4 | address 16 | scope 4 |
/// </code>
/// </summary>
[InlineArray(Length)]
public struct NativeAddress
{
    internal const int Length = 28;

    private const int Ipv4Length = 16;
    private byte _first;

    /// <summary>Whether it is IPv4; otherwise it is IPv6.</summary>
    public readonly bool IsIpv4 => BitConverter.ToUInt16(this) == Libc.AddressFamilyInet;

    /// <summary>Port in host order.</summary>
    public readonly ushort Port => BinaryPrimitives.ReadUInt16BigEndian(this[2..]);

    /// <summary>The four bytes of an IPv4 address or the sixteen of an IPv6 address, in network order.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> AddressBytes => IsIpv4 ? ((ReadOnlySpan<byte>)this).Slice(4, 4) : ((ReadOnlySpan<byte>)this).Slice(8, 16);

    /// <summary>Of an IPv6 address, the interface that it is valid on; 0 for one that is valid on all.</summary>
    public readonly uint Scope => IsIpv4 ? 0 : BitConverter.ToUInt32(this[24..]);

    internal readonly int Family => IsIpv4 ? Libc.AddressFamilyInet : Libc.AddressFamilyInet6;

    internal readonly int Size => IsIpv4 ? Ipv4Length : Length;

    /// <summary>Converts.</summary>
    public static NativeAddress From(IPEndPoint endPoint)
    {
        NativeAddress native = default;
        Span<byte> bytes = native;
        bool ipv4 = endPoint.AddressFamily == AddressFamily.InterNetwork;
        BitConverter.TryWriteBytes(bytes, (ushort)(ipv4 ? Libc.AddressFamilyInet : Libc.AddressFamilyInet6));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)endPoint.Port);
        endPoint.Address.TryWriteBytes(bytes[(ipv4 ? 4 : 8)..], out _);
        if (!ipv4)
            BitConverter.TryWriteBytes(bytes[24..], (uint)endPoint.Address.ScopeId);
        return native;
    }

    /// <summary>From the four bytes of an IPv4 address or the sixteen of an IPv6 address, without a port.</summary>
    public static NativeAddress FromBytes(ReadOnlySpan<byte> address)
    {
        NativeAddress native = default;
        Span<byte> bytes = native;
        BitConverter.TryWriteBytes(bytes, (ushort)(address.Length == 4 ? Libc.AddressFamilyInet : Libc.AddressFamilyInet6));
        address.CopyTo(bytes[(address.Length == 4 ? 4 : 8)..]);
        return native;
    }

    /// <summary>Any address of the same family, and any port.</summary>
    internal static NativeAddress AnyOf(in NativeAddress address)
    {
        NativeAddress native = default;
        BitConverter.TryWriteBytes(native, (ushort)address.Family);
        return native;
    }

    /// <summary>Converts back.</summary>
    public readonly IPEndPoint ToEndPoint() =>
        new(IsIpv4 ? new IPAddress(AddressBytes) : new IPAddress(AddressBytes, Scope), Port);
}
