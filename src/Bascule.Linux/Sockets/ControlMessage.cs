using System.Runtime.InteropServices;

namespace Bascule.Linux.Sockets;

/// <summary>
/// Which address of this machine a packet came to, or is to leave from, as the message beside it. cmsg(3), ip(7), ipv6(7).
/// <code>
/// | length 8 | level 4 | type 4 | then   IPv4: | interface 4 | source, or where to 4 | header's destination 4 |
///                                        IPv6: | source, or where to 16 | interface 4 |
/// </code>
/// </summary>
internal static unsafe class ControlMessage
{
    /// <summary><c>struct cmsghdr</c>.</summary>
    public const int HeaderLength = 16;

    /// <summary>Room for one of either family.</summary>
    public const int Room = HeaderLength + 24;

    /// <summary>Lets a packet leave from this address. The port means nothing.</summary>
    /// <param name="control">Zeroed, with <see cref="Room"/>.</param>
    /// <param name="interfaceIndex">Where it leaves; 0: wherever the way leads.</param>
    /// <returns>The length, aligned as the kernel wants it.</returns>
    public static int WriteSource(byte* control, in NativeAddress from, int interfaceIndex)
    {
        bool isIpv4 = from.IsIpv4;
        int data = isIpv4 ? 12 : 20;
        *(nuint*)control = (nuint)(HeaderLength + data);
        *(int*)(control + 8) = isIpv4 ? Libc.LevelIpv4 : Libc.LevelIpv6;
        *(int*)(control + 12) = isIpv4 ? Libc.OptionIpv4PacketInformation : Libc.OptionIpv6PacketInformation;
        from.AddressBytes.CopyTo(new(control + HeaderLength + (isIpv4 ? 4 : 0), 16));
        *(int*)(control + HeaderLength + (isIpv4 ? 0 : 16)) = interfaceIndex;
        return HeaderLength + (isIpv4 ? 16 : 24);
    }

    /// <summary>The address of this machine that a packet came to, without a port; where it came to many, one that may answer.</summary>
    /// <returns>False when the message is about something else.</returns>
    public static bool TryReadDestination(ReadOnlySpan<byte> control, out NativeAddress destination)
    {
        destination = default;
        if (control.Length < HeaderLength + 12)
            return false;
        (int level, int type) = (MemoryMarshal.Read<int>(control[8..]), MemoryMarshal.Read<int>(control[12..]));
        ReadOnlySpan<byte> data = control[HeaderLength..];
        if (level == Libc.LevelIpv4 && type == Libc.OptionIpv4PacketInformation)
            destination = NativeAddress.FromBytes(data.Slice(4, 4));
        else if (level == Libc.LevelIpv6 && type == Libc.OptionIpv6PacketInformation && data.Length >= 20)
            destination = NativeAddress.FromBytes(data[..16]);
        else
            return false;
        return true;
    }
}
