using System.Buffers.Binary;
using System.Security.Cryptography;
using Bascule.Core.Roles;
using Bascule.Vrrp.Handover;

namespace Bascule.Vrrp.Peers;

/// <summary>
/// Heartbeats as they are on the wire, behind the UDP header. Numbers are in network byte order.
/// <code>
///  0 | 'B' 'H' 'B'      | version 1 |      4 | flags | link | heard links | instances |
///  8 | sender                       |     16 | receiver                               |
/// 24 | incarnation                  |     32 | round                                  |
/// 40 | echo: incarnation            |     48 | echo: round                            |
/// 56 | version of the configuration |     64 | interval, ms      | 0                  |
/// 72 | instances: key (8) | handover (4 bits), role (4 bits) | priority | goodbyes | family 4 or 6 | interval, ms (4) | source (4 or 16) |
///    | HMAC-SHA-256 over all of it, its first 16 bytes                                 |
/// </code>
/// </summary>
public sealed class HeartbeatCodec
{
    /// <summary>The longest there is. About 40 instances of IPv6 or 70 of IPv4 fit an Ethernet frame; longer ones are fragmented.</summary>
    public const int MaxLength = HeaderLength + (Heartbeat.MaxInstances * (InstanceLength + 16)) + HmacLength;

    private const int HeaderLength = 72;
    private const int InstanceLength = 16; // without its source
    private const int HmacLength = 16;     // RFC 2104 §5: not less than half of the hash's
    private const byte Version = 1;
    private const byte Draining = 1 << 0;

    private readonly byte[] _key = new byte[HMACSHA256.HashSizeInBytes];

