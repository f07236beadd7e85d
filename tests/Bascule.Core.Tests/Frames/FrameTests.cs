using Bascule.Core.Frames;

namespace Bascule.Core.Tests.Frames;

public sealed class FrameTests
{
    private static readonly byte[] Here = [2, 0, 0, 0, 0, 1];
    private static readonly byte[] There = [2, 0, 0, 0, 0, 2];

    [Fact]
    public void A_frame_has_every_byte_where_the_standards_put_it()
    {
        string frame = Convert.ToHexStringLower(Frame("udp 198.51.100.7:4242 > 192.0.2.53:53"));

        Assert.Equal("020000000001" + "020000000002" + "0800"
            + "4500001c000040003f114f61" + "c6336407" + "c0000235" // the IPv4 checksum as Python's struct and a plain loop find it
            + "10920035" + "0008" + "02a7", frame);
    }

    [Theory]
    [InlineData("tcp 198.51.100.7:4242 > 192.0.2.10:80")]
    [InlineData("udp 198.51.100.7:4242 > 192.0.2.53:53")]
    [InlineData("icmp 198.51.100.7 > 192.0.2.10")]
    [InlineData("tcp [2001:db8::7]:4242 > [2001:db8::10]:80")]
    [InlineData("udp [2001:db8::7]:4242 > [2001:db8::10]:80")]
    [InlineData("icmp 2001:db8::7 > 2001:db8::10")]
    public void A_receiver_finds_every_checksum_right(string text)
    {
        byte[] frame = Frame(text);
        bool isIPv4 = frame[12] == 8;
        int transport = isIPv4 ? 34 : 54;
        byte[] addresses = isIPv4 ? frame[26..34] : frame[22..54];
        int protocol = isIPv4 ? frame[23] : frame[20];
        byte[] pseudo = protocol == 1 ? [] : [.. addresses, 0, (byte)protocol, 0, (byte)(frame.Length - transport)];

        Assert.Equal(0xFFFF, Sum([.. pseudo, .. frame[transport..]]));
        if (isIPv4)
            Assert.Equal(0xFFFF, Sum(frame[14..34]));
    }

    [Fact]
    public void Says_what_a_frame_is_from_the_outside_in() => Assert.Equal(
    [
        "Ethernet 02:00:00:00:00:02 > 02:00:00:00:00:01",
        "IPv4 198.51.100.7 > 192.0.2.10 ttl 63",
        "TCP 4242 > 80 [syn]",
    ], FrameText.Describe(Frame("tcp 198.51.100.7:4242 > 192.0.2.10:80"), guePort: 0));

    [Theory]
    [InlineData(4, 0, "", "IPv4 10.0.0.1 > 10.0.0.11 ttl 64")]
    [InlineData(47, 0, "00000800", "GRE")]
    [InlineData(17, 6080, "c00117c000440000", "UDP 49153 > 6080 (GUE)")]
    public void Looks_into_tunnels(int protocol, int guePort, string between, string last)
    {
        byte[] inner = Frame("udp 198.51.100.7:4242 > 192.0.2.53:53")[14..];
        byte[] outer = [0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, (byte)protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 11];
        byte[] frame = [.. Here, .. There, 0x81, 0, 0, 17, 8, 0, .. outer, .. Convert.FromHexString(between), .. inner];

        IReadOnlyList<string> lines = FrameText.Describe(frame, guePort);

        string[] expected = ["Ethernet 02:00:00:00:00:02 > 02:00:00:00:00:01", "VLAN 17", "IPv4 10.0.0.1 > 10.0.0.11 ttl 64", last, "IPv4 198.51.100.7 > 192.0.2.53 ttl 63", "UDP 4242 > 53"];
        Assert.Equal(expected.Distinct(), lines);
    }

    [Fact]
    public void A_frame_that_is_cut_short_says_so_wherever_that_is()
    {
        byte[] frame = Frame("tcp [2001:db8::7]:4242 > [2001:db8::10]:80");
        for (int length = 0; length < frame.Length; length++)
            Assert.Contains("cut short", FrameText.Describe(frame.AsSpan(0, length), 0)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_have_an_answer()
    {
        Random random = new(5);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] frame = Frame(round % 2 == 0 ? "tcp 198.51.100.7:4242 > 192.0.2.10:80" : "udp [2001:db8::7]:4242 > [2001:db8::10]:6080");
            for (int i = random.Next(1, 6); i > 0; i--)
                frame[random.Next(12, frame.Length)] = (byte)random.Next(256);

            Assert.NotEmpty(FrameText.Describe(frame.AsSpan(0, random.Next(frame.Length)), 6080));
        }
    }

    private static byte[] Frame(string text) => FrameBuilder.Build(PacketText.Parse(text, null, out _)!, Here, There);

    private static int Sum(byte[] bytes)
    {
        int sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
            sum += (bytes[i] << 8) + bytes[i + 1];
        return (sum & 0xFFFF) + (sum >> 16);
    }
}
