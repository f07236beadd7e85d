using Bascule.Core.Frames;

namespace Bascule.Core.Tests.Frames;

public sealed class PacketTextTests
{
    [Theory]
    [InlineData("tcp 198.51.100.7:4242 > 192.0.2.10:80", null, "tcp 198.51.100.7:4242 > 192.0.2.10:80 [syn]")]
    [InlineData("TCP 198.51.100.7:4242>192.0.2.10:80", "ack", "tcp 198.51.100.7:4242 > 192.0.2.10:80 [ack]")]
    [InlineData("tcp [2001:db8::7]:4242 > [2001:db8::10]:80", "syn,ack", "tcp [2001:db8::7]:4242 > [2001:db8::10]:80 [syn, ack]")]
    [InlineData("tcp 198.51.100.7:4242 > 192.0.2.10:80", "FIN+ACK", "tcp 198.51.100.7:4242 > 192.0.2.10:80 [fin, ack]")]
    [InlineData("tcp 198.51.100.7:4242 > 192.0.2.10:80", "none", "tcp 198.51.100.7:4242 > 192.0.2.10:80")]
    [InlineData("  udp\t198.51.100.7:4242  >  192.0.2.53:53 ", null, "udp 198.51.100.7:4242 > 192.0.2.53:53")]
    [InlineData("icmp 198.51.100.7 > 192.0.2.10", null, "icmp 198.51.100.7 > 192.0.2.10")]
    [InlineData("icmp 2001:db8::7 > [2001:db8::10]", null, "icmp 2001:db8::7 > 2001:db8::10")]
    public void Reads_a_packet_as_people_write_it(string text, string? flags, string meant)
    {
        PacketText? packet = PacketText.Parse(text, flags, out string? complaint);

        Assert.Null(complaint);
        Assert.Equal(meant, packet!.ToString());
    }

    [Theory]
    [InlineData("", null, "a packet is written as PROTOCOL SOURCE > DESTINATION, such as \"tcp 198.51.100.7:4242 > 192.0.2.10:80\"")]
    [InlineData("tcp 1.2.3.4:5 192.0.2.10:80", null, "a packet is written as")]
    [InlineData("sctp 1.2.3.4:5 > 192.0.2.10:80", null, "there is no protocol `sctp` (there are tcp, udp and icmp)")]
    [InlineData("tcp 1.2.3.4 > 192.0.2.10:80", null, "the source `1.2.3.4` has no port (write 1.2.3.4:80, or another port)")]
    [InlineData("tcp 1.2.3.4:5 > 2001:db8::1", null, "the destination `2001:db8::1` has no port (write [2001:db8::1]:80, or another port)")]
    [InlineData("tcp [2001:db8::1] > [2001:db8::2]:80", null, "the source `[2001:db8::1]` has no port")]
    [InlineData("tcp 1.2.3.4:0 > 192.0.2.10:80", null, "the source `1.2.3.4:0` has no port that exists (ports are 1 to 65535)")]
    [InlineData("tcp 1.2.3.4:5 > 192.0.2.10:http", null, "the destination `192.0.2.10:http` has no port that exists")]
    [InlineData("tcp example.org:5 > 192.0.2.10:80", null, "the source `example.org:5` is not an IP address with a port (names are not resolved)")]
    [InlineData("tcp 1.2.3:5 > 192.0.2.10:80", null, "the source `1.2.3:5` is not an IP address")]
    [InlineData("tcp 1.2.3.4:5 > [2001:db8::1]:80", null, "1.2.3.4 is IPv4 and 2001:db8::1 is IPv6 (one packet has addresses of one family)")]
    [InlineData("icmp 1.2.3.4:5 > 192.0.2.10", null, "the source `1.2.3.4:5` is not an IP address (icmp has no ports")]
    [InlineData("tcp fe80::1%eth0 > fe80::2", null, "the source `fe80::1%eth0` has a zone")]
    [InlineData("tcp 1.2.3.4:5 > 192.0.2.10:80", "urgent", "there is no flag `urgent` (there are syn, ack, fin, rst, psh and none; several with commas: syn,ack)")]
    [InlineData("tcp 1.2.3.4:5 > 192.0.2.10:80", "2", "there is no flag `2`")]
    [InlineData("tcp 1.2.3.4:5 > 192.0.2.10:80", "", "there is no flag ``")]
    [InlineData("udp 1.2.3.4:5 > 192.0.2.10:80", "syn", "only tcp has flags (leave --flags out)")]
    public void Says_what_is_wrong_with_a_packet_and_what_to_write(string text, string? flags, string beginning)
    {
        Assert.Null(PacketText.Parse(text, flags, out string? complaint));

        Assert.StartsWith(beginning, complaint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(20260903)]
    public void No_text_throws_and_none_is_both_right_and_wrong(int seed)
    {
        Random random = new(seed);
        const string pieces = "tcp udp icmp > : [ ] . % , 1 0 255 65536 ::1 198.51.100.7 192.0.2.10:80 \0 \n é";
        string[] words = pieces.Split(' ');
        for (int round = 0; round < 20_000; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => words[random.Next(words.Length)] + (random.Next(2) == 0 ? " " : "")));

            PacketText? packet = PacketText.Parse(text, random.Next(2) == 0 ? null : words[random.Next(words.Length)], out string? complaint);

            Assert.Equal(packet is null, complaint is not null);
        }
    }
}
