using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Bascule.Core.Scheduling;

/// <summary>The key of the hashes that nobody outside can predict. Directors that take over from each other need the same one.</summary>
/// <param name="Low">Bytes 0 to 7, little-endian.</param>
/// <param name="High">Bytes 8 to 15, little-endian.</param>
public readonly record struct FlowHashKey(ulong Low, ulong High)
{
    /// <summary>How many bytes a key has.</summary>
    public const int Size = 16;

    /// <summary>From its 16 bytes, in the order of the paper (and of the hex digits in the configuration).</summary>
    public static FlowHashKey From(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));

    /// <summary>
    /// From a secret of any length, one way: HKDF-SHA256 (RFC 5869) without salt. Whoever has the secret has the key; the key does not lead back.
    /// </summary>
    public static FlowHashKey Derive(ReadOnlySpan<byte> secret)
    {
        Span<byte> key = stackalloc byte[Size];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, salt: [], "bascule flow hash"u8);
        return From(key);
    }

    /// <summary>As 32 hex digits, which is how it is written in the configuration.</summary>
    public string ToHex() => string.Create(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReverseEndianness(Low):x16}{BinaryPrimitives.ReverseEndianness(High):x16}");

    /// <summary>Says nothing of the key, so that no log or dump does.</summary>
    public override string ToString() => nameof(FlowHashKey);
}

/// <summary>
/// The hashes that lead a flow to a slot of a hash table. The kernel datapath computes the same ones: its twin is <c>bpf/hash.h</c>,
/// change both together.
/// </summary>
/// <remarks>
/// <para>
/// <b>Keyed</b> (mh, and the table every virtual server falls back to): the low 32 bits of SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast
/// short-input PRF", 2012; one round a block, three at the end) with a 128-bit key, over these bytes:
/// </para>
/// <code>
/// | source address, 4 or 16 bytes in network order | source port, 2 bytes in network order (only when the port counts) |
/// </code>
/// <para>
/// So an IPv4 flow, with or without its port, is one 64-bit block: 4 rounds.
/// </para>
/// <para>
/// <b>Multiplicative</b> (sh and dh): the address folded to 32 bits (the words of an IPv6 address combined by exclusive or, in host order), plus the
/// port when it counts, times 0x61C88647. Its highest 8 bits are the bucket that IPVS computes with <c>hash_32</c>.
/// </para>
/// </remarks>
public static class FlowHash
{
    private const uint GoldenRatio = 0x61C88647; // 2^32 × (1 - 1/φ), as in the kernel's hash_32

    /// <summary>Keyed, of the source address, and of the source port if <paramref name="withPort"/>.</summary>
    public static uint KeyedSource(FlowHashKey key, in ClientAddress client, bool withPort)
    {
        // Little-endian words of bytes in network order, hence the reversing.
        uint bytes = (client.IsIpv4 ? 4u : 16u) + (withPort ? 2u : 0);
        ulong last = (ulong)bytes << 56;
        ulong port = withPort ? BinaryPrimitives.ReverseEndianness(client.Port) : 0ul;
        SipHash sip = new(key);
        if (client.IsIpv4)
        {
            sip.Add(last | port << 32 | BinaryPrimitives.ReverseEndianness((uint)client.Low));
        }
        else
        {
            sip.Add(BinaryPrimitives.ReverseEndianness(client.High));
            sip.Add(BinaryPrimitives.ReverseEndianness(client.Low));
            sip.Add(last | port);
        }

        return (uint)sip.Finish();
    }

    /// <summary>Multiplicative, of the source address, and of the source port if <paramref name="withPort"/>.</summary>
    public static uint Source(in ClientAddress client, bool withPort) =>
        unchecked((Fold(client.High, client.Low) + (withPort ? client.Port : 0u)) * GoldenRatio);

    /// <summary>Multiplicative, of the address the client asked for.</summary>
    public static uint Destination(in ClientAddress client) => unchecked(Fold(client.DestinationHigh, client.DestinationLow) * GoldenRatio);

    /// <summary>Keyed, of bytes: SipHash-1-3 whole.</summary>
    public static ulong Keyed(FlowHashKey key, ReadOnlySpan<byte> bytes)
    {
        SipHash sip = new(key);
        ReadOnlySpan<byte> rest = bytes;
        for (; rest.Length >= sizeof(ulong); rest = rest[sizeof(ulong)..])
            sip.Add(BinaryPrimitives.ReadUInt64LittleEndian(rest));
        ulong last = (ulong)bytes.Length << 56;
        for (int i = 0; i < rest.Length; i++)
            last |= (ulong)rest[i] << (8 * i);
        sip.Add(last);
        return sip.Finish();
    }

    /// <summary>The slot of a table of that size: (hash × slots) / 2^32, which unlike a remainder needs no division.</summary>
    /// <param name="slots">1 to 131071.</param>
    public static int SlotOf(uint hash, int slots) => (int)((ulong)hash * (uint)slots >> 32);

    private static uint Fold(ulong high, ulong low) => (uint)(high >> 32) ^ (uint)high ^ (uint)(low >> 32) ^ (uint)low;
}

/// <summary>SipHash-1-3 over 64-bit blocks. Who adds the last block puts the number of bytes into its highest byte.</summary>
internal struct SipHash(FlowHashKey key)
{
    // The paper's initial state: "somepseudorandomlygeneratedbytes".
    private ulong _v0 = key.Low ^ 0x736F6D6570736575;
    private ulong _v1 = key.High ^ 0x646F72616E646F6D;
    private ulong _v2 = key.Low ^ 0x6C7967656E657261;
    private ulong _v3 = key.High ^ 0x7465646279746573;

    public void Add(ulong block)
    {
        _v3 ^= block;
        Round();
        _v0 ^= block;
    }

    public ulong Finish()
    {
        _v2 ^= 0xFF;
        Round();
        Round();
        Round();
        return _v0 ^ _v1 ^ _v2 ^ _v3;
    }

    private void Round()
    {
        unchecked
        {
            _v0 += _v1;
            _v2 += _v3;
            _v1 = BitOperations.RotateLeft(_v1, 13) ^ _v0;
            _v3 = BitOperations.RotateLeft(_v3, 16) ^ _v2;
            _v0 = BitOperations.RotateLeft(_v0, 32);
            _v2 += _v1;
            _v0 += _v3;
            _v1 = BitOperations.RotateLeft(_v1, 17) ^ _v2;
            _v3 = BitOperations.RotateLeft(_v3, 21) ^ _v0;
            _v2 = BitOperations.RotateLeft(_v2, 32);
        }
    }
}
