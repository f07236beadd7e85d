using System.Net;
using System.Net.Sockets;
using Bascule.Core.Roles;
using Bascule.Vrrp.Handover;
using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp.Tests.Peers;

/// <summary>Heartbeats on the wire.</summary>
public sealed class HeartbeatCodecTests
{
    private static readonly HeartbeatCodec Codec = new("a key that two directors share, ok"u8);
    private static readonly HeartbeatInstance IPv4 = new(0x1122334455667788, Role.Active, 150, 3, TimeSpan.FromMilliseconds(100), HeartbeatInstance.Number(IPAddress.Parse("192.0.2.1")));
    private static readonly HeartbeatInstance IPv6 = new(0x99AABBCCDDEEFF00, Role.Backup, 100, 0, TimeSpan.FromSeconds(1), HeartbeatInstance.Number(IPAddress.Parse("fe80::1")));

    private static readonly Heartbeat Sent = new()
    {
        Sender = 0x0102030405060708,
        Receiver = 0x1112131415161718,
        Incarnation = 0x2122232425262728,
        Round = 7,
        EchoIncarnation = 0x3132333435363738,
        EchoRound = 6,
        ConfigurationVersion = 42,
        Link = 1,
        HeardLinks = 0b11,
        Interval = TimeSpan.FromMilliseconds(25),
        IsDraining = true,
    };

    [Fact]
    public void A_heartbeat_looks_like_the_picture() =>
        Assert.Equal("42484201" + "01010302" + "0102030405060708" + "1112131415161718" + "2122232425262728" + "0000000000000007" + "3132333435363738"
            + "0000000000000006" + "000000000000002A" + "0000001900000000"
            + "1122334455667788" + "02960304" + "00000064" + "C0000201"
            + "99AABBCCDDEEFF00" + "01640006" + "000003E8" + "FE800000000000000000000000000001", Convert.ToHexString(Encode(IPv4, IPv6)[..^16]));

    [Fact]
    public void A_heartbeat_comes_back_as_it_was()
    {
        HeartbeatInstance[] instances = new HeartbeatInstance[Heartbeat.MaxInstances];

        Assert.Equal(HeartbeatOutcome.Taken, Codec.TryDecode(Encode(IPv4, IPv6), instances, out Heartbeat heard));

        Assert.Equal(Sent with { Instances = 2 }, heard);
        Assert.Equal([IPv4, IPv6], instances[..2]);
    }

    [Fact]
    public void What_is_said_of_a_handover_is_four_bits_beside_the_role()
    {
        HeartbeatInstance[] heard = new HeartbeatInstance[Heartbeat.MaxInstances];
        HeartbeatInstance[] said = [.. Enum.GetValues<HandoverWord>().Select(word => IPv4 with { Handover = word })];
        byte[] message = Encode(said);

        Assert.Equal(HeartbeatOutcome.Taken, Codec.TryDecode(message, heard, out _));

        Assert.Equal(said, heard[..said.Length]);
        Assert.Equal([0x02, 0x12, 0x22, 0x32, 0x42], said.Select((_, i) => (int)message[72 + (i * 20) + 8]));
        message[72 + 8] = 0x52;
        Assert.Equal(HeartbeatOutcome.Malformed, Decode(Signed(message)));
    }

    [Fact]
    public void The_longest_one_fits()
    {
        byte[] message = Encode([.. Enumerable.Repeat(IPv6, Heartbeat.MaxInstances)]);

        Assert.Equal(HeartbeatCodec.MaxLength, message.Length);
        Assert.Equal(HeartbeatOutcome.Taken, Decode(message));
        Assert.Throws<ArgumentOutOfRangeException>(() => Encode([.. Enumerable.Repeat(IPv6, Heartbeat.MaxInstances + 1)]));
    }

