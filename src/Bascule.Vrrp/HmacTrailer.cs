using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bascule.Core.Model;

namespace Bascule.Vrrp;

/// <summary>
/// Proves who sent a message, and that it is no recording; one per instance. The bytes are those of keepalived 2.4 (<c>auth_hmac</c>, time mode):
/// <code>
/// |    Type 1     |    Key id     |           Reserved, 0         |
/// |                 Seconds since 1970, UTC                       |
/// |   Fraction, 1/65536 s         |           Counter             |
/// |   HMAC-SHA-256, its first 16 bytes                            |
/// </code>
/// The HMAC covers a pseudo-header of 20 bytes (4 or 6 for the family, version, virtual router's id, 0, the sender's address filled up with
/// zeros), the message with its checksum read as 0 (over IPv6 the kernel may write that afterwards), and the trailer with its HMAC
/// read as 0. Seconds, fraction and counter are one number of 64 bits that grows with each message (RFC 1982).
/// </summary>
public sealed class HmacTrailer
{
    /// <summary>In bytes.</summary>
    public const int Length = 28;

    private const byte HmacSha256 = 1;
    private const int HmacLength = 16;
    private const int PseudoHeaderLength = 20;
    private const int ChecksumAt = 6;

    private readonly FrozenDictionary<byte, byte[]> _keys;
    private readonly byte[] _activeKey;
    private readonly byte _activeKeyId;
    private readonly HmacMode _mode;
    private readonly int _window;
    private readonly HmacSenders _senders = new();
    private readonly byte[] _covered = new byte[PseudoHeaderLength + AdvertisementCodec.MaxLength];
    private ulong _lastSent;

    /// <param name="settings">The mode, the window (whole seconds count) and which key is sent.</param>
    /// <param name="keys">By id, 32 to 64 bytes each; one of <see cref="HmacAuthentication.ActiveKey"/> is among them.</param>
    public HmacTrailer(HmacAuthentication settings, IReadOnlyDictionary<byte, byte[]> keys)
    {
        _keys = keys.ToFrozenDictionary();
        (_activeKeyId, _activeKey) = (settings.ActiveKey, keys[settings.ActiveKey]);
        _mode = settings.Mode;
        _window = (int)settings.Window.TotalSeconds;
    }

    /// <summary>Messages taken without an HMAC. When it no longer grows, everybody sends one and it can be demanded.</summary>
    public long TakenWithout { get; private set; }

    /// <summary>Messages taken although their HMAC is wrong, in <see cref="HmacMode.ReceiveOnly"/>. When it no longer grows, all agree on the keys.</summary>
    public long TakenWrong { get; private set; }

    /// <summary>Writes a trailer.</summary>
    /// <param name="message">What it proves, without it. Its checksum does not matter.</param>
    /// <param name="source">From which it will be sent.</param>
    /// <param name="utcNow">The wall clock.</param>
    /// <param name="trailer">At least <see cref="Length"/> bytes, which do not overlap the message.</param>
    /// <returns>Bytes written: 0 in <see cref="HmacMode.ReceiveOnly"/>.</returns>
    internal int Sign(ReadOnlySpan<byte> message, IPAddress source, DateTimeOffset utcNow, Span<byte> trailer)
    {
        if (_mode == HmacMode.ReceiveOnly)
            return 0;

        trailer[0] = HmacSha256;
        trailer[1] = _activeKeyId;
        trailer[2] = trailer[3] = 0;
        BinaryPrimitives.WriteUInt64BigEndian(trailer[4..], Next(utcNow));
        Hash(_activeKey, message, trailer, source, trailer.Slice(Length - HmacLength, HmacLength));
        return Length;
    }

    /// <summary>Whether a message may be taken, as far as its trailer goes. No input throws and none allocates.</summary>
    /// <param name="message">Without it.</param>
    /// <param name="trailer">Empty where there is none, otherwise <see cref="Length"/> bytes.</param>
    /// <param name="source">Whence it came.</param>
    /// <param name="utcNow">The wall clock.</param>
    internal DecodeError Check(ReadOnlySpan<byte> message, ReadOnlySpan<byte> trailer, IPAddress source, DateTimeOffset utcNow)
    {
        DecodeError error = trailer.IsEmpty ? DecodeError.NoHmac : Verify(message, trailer, source, utcNow);
        switch (error, _mode)
        {
            case (DecodeError.None, _):
                return DecodeError.None;
            case (DecodeError.NoHmac, HmacMode.ReceiveOnly or HmacMode.Permissive):
                TakenWithout++;
                return DecodeError.None;
            case (_, HmacMode.ReceiveOnly):
                TakenWrong++;
                return DecodeError.None;
            default:
                return error;
        }
    }

