using System.Globalization;
using System.Net;
using System.Text;
using Bascule.Core.ProxyHeaders;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.ProxyHeaders;

public sealed class ProxyHeaderReaderTests
{
    private const string Signature = "0D0A0D0A000D0A515549540A";
    private const string Addresses4 = "CB007107 C000020A C822 01BB"; // 203.0.113.7:51234 to 192.0.2.10:443

    [Theory]
    [InlineData("PROXY TCP4 203.0.113.7 192.0.2.10 51234 443\r\n", "203.0.113.7:51234", "192.0.2.10:443")]
    [InlineData("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n", "255.255.255.255:0", "0.0.0.0:65535")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:DB8:0:0:0:0:0:A 51234 443\r\n", "[2001:db8::7]:51234", "[2001:db8::a]:443")]
    [InlineData("PROXY TCP6 ffff:f:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", "[ffff:f:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    [InlineData("PROXY TCP6 ::ffff:203.0.113.7 2001:db8::a 51234 443\r\n", "203.0.113.7:51234", "[2001:db8::a]:443")]
    public void Of_version_1_both_addresses_are_read(string line, string client, string destination)
    {
        ProxyHeader header = Complete(Encoding.ASCII.GetBytes(line));

        Assert.Equal(line.Length, header.Length);
        Assert.Equal((client, destination), (InWords(header.Source), InWords(header.Destination)));
    }

    [Theory]
    [InlineData("21 11 000C " + Addresses4, "203.0.113.7:51234", "192.0.2.10:443")]
    [InlineData("21 21 0024 20010DB8000000000000000000000007 20010DB800000000000000000000000A C822 01BB", "[2001:db8::7]:51234", "[2001:db8::a]:443")]
    [InlineData("21 21 0024 00000000000000000000FFFFCB007107 20010DB800000000000000000000000A C822 01BB", "203.0.113.7:51234", "[2001:db8::a]:443")]
    [InlineData("21 11 0018 " + Addresses4 + "01 0002 6832 04 0004 00000000", "203.0.113.7:51234", "192.0.2.10:443")] // ALPN h2, NOOP
    public void Of_version_2_both_addresses_are_read_and_TLVs_skipped(string hex, string client, string destination)
    {
        ProxyHeader header = Complete(Bytes(Signature + hex));

        Assert.Equal(Bytes(Signature + hex).Length, header.Length);
        Assert.Equal((client, destination), (InWords(header.Source), InWords(header.Destination)));
    }

    [Theory]
    [InlineData("20 00 0000")] // LOCAL
    [InlineData("20 11 000C " + Addresses4)] // LOCAL, whose addresses are to be ignored
    [InlineData("20 11 0003 FFFFFF")]
    [InlineData("21 00 0000")] // AF_UNSPEC
    [InlineData("21 00 0006 04 0003 000000")]
    [InlineData("21 12 000C " + Addresses4)] // over UDP, which this connection is not
    public void Where_nobody_is_named_the_connections_own_addresses_stay(string hex) => Assert.False(Complete(Bytes(Signature + hex)).HasAddresses);

    [Fact]
    public void Unix_sockets_have_no_addresses()
    {
        Assert.False(Complete(Bytes(Signature + "21 31 00D8" + new string('0', 432))).HasAddresses);
        Assert.False(Complete("PROXY UNKNOWN\r\n"u8).HasAddresses);
        Assert.False(Complete("PROXY UNKNOWN ffff:f:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"u8).HasAddresses);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n")]
    [InlineData("PROXYTCP4 1.2.3.4 1.2.3.4 1 1\r\n")]
    [InlineData("\r\n\r\nGET / HTTP/1.1\r\n\r\n")]
    [InlineData("\x16\x03\x01")]
    public void Other_bytes_are_no_header(string bytes) => Assert.Equal(ProxyHeaderResult.Missing, Read(Encoding.Latin1.GetBytes(bytes)));

    [Theory]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n")]
    [InlineData("PROXY UNKNOWNS\r\n")]
    [InlineData("PROXY TCP4\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n")]
    [InlineData("PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4.5 1.2.3.4 1 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 01\r\n")]
    [InlineData("PROXY TCP4 ::1 ::1 1 1\r\n")]
    [InlineData("PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n")]
    [InlineData("PROXY TCP6 ::1%eth0 ::1 1 1\r\n")]
    [InlineData("PROXY TCP6 [::1] ::1 1 1\r\n")]
    public void A_line_that_is_not_exactly_one_is_malformed(string line) => Assert.Equal(ProxyHeaderResult.Malformed, Read(Encoding.ASCII.GetBytes(line)));

    [Theory]
    [InlineData("11 11 000C " + Addresses4)] // version 1
    [InlineData("22 11 000C " + Addresses4)] // no such command
    [InlineData("21 41 000C " + Addresses4)] // no such family
    [InlineData("21 13 000C " + Addresses4)] // no such transport
    [InlineData("21 11 000B CB007107 C000020A C822 01")]
    [InlineData("21 21 0023 20010DB8000000000000000000000007 20010DB800000000000000000000000A C822 01")]
    [InlineData("21 11 000D " + Addresses4 + "04")] // half a TLV
    [InlineData("21 11 0010 " + Addresses4 + "04 0002 00")]
    public void A_binary_header_that_contradicts_itself_is_malformed(string hex) => Assert.Equal(ProxyHeaderResult.Malformed, Read(Bytes(Signature + hex)));

    [Fact]
    public void A_header_may_come_byte_by_byte()
    {
        foreach (byte[] whole in (byte[][])["PROXY TCP4 203.0.113.7 192.0.2.10 51234 443\r\n"u8.ToArray(), Bytes(Signature + "21 11 0013" + Addresses4 + "04 0004 00000000")])
        {
            for (int length = 0; length < whole.Length; length++)
                Assert.Equal(ProxyHeaderResult.Incomplete, Read(whole.AsSpan(0, length)));
            Assert.Equal(whole.Length, Complete([.. whole, .. "GET / HTTP/1.1\r\n"u8]).Length);
        }
    }

    [Fact]
    public void Headers_have_a_longest()
    {
        Assert.Equal(ProxyHeaderResult.Incomplete, Read(Line(106)));
        Assert.Equal(ProxyHeaderResult.TooLong, Read(Line(107)));
        Assert.Equal(ProxyHeaderResult.TooLong, Read([.. Line(106), .. "\r\n"u8]));
        Assert.Equal(4096, Complete(WithTlv(4096)).Length);
        Assert.Equal(ProxyHeaderResult.TooLong, Read(WithTlv(4097)));

        static byte[] Line(int length) => [.. "PROXY UNKNOWN "u8, .. Enumerable.Repeat((byte)'x', length - 14)];

        static byte[] WithTlv(int length)
        {
            byte[] header = new byte[length];
            Bytes(Signature + "21 11").CopyTo(header, 0);
            (header[14], header[15]) = ((byte)((length - 16) >> 8), (byte)(length - 16));
            (header[28], header[29], header[30]) = (0x04, (byte)((length - 31) >> 8), (byte)(length - 31));
            return header;
        }
    }

    [Fact]
    public void A_checksum_must_fit()
    {
        byte[] header = Bytes(Signature + "21 11 0013" + Addresses4 + "03 0004 00000000");
        uint checksum = Crc32c(header);
        (header[31], header[32], header[33], header[34]) = ((byte)(checksum >> 24), (byte)(checksum >> 16), (byte)(checksum >> 8), (byte)checksum);

        Assert.Equal("203.0.113.7:51234", InWords(Complete(header).Source));
        for (int bit = 16 * 8; bit < 28 * 8; bit++)
        {
            byte[] broken = [.. header];
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(ProxyHeaderResult.WrongChecksum, Read(broken));
        }

        // Bit by bit, as RFC 3720 §12.1 defines it.
        static uint Crc32c(ReadOnlySpan<byte> bytes)
        {
            uint crc = uint.MaxValue;
            foreach (byte value in bytes)
            {
                crc ^= value;
                for (int i = 0; i < 8; i++)
                    crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
            }

            return ~crc;
        }
    }

    [Fact]
    public void No_change_of_a_header_throws_and_none_is_longer_than_what_there_is()
    {
        Random random = new(1);
        byte[][] seeds =
        [
            "PROXY TCP4 203.0.113.7 192.0.2.10 51234 443\r\nGET"u8.ToArray(),
            "PROXY TCP6 2001:db8::7 ::ffff:1.2.3.4 51234 443\r\n"u8.ToArray(),
            Bytes(Signature + "21 11 0013" + Addresses4 + "03 0004 00000000"),
            Bytes(Signature + "21 21 0024 20010DB8000000000000000000000007 20010DB800000000000000000000000A C822 01BB"),
        ];
        for (int i = 0; i < 100_000; i++)
        {
            byte[] mutated = [.. seeds[i % seeds.Length]];
            for (int change = random.Next(1, 4); change > 0; change--)
                mutated[random.Next(mutated.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"0.:f \r\n"[random.Next(7)];
            int length = random.Next(mutated.Length + 1);

            ProxyHeaderResult result = ProxyHeaderReader.Read(mutated.AsSpan(0, length), out ProxyHeader header);

            if (result == ProxyHeaderResult.Complete)
                Assert.InRange(header.Length, 15, length);
        }
    }

    internal static string InWords(in ClientAddress address)
    {
        byte[] bytes = new byte[16];
        return new IPEndPoint(new IPAddress(bytes.AsSpan(0, address.WriteTo(bytes))), address.Port).ToString();
    }

    internal static byte[] Bytes(string hex) =>
        [.. hex.Replace(" ", "", StringComparison.Ordinal).Chunk(2).Select(pair => byte.Parse(pair, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];

    private static ProxyHeaderResult Read(ReadOnlySpan<byte> bytes) => ProxyHeaderReader.Read(bytes, out _);

    private static ProxyHeader Complete(ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(ProxyHeaderResult.Complete, ProxyHeaderReader.Read(bytes, out ProxyHeader header));
        return header;
    }
}