    [Fact]
    public void Any_bit_that_is_turned_is_noticed()
    {
        byte[] message = Encode(IPv4);
        for (int bit = 0; bit < message.Length * 8; bit++)
        {
            message[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(HeartbeatOutcome.Taken, Decode(message));
            message[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(HeartbeatOutcome.Taken, Decode(message));
    }

    [Fact]
    public void Another_key_is_not_ours() =>
        Assert.Equal(HeartbeatOutcome.NotAuthentic, new HeartbeatCodec("another key"u8).TryDecode(Encode(IPv4), new HeartbeatInstance[64], out _));

    [Theory]
    [InlineData(0, 'X', HeartbeatOutcome.NotAHeartbeat)]
    [InlineData(3, 2, HeartbeatOutcome.WrongVersion)]
    [InlineData(5, 8, HeartbeatOutcome.Malformed)]
    [InlineData(7, 65, HeartbeatOutcome.Malformed)]
    [InlineData(7, 3, HeartbeatOutcome.WrongLength)]
    [InlineData(7, 1, HeartbeatOutcome.WrongLength)]
    [InlineData(72 + 8, 3, HeartbeatOutcome.Malformed)]
    [InlineData(72 + 9, 0, HeartbeatOutcome.Malformed)]
    [InlineData(72 + 11, 5, HeartbeatOutcome.Malformed)]
    [InlineData(72 + 15, 0, HeartbeatOutcome.Malformed)]
    public void What_cannot_be_has_a_name_even_with_the_right_key(int at, int value, HeartbeatOutcome expected)
    {
        byte[] message = Encode(IPv4, IPv6);
        message[at] = (byte)value;

        Assert.Equal(expected, Decode(Signed(message)));
    }

    [Fact]
    public void A_life_without_a_number_cannot_be()
    {
        byte[] message = Encode(IPv4);
        message.AsSpan(24, 8).Clear();

        Assert.Equal(HeartbeatOutcome.Malformed, Decode(Signed(message)));
    }

    [Fact]
    public void No_length_is_read_beyond()
    {
        byte[] message = Encode(IPv4, IPv6);

        for (int length = 0; length < message.Length; length++)
            Assert.Contains(Decode(message[..length]), (HeartbeatOutcome[])[HeartbeatOutcome.WrongLength, HeartbeatOutcome.NotAuthentic]);
        Assert.Equal(HeartbeatOutcome.NotAuthentic, Decode([.. message, 0]));
    }

    [Fact]
    public void Random_bytes_with_the_right_key_never_throw()
    {
        Random random = new(8112);
        byte[] buffer = new byte[400];
        HashSet<HeartbeatOutcome> seen = [];
        for (int i = 0; i < 100_000; i++)
        {
            random.NextBytes(buffer);
            "BHB\u0001"u8.CopyTo(buffer);
            buffer[7] = (byte)random.Next(4);
            byte[] message = buffer[..random.Next(88, 140)];
            seen.Add(Decode(random.Next(2) == 0 ? message : Signed(message)));
        }

        Assert.Contains(HeartbeatOutcome.Malformed, seen);
        Assert.Contains(HeartbeatOutcome.Taken, seen);
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.2")]
    [InlineData("9.255.255.255", "128.0.0.1")]
    [InlineData("fe80::1", "fe80::1:0")]
    [InlineData("2001:db8::ffff", "fe80::1")]
    public void Addresses_are_compared_as_unsigned_numbers_in_network_order_6_4_3(string lower, string higher) =>
        Assert.True(HeartbeatInstance.Number(IPAddress.Parse(lower)) < HeartbeatInstance.Number(IPAddress.Parse(higher)));

    [Fact]
    public void An_instance_is_the_same_where_family_id_and_name_agree()
    {
        ulong key = Heartbeat.InstanceKey(AddressFamily.InterNetwork, 51, "web-vip");

        Assert.Equal(key, Heartbeat.InstanceKey(AddressFamily.InterNetwork, 51, "web-vip"));
        Assert.NotEqual(key, Heartbeat.InstanceKey(AddressFamily.InterNetworkV6, 51, "web-vip"));
        Assert.NotEqual(key, Heartbeat.InstanceKey(AddressFamily.InterNetwork, 52, "web-vip"));
        Assert.NotEqual(key, Heartbeat.InstanceKey(AddressFamily.InterNetwork, 51, "web"));
    }

    private static byte[] Encode(params HeartbeatInstance[] instances)
    {
        byte[] buffer = new byte[HeartbeatCodec.MaxLength];
        return buffer[..Codec.Encode(Sent, instances, buffer)];
    }

    private static HeartbeatOutcome Decode(byte[] message) => Codec.TryDecode(message, new HeartbeatInstance[Heartbeat.MaxInstances], out _);

    /// <summary>With the HMAC that its bytes need: what an honest peer with a fault would send.</summary>
    private static byte[] Signed(byte[] message)
    {
        Codec.Sign(message.AsSpan(0, message.Length - 16), message.AsSpan(message.Length - 16));
        return message;
    }
}