    private static ulong Clock(DateTimeOffset utcNow)
    {
        long ticks = utcNow.Ticks - DateTimeOffset.UnixEpoch.Ticks;
        ulong fraction = (ulong)(ticks % TimeSpan.TicksPerSecond) * 65536 / TimeSpan.TicksPerSecond;
        return ((ulong)(ticks / TimeSpan.TicksPerSecond) << 32) | (fraction << 16);
    }

    private DecodeError Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> trailer, IPAddress source, DateTimeOffset utcNow)
    {
        if (trailer[0] != HmacSha256 || trailer[2] != 0 || trailer[3] != 0) return DecodeError.WrongTrailer;
        if (!_keys.TryGetValue(trailer[1], out byte[]? key)) return DecodeError.UnknownHmacKey;

        // Before the HMAC, which costs more: old recordings are cheap to refuse. It grants nothing.
        ulong sequence = BinaryPrimitives.ReadUInt64BigEndian(trailer[4..]);
        ulong clock = Clock(utcNow);
        if (!HmacSenders.IsWithin(_window, sequence, clock)) return DecodeError.WrongTime;

        Span<byte> hmac = stackalloc byte[HmacLength];
        Hash(key, message, trailer, source, hmac);
        if (!CryptographicOperations.FixedTimeEquals(hmac, trailer[^HmacLength..])) return DecodeError.WrongHmac;
        return _senders.TryPass(source, sequence, clock, _window) ? DecodeError.None : DecodeError.Replayed;
    }

    private ulong Next(DateTimeOffset utcNow)
    {
        ulong clock = Clock(utcNow);
        // A clock that was set back leaves the last number in a future that nobody accepts: start again from the clock.
        bool isAhead = (long)(clock - _lastSent) > 0 || !HmacSenders.IsWithin(_window, _lastSent, clock);
        _lastSent = isAhead ? clock : _lastSent + 1;
        return _lastSent;
    }

    private void Hash(byte[] key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> trailer, IPAddress source, Span<byte> hmac)
    {
        Span<byte> covered = _covered;
        covered[..PseudoHeaderLength].Clear();
        covered[0] = source.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)6 : (byte)4;
        covered[1] = (byte)(message[0] >> 4);
        covered[2] = message[1];
        source.TryWriteBytes(covered[4..], out _);

        message.CopyTo(covered[PseudoHeaderLength..]);
        covered.Slice(PseudoHeaderLength + ChecksumAt, 2).Clear();
        int length = PseudoHeaderLength + message.Length;
        trailer[..(Length - HmacLength)].CopyTo(covered[length..]);
        covered.Slice(length + Length - HmacLength, HmacLength).Clear();

        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, covered[..(length + Length)], hash);
        hash[..HmacLength].CopyTo(hmac);
    }
}

/// <summary>The latest number of each sender. Only what is authentic gets in, so that strangers cannot push anybody out.</summary>
internal sealed class HmacSenders
{
    private const int Kept = 8; // more than one speaks only while they decide

    private readonly Sender[] _senders = new Sender[Kept];

    /// <summary>Whether the seconds of two numbers are no more than a window apart, across the wrap of 2106.</summary>
    public static bool IsWithin(int window, ulong sequence, ulong clock)
    {
        int apart = (int)((uint)(clock >> 32) - (uint)(sequence >> 32));
        return apart <= window && apart >= -window;
    }

    /// <summary>Whether this is later than all that the sender has said. Then it is remembered.</summary>
    public bool TryPass(IPAddress source, ulong sequence, ulong clock, int window)
    {
        ref Sender sender = ref Find(Peers.HeartbeatInstance.Number(source));
        // A mark outside of the window only stands in the way of a sender whose clock was corrected: such recordings are refused by their time.
        if (sender.IsKnown && IsWithin(window, sender.Last, clock) && (long)(sequence - sender.Last) <= 0)
            return false;

        (sender.IsKnown, sender.Last, sender.PassedAt) = (true, sequence, clock);
        return true;
    }

    private ref Sender Find(UInt128 address)
    {
        int oldest = 0;
        for (int i = 0; i < Kept; i++)
        {
            if (_senders[i].IsKnown && _senders[i].Address == address)
                return ref _senders[i];
            if (!_senders[i].IsKnown || (_senders[oldest].IsKnown && _senders[i].PassedAt < _senders[oldest].PassedAt))
                oldest = i;
        }

        _senders[oldest] = new() { Address = address };
        return ref _senders[oldest];
    }

    private struct Sender
    {
        public UInt128 Address;
        public bool IsKnown;
        public ulong Last;
        public ulong PassedAt;
    }
}
