using System.Numerics;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

public sealed class FlowHashTests
{
    private static readonly byte[] PaperKey = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];
    private static readonly FlowHashKey Key = FlowHashKey.From(PaperKey);

    [Fact]
    public void The_plain_implementation_of_these_tests_agrees_with_the_paper()
    {
        // Appendix A: SipHash-2-4 of the bytes 0 to 14 under the key of the bytes 0 to 15.
        Assert.Equal(0xA129CA6149BE45E5, PlainSipHash(2, 4, PaperKey, [.. Enumerable.Range(0, 15).Select(i => (byte)i)]));
    }

    [Theory]
    // bpf/hash.h lists the same ones
    [InlineData("198.51.100.7", false, 0x9020926Au)]
    [InlineData("198.51.100.7", true, 0x9D82A6BDu)]
    [InlineData("2001:db8::7", false, 0x6AECF92Eu)]
    [InlineData("2001:db8::7", true, 0x62C5E024u)]
    public void Keyed_hashes_are_these(string source, bool withPort, uint hash) =>
        Assert.Equal(hash, FlowHash.KeyedSource(Key, Farm.Client(source) with { Port = 4242 }, withPort));

    [Fact]
    public void A_key_is_derived_from_a_secret_by_HKDF()
    {
        // RFC 5869 with SHA-256 over the bytes 0 to 31, no salt, info "bascule flow hash": worked out apart from this code.
        Assert.Equal("b78d66ac2c45abca65a369c2fd76f06a", FlowHashKey.Derive([.. Enumerable.Range(0, 32).Select(i => (byte)i)]).ToHex());
    }

    [Fact]
    public void Keyed_hashes_the_bytes_as_they_are_on_the_wire()
    {
        Random chance = new(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] key = new byte[16];
            byte[] address = new byte[i % 2 == 0 ? 4 : 16];
            chance.NextBytes(key);
            chance.NextBytes(address);
            ushort port = (ushort)chance.Next(65536);
            ClientAddress client = Farm.Client(new System.Net.IPAddress(address).ToString()) with { Port = port };

            Assert.Equal((uint)PlainSipHash(1, 3, key, address), FlowHash.KeyedSource(FlowHashKey.From(key), client, withPort: false));
            Assert.Equal((uint)PlainSipHash(1, 3, key, [.. address, (byte)(port >> 8), (byte)port]), FlowHash.KeyedSource(FlowHashKey.From(key), client, withPort: true));
        }
    }

    [Fact]
    public void A_key_reads_as_the_hex_digits_it_was_made_of() => Assert.Equal("000102030405060708090a0b0c0d0e0f", Key.ToHex());

    [Fact]
    public void A_key_does_not_tell_itself_to_a_log() => Assert.Equal("FlowHashKey", $"{Key}");

    [Theory]
    // (address + port) × 0x61C88647 mod 2^32, worked out apart from this code
    [InlineData("198.51.100.7", false, 0xAB1467F1u)]
    [InlineData("198.51.100.7", true, 0xF7D56C6Fu)]
    [InlineData("2001:db8::7", false, 0x89B4C9F9u)]
    [InlineData("2001:db8::7", true, 0xD675CE77u)]
    public void Multiplicative_hashes_are_these(string source, bool withPort, uint hash) =>
        Assert.Equal(hash, FlowHash.Source(Farm.Client(source) with { Port = 4242 }, withPort));

    [Fact]
    public void The_destination_is_hashed_as_a_source_would_be()
    {
        ClientAddress to = Farm.Client("2001:db8::53");
        ClientAddress client = Farm.Client("2001:db8::1") with { DestinationHigh = to.High, DestinationLow = to.Low };

        Assert.Equal(FlowHash.Source(to, withPort: false), FlowHash.Destination(client));
    }

    [Theory]
    [InlineData(0u, 4093, 0)]
    [InlineData(uint.MaxValue, 4093, 4092)]
    [InlineData(uint.MaxValue, 131071, 131070)]
    [InlineData(0x80000000u, 256, 128)]
    [InlineData(0x32FFFFFFu, 256, 0x32)]
    public void A_slot_is_the_hashs_share_of_the_table(uint hash, int slots, int slot) => Assert.Equal(slot, FlowHash.SlotOf(hash, slots));

    /// <summary>As the paper says it, byte by byte.</summary>
    private static ulong PlainSipHash(int compressions, int finalizations, byte[] key, byte[] message)
    {
        ulong[] k = [BitConverter.ToUInt64(key, 0), BitConverter.ToUInt64(key, 8)];
        ulong[] v = [k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d, k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573];
        byte[] padded = new byte[(message.Length / 8 * 8) + 8];
        message.CopyTo(padded, 0);
        padded[^1] = (byte)message.Length;
        for (int at = 0; at < padded.Length; at += 8)
        {
            ulong m = BitConverter.ToUInt64(padded, at);
            v[3] ^= m;
            Rounds(compressions);
            v[0] ^= m;
        }

        v[2] ^= 0xff;
        Rounds(finalizations);
        return v[0] ^ v[1] ^ v[2] ^ v[3];

        void Rounds(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Mix(0, 1, 13, 32);
                Mix(2, 3, 16, 0);
                Mix(0, 3, 21, 0);
                Mix(2, 1, 17, 32);
            }
        }

        void Mix(int a, int b, int rotateB, int rotateA)
        {
            v[a] = (ulong)(((BigInteger)v[a] + v[b]) % BigInteger.Pow(2, 64));
            v[b] = BitOperations.RotateLeft(v[b], rotateB) ^ v[a];
            v[a] = BitOperations.RotateLeft(v[a], rotateA);
        }
    }
}
