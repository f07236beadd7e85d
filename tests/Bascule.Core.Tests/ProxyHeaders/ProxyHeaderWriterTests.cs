using System.Net;
using System.Text;
using Bascule.Core.Model;
using Bascule.Core.ProxyHeaders;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.ProxyHeaders;

public sealed class ProxyHeaderWriterTests
{
    [Theory]
    [InlineData("203.0.113.7:51234", "192.0.2.10:443", "PROXY TCP4 203.0.113.7 192.0.2.10 51234 443\r\n")]
    [InlineData("[2001:db8::7]:1", "[2001:db8:0:1::a]:80", "PROXY TCP6 2001:db8::7 2001:db8:0:1::a 1 80\r\n")]
    [InlineData("203.0.113.7:51234", "[2001:db8::a]:443", "PROXY TCP6 ::ffff:203.0.113.7 2001:db8::a 51234 443\r\n")]
    [InlineData("[2001:db8::7]:1", "192.0.2.10:443", "PROXY TCP6 2001:db8::7 ::ffff:192.0.2.10 1 443\r\n")]
    public void Version_1_is_a_line(string client, string destination, string line) =>
        Assert.Equal(line, Encoding.ASCII.GetString(Written(ProxyProtocolVersion.V1, client, destination)));

    [Theory]
    [InlineData("203.0.113.7:51234", "192.0.2.10:443", "21 11 000C CB007107 C000020A C822 01BB")]
    [InlineData("[2001:db8::7]:51234", "[2001:db8::a]:443", "21 21 0024 20010DB8000000000000000000000007 20010DB800000000000000000000000A C822 01BB")]
    [InlineData("203.0.113.7:51234", "[2001:db8::a]:443", "21 21 0024 00000000000000000000FFFFCB007107 20010DB800000000000000000000000A C822 01BB")]
    public void Version_2_is_binary(string client, string destination, string hex) =>
        Assert.Equal(ProxyHeaderReaderTests.Bytes("0D0A0D0A000D0A515549540A" + hex), Written(ProxyProtocolVersion.V2, client, destination));

    [Fact]
    public void The_longest_line_fits_the_room_that_is_promised() =>
        Assert.Equal(104, Written(ProxyProtocolVersion.V1, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535").Length);

    [Theory]
    [InlineData(ProxyProtocolVersion.V1)]
    [InlineData(ProxyProtocolVersion.V2)]
    public void What_is_written_for_nobody_is_read_as_such(ProxyProtocolVersion version)
    {
        byte[] header = ProxyHeaderWriter.OfNobody(version);

        Assert.Equal(ProxyHeaderResult.Complete, ProxyHeaderReader.Read(header, out ProxyHeader read));
        Assert.Equal((header.Length, false), (read.Length, read.HasAddresses));
    }

    [Theory]
    [InlineData(ProxyProtocolVersion.V1)]
    [InlineData(ProxyProtocolVersion.V2)]
    public void What_is_written_is_read_as_it_was_meant(ProxyProtocolVersion version)
    {
        Random random = new(1);
        Span<byte> room = stackalloc byte[ProxyHeader.LongestWritten];
        for (int i = 0; i < 10_000; i++)
        {
            (ClientAddress client, ClientAddress destination) = (Any(random), Any(random));

            int length = ProxyHeaderWriter.Write(version, client, destination, room);

            Assert.Equal(ProxyHeaderResult.Complete, ProxyHeaderReader.Read(room[..length], out ProxyHeader header));
            Assert.Equal((length, true, client, destination), (header.Length, header.HasAddresses, header.Source, header.Destination));
        }
    }

    [Fact]
    public void Addresses_are_written_as_everybody_writes_them()
    {
        Random random = new(2);
        Span<byte> room = stackalloc byte[AddressText.Longest];
        for (int i = 0; i < 10_000; i++)
        {
            ClientAddress address = Any(random);

            int length = AddressText.Write(address, room);

            Assert.Equal(IPEndPoint.Parse(ProxyHeaderReaderTests.InWords(address)).Address.ToString(), Encoding.ASCII.GetString(room[..length]));
        }
    }

    private static byte[] Written(ProxyProtocolVersion version, string client, string destination)
    {
        byte[] room = new byte[ProxyHeader.LongestWritten];
        return room[..ProxyHeaderWriter.Write(version, ClientAddress.Of(IPEndPoint.Parse(client)), ClientAddress.Of(IPEndPoint.Parse(destination)), room)];
    }

    /// <summary>IPv6 with zeros in all places, and never what stands for an IPv4 address.</summary>
    private static ClientAddress Any(Random random)
    {
        ushort port = (ushort)random.Next(65536);
        if (random.Next(2) == 0)
            return new(0, (uint)random.NextInt64(), port, IsIpv4: true);
        byte[] bytes = new byte[16];
        random.NextBytes(bytes);
        for (int group = 1; group < 8; group++)
        {
            if (random.Next(2) == 0)
                bytes[2 * group] = bytes[(2 * group) + 1] = 0;
        }

        bytes[0] = 0x20;
        return ClientAddress.Of(bytes, port);
    }
}
