using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Vrrp;

/// <summary>
/// Advertisements as they are on the wire, after the IP header. IPv6 always has the pseudo-header.
/// <code>
/// version 3  |Version| Type  | Virtual Rtr ID|   Priority    | Address count |
///            |Reserve| Interval, centiseconds|           Checksum            |
///            | addresses, 4 or 16 bytes each                                 |
/// version 2  |Version| Type  | Virtual Rtr ID|   Priority    | Address count |
///            |   Auth type   | Interval, s   |           Checksum            |
///            | IPv4 addresses                                                |
///            | authentication data, 8 bytes                                  |
/// </code>
/// An <see cref="HmacTrailer"/> may follow. Checksums over IPv4 do not cover it and those over IPv6 do, because there keepalived
/// leaves the checksum to the kernel, which sums up all that is sent.
/// </summary>
public static class AdvertisementCodec
{
    /// <summary>The longest message there is: 255 IPv6 addresses and a trailer.</summary>
    public const int MaxLength = HeaderLength + (255 * 16) + HmacTrailer.Length;

    /// <summary>Of version 2's password; a shorter one is filled with zeros. RFC 2338 §5.3.10.</summary>
    public const int PasswordLength = 8;

    private const int HeaderLength = 8;
    private const int Protocol = 112;
    private const byte SimplePassword = 1; // RFC 2338 §5.3.6
    private static readonly TimeSpan Centisecond = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestInterval = 4095 * Centisecond; // 12 bits, RFC 9568 §5.2.7