    /// <param name="key">The one that the two directors share; the key of the heartbeats is derived from it. RFC 5869.</param>
    public HeartbeatCodec(ReadOnlySpan<byte> key) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, _key, salt: [], "bascule heartbeat"u8);

    private static ReadOnlySpan<byte> Magic => "BHB"u8;

    /// <summary>Writes one.</summary>
    /// <param name="heartbeat">Its number of instances is not looked at.</param>
    /// <param name="instances">At most <see cref="Heartbeat.MaxInstances"/>.</param>
    /// <param name="message">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public int Encode(in Heartbeat heartbeat, ReadOnlySpan<HeartbeatInstance> instances, Span<byte> message)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(instances.Length, Heartbeat.MaxInstances);
        Magic.CopyTo(message);
        message[3] = Version;
        message[4] = heartbeat.IsDraining ? Draining : (byte)0;
        message[5] = heartbeat.Link;
        message[6] = heartbeat.HeardLinks;
        message[7] = (byte)instances.Length;
        BinaryPrimitives.WriteUInt64BigEndian(message[8..], heartbeat.Sender);
        BinaryPrimitives.WriteUInt64BigEndian(message[16..], heartbeat.Receiver);
        BinaryPrimitives.WriteUInt64BigEndian(message[24..], heartbeat.Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(message[32..], heartbeat.Round);
        BinaryPrimitives.WriteUInt64BigEndian(message[40..], heartbeat.EchoIncarnation);
        BinaryPrimitives.WriteUInt64BigEndian(message[48..], heartbeat.EchoRound);
        BinaryPrimitives.WriteUInt64BigEndian(message[56..], heartbeat.ConfigurationVersion);
        BinaryPrimitives.WriteUInt32BigEndian(message[64..], Milliseconds(heartbeat.Interval));
        message[68..HeaderLength].Clear();

        int length = HeaderLength;
        foreach (ref readonly HeartbeatInstance instance in instances)
            length += Encode(instance, message[length..]);

        Sign(message[..length], message.Slice(length, HmacLength));
        return length + HmacLength;
    }

    /// <summary>Reads one. No input throws and none allocates.</summary>
    /// <param name="message">What followed the UDP header.</param>
    /// <param name="instances">Room for <see cref="Heartbeat.MaxInstances"/>; holds those that were read when all is well.</param>
    /// <param name="heartbeat">What it says.</param>
    /// <returns><see cref="HeartbeatOutcome.Taken"/> when it is authentic; whether it is news is not known here.</returns>
    public HeartbeatOutcome TryDecode(ReadOnlySpan<byte> message, Span<HeartbeatInstance> instances, out Heartbeat heartbeat)
    {
        heartbeat = default;
        if (message.Length < HeaderLength + HmacLength) return HeartbeatOutcome.WrongLength;
        if (!message.StartsWith(Magic)) return HeartbeatOutcome.NotAHeartbeat;
        if (message[3] != Version) return HeartbeatOutcome.WrongVersion;
        if (!IsAuthentic(message)) return HeartbeatOutcome.NotAuthentic;

        if (message[5] >= Heartbeat.MaxLinks || message[7] > Heartbeat.MaxInstances) return HeartbeatOutcome.Malformed;
        HeartbeatOutcome outcome = TryDecode(message[HeaderLength..^HmacLength], instances[..message[7]]);
        if (outcome != HeartbeatOutcome.Taken) return outcome;

        heartbeat = new()
        {
            IsDraining = (message[4] & Draining) != 0,
            Link = message[5],
            HeardLinks = message[6],
            Instances = message[7],
            Sender = BinaryPrimitives.ReadUInt64BigEndian(message[8..]),
            Receiver = BinaryPrimitives.ReadUInt64BigEndian(message[16..]),
            Incarnation = BinaryPrimitives.ReadUInt64BigEndian(message[24..]),
            Round = BinaryPrimitives.ReadUInt64BigEndian(message[32..]),
            EchoIncarnation = BinaryPrimitives.ReadUInt64BigEndian(message[40..]),
            EchoRound = BinaryPrimitives.ReadUInt64BigEndian(message[48..]),
            ConfigurationVersion = BinaryPrimitives.ReadUInt64BigEndian(message[56..]),
            Interval = TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32BigEndian(message[64..])),
        };
        return heartbeat.Incarnation == 0 || heartbeat.Interval == TimeSpan.Zero ? HeartbeatOutcome.Malformed : HeartbeatOutcome.Taken;
    }

    private static int Encode(in HeartbeatInstance instance, Span<byte> bytes)
    {
        bool isIPv4 = instance.Source <= uint.MaxValue; // no IPv6 address of a router is that small: it would be in ::/96
        BinaryPrimitives.WriteUInt64BigEndian(bytes, instance.Key);
        bytes[8] = (byte)(((int)instance.Handover << 4) | (int)instance.Role);
        bytes[9] = instance.Priority;
        bytes[10] = instance.Goodbyes;
        bytes[11] = isIPv4 ? (byte)4 : (byte)6;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[12..], Milliseconds(instance.Interval));
        if (isIPv4)
            BinaryPrimitives.WriteUInt32BigEndian(bytes[InstanceLength..], (uint)instance.Source);
        else
            BinaryPrimitives.WriteUInt128BigEndian(bytes[InstanceLength..], instance.Source);
        return InstanceLength + (isIPv4 ? 4 : 16);
    }

    private static HeartbeatOutcome TryDecode(ReadOnlySpan<byte> bytes, Span<HeartbeatInstance> instances)
    {
        foreach (ref HeartbeatInstance instance in instances)
        {
            if (bytes.Length < InstanceLength + 4) return HeartbeatOutcome.WrongLength;
            int role = bytes[8] & 0x0F, handover = bytes[8] >> 4;
            byte priority = bytes[9], family = bytes[11];
            TimeSpan interval = TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]));
            if (role > (int)Role.Active || handover > (int)HandoverWord.Drains || priority == 0 || interval == TimeSpan.Zero || family is not (4 or 6)) return HeartbeatOutcome.Malformed;

            int length = InstanceLength + (family == 4 ? 4 : 16);
            if (bytes.Length < length) return HeartbeatOutcome.WrongLength;

            UInt128 source = family == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes[InstanceLength..]) : BinaryPrimitives.ReadUInt128BigEndian(bytes[InstanceLength..]);
            instance = new(BinaryPrimitives.ReadUInt64BigEndian(bytes), (Role)role, priority, bytes[10], interval, source) { Handover = (HandoverWord)handover };
            bytes = bytes[length..];
        }

        return bytes.IsEmpty ? HeartbeatOutcome.Taken : HeartbeatOutcome.WrongLength;
    }

    private static uint Milliseconds(TimeSpan interval) => (uint)double.Clamp(double.Ceiling(interval.TotalMilliseconds), 1, uint.MaxValue);

    private bool IsAuthentic(ReadOnlySpan<byte> message)
    {
        Span<byte> hmac = stackalloc byte[HmacLength];
        Sign(message[..^HmacLength], hmac);
        return CryptographicOperations.FixedTimeEquals(hmac, message[^HmacLength..]);
    }

    internal void Sign(ReadOnlySpan<byte> message, Span<byte> hmac)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, message, hash);
        hash[..HmacLength].CopyTo(hmac);
    }
}