    /// <summary>
    /// Writes one.
    /// </summary>
    /// <param name="advertisement">An interval that the wire cannot say exactly is rounded up: the others wait a little longer rather than too short.</param>
    /// <param name="addresses">1 to 255, all of the family of <paramref name="source"/>.</param>
    /// <param name="source">From which it will be sent; part of the pseudo-header.</param>
    /// <param name="destination">To which; part of the pseudo-header.</param>
    /// <param name="form">Of a version 3 checksum over IPv4.</param>
    /// <param name="password">Version 2: up to 8 bytes, sent readable; empty: none.</param>
    /// <param name="message">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="trailer">How it is signed; null: not at all.</param>
    /// <param name="utcNow">The wall clock, for the trailer.</param>
    /// <returns>Bytes written.</returns>
    public static int Encode(in Advertisement advertisement, ReadOnlySpan<IPAddress> addresses, IPAddress source, IPAddress destination,
        ChecksumForm form, ReadOnlySpan<byte> password, Span<byte> message, HmacTrailer? trailer = null, DateTimeOffset utcNow = default)
    {
        message[0] = (byte)(((int)advertisement.Version << 4) | 1);
        message[1] = advertisement.VirtualRouterId;
        message[2] = advertisement.Priority;
        message[3] = (byte)addresses.Length;
        EncodeInterval(advertisement, password, message);
        message[6] = message[7] = 0;

        int length = HeaderLength;
        foreach (IPAddress address in addresses)
        {
            address.TryWriteBytes(message[length..], out int written);
            length += written;
        }

        if (advertisement.Version == VrrpVersion.V2)
        {
            message.Slice(length, PasswordLength).Clear();
            password.CopyTo(message[length..]);
            length += PasswordLength;
        }

        int whole = length + (trailer?.Sign(message[..length], source, utcNow, message[length..]) ?? 0);
        int covered = source.AddressFamily == AddressFamily.InterNetworkV6 ? whole : length;
        bool withPseudoHeader = HasPseudoHeader(advertisement.Version, source, form);
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], Checksum(message[..covered], source, destination, withPseudoHeader));
        return whole;
    }

    /// <summary>Reads one. No input throws and none allocates.</summary>
    /// <param name="message">What followed the IP header; may end in Ethernet's padding.</param>
    /// <param name="version">The only one that is accepted.</param>
    /// <param name="source">Whence it came.</param>
    /// <param name="destination">Where it went to.</param>
    /// <param name="password">Version 2: the one that must be in it; empty: there must be none.</param>
    /// <param name="advertisement">What it says.</param>
    /// <param name="form">Version 3 over IPv4: how its checksum was made. Either is right.</param>
    /// <param name="trailer">How it must be signed; null: whether it is, is not looked at.</param>
    /// <param name="utcNow">The wall clock, for the trailer.</param>
    public static DecodeError TryDecode(ReadOnlySpan<byte> message, VrrpVersion version, IPAddress source, IPAddress destination,
        ReadOnlySpan<byte> password, out Advertisement advertisement, out ChecksumForm form, HmacTrailer? trailer = null, DateTimeOffset utcNow = default)
    {
        advertisement = default;
        form = ChecksumForm.PseudoHeader;
        if (message.Length < HeaderLength) return DecodeError.Truncated;
        if (message[0] >> 4 != (int)version) return DecodeError.WrongVersion;
        if ((message[0] & 0x0F) != 1) return DecodeError.WrongType;
        if (message[1] == 0) return DecodeError.NoVirtualRouterId;
        if (message[3] == 0) return DecodeError.NoAddresses;

        int addresses = message[3] * (source.AddressFamily == AddressFamily.InterNetworkV6 ? 16 : 4);
        int length = HeaderLength + addresses + (version == VrrpVersion.V2 ? PasswordLength : 0);
        if (message.Length < length) return DecodeError.Truncated;

        // Ethernet's padding is shorter than a trailer, and no message is so short that it needs that much.
        ReadOnlySpan<byte> whole = message.Length >= length + HmacTrailer.Length ? message[..(length + HmacTrailer.Length)] : message[..length];
        message = message[..length];
        if (!TryCheck(message, version, source, destination, out form) && !TryCheck(whole, version, source, destination, out form))
            return DecodeError.WrongChecksum;
        if (version == VrrpVersion.V2 && !IsAuthentic(message, password)) return DecodeError.WrongAuthentication;

        TimeSpan interval = version == VrrpVersion.V2
            ? TimeSpan.FromSeconds(message[5])
            : (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) & 0x0FFF) * Centisecond;
        if (interval == TimeSpan.Zero) return DecodeError.NoInterval;

        // Last, so that only what is a message otherwise moves the mark against replays.
        DecodeError unsigned = trailer?.Check(message, whole[length..], source, utcNow) ?? DecodeError.None;
        if (unsigned == DecodeError.None)
            advertisement = new(version, message[1], message[2], interval);
        return unsigned;
    }

    private static void EncodeInterval(in Advertisement advertisement, ReadOnlySpan<byte> password, Span<byte> message)
    {
        if (advertisement.Version == VrrpVersion.V2)
        {
            message[4] = password.IsEmpty ? (byte)0 : SimplePassword;
            message[5] = (byte)double.Clamp(double.Ceiling(advertisement.Interval.TotalSeconds), 1, 255);
            return;
        }

        long ticks = long.Clamp(advertisement.Interval.Ticks, Centisecond.Ticks, LongestInterval.Ticks);
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], (ushort)((ticks + Centisecond.Ticks - 1) / Centisecond.Ticks));
    }

    private static bool HasPseudoHeader(VrrpVersion version, IPAddress source, ChecksumForm form) =>
        version == VrrpVersion.V3 && (source.AddressFamily == AddressFamily.InterNetworkV6 || form == ChecksumForm.PseudoHeader);

    private static bool TryCheck(ReadOnlySpan<byte> message, VrrpVersion version, IPAddress source, IPAddress destination, out ChecksumForm form)
    {
        // Over a message with its checksum in place, the sum comes out as 0.
        form = ChecksumForm.PseudoHeader;
        if (Checksum(message, source, destination, HasPseudoHeader(version, source, form)) == 0)
            return true;

        form = ChecksumForm.MessageOnly;
        return Checksum(message, source, destination, HasPseudoHeader(version, source, form)) == 0;
    }

    private static bool IsAuthentic(ReadOnlySpan<byte> message, ReadOnlySpan<byte> password)
    {
        if (password.IsEmpty)
            return message[4] == 0;
        Span<byte> expected = stackalloc byte[PasswordLength];
        password.CopyTo(expected);
        return message[4] == SimplePassword && message[^PasswordLength..].SequenceEqual(expected);
    }

    /// <summary>The Internet checksum, RFC 1071.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> message, IPAddress source, IPAddress destination, bool withPseudoHeader)
    {
        uint sum = Sum(message);
        if (withPseudoHeader)
        {
            Span<byte> address = stackalloc byte[16];
            source.TryWriteBytes(address, out int written);
            sum += Sum(address[..written]);
            destination.TryWriteBytes(address, out written);
            sum += Sum(address[..written]) + Protocol + (uint)message.Length; // the same sum for the layouts of IPv4 and IPv6
        }

        while (sum >> 16 != 0)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    // All messages have an even length, and 4096 bytes of 16-bit words do not overflow 32 bits.
    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        return sum;
    }
}
