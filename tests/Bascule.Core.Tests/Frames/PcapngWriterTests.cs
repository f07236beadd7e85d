using System.Buffers;
using Bascule.Core.Api;
using Bascule.Core.Frames;

namespace Bascule.Core.Tests.Frames;

public sealed class PcapngWriterTests
{
    private static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000).AddMicroseconds(123_456);

    [Fact]
    public void Writes_the_blocks_of_the_standard_byte_for_byte()
    {
        ArrayBufferWriter<byte> to = new();
        PcapngWriter pcapng = new(to, snapshotLength: 2048);

        pcapng.Begin("me");
        pcapng.Write(new(Then, "eth0", IsOutgoing: false, Number: 7, Length: 60, Verdict: 0, RealServer: null, new byte[] { 1, 2, 3, 4, 5 }));

        Assert.Equal(string.Concat(
            // section header: type, length, byte order, version 1.0, length unknown, shb_userappl "me", end, length
            "0a0d0d0a", "28000000", "4d3c2b1a", "0100", "0000", "ffffffffffffffff", "04000200", "6d650000", "00000000", "28000000",
            // interface description: Ethernet, snapshot length, if_name "eth0", if_tsresol 9, end
            "01000000", "28000000", "0100", "0000", "00080000", "02000400", "65746830", "09000100", "09000000", "00000000", "28000000",
            // enhanced packet: interface 0, nanoseconds 0x17979cfe3d85ca00 high and low, captured 5, original 60, data
            "06000000", "50000000", "00000000", "fe9c9717", "00ca853d", "05000000", "3c000000", "0102030405000000",
            // epb_flags inbound, epb_packetid 7, comment, end
            "02000400", "01000000", "05000800", "0700000000000000", "01000a00", "61732069742063616d650000", "00000000", "50000000"), Convert.ToHexStringLower(to.WrittenSpan));
    }

    [Fact]
    public void Describes_an_interface_once_and_says_what_became_of_a_packet()
    {
        ArrayBufferWriter<byte> to = new();
        PcapngWriter pcapng = new(to, 2048);
        pcapng.Begin("me");
        int begun = to.WrittenCount;

        pcapng.Write(Frame("eth0", verdict: 3, "10.0.0.11:80"));
        pcapng.Write(Frame("eth1", verdict: 1, null));
        pcapng.Write(Frame("eth0", verdict: 2, null));

        string text = System.Text.Encoding.ASCII.GetString(to.WrittenSpan);
        Assert.Equal((1, 1), (Count(text, "eth0"), Count(text, "eth1")));
        Assert.Equal((1, 1, 1), (Count(text, "to 10.0.0.11:80"), Count(text, "dropped"), Count(text, "to the director's own stack")));
        Assert.Equal(["1", "6", "1", "6", "6"], Types(to.WrittenSpan[begun..]));
        // epb_verdict: Linux eBPF XDP, XDP_TX
        Assert.Contains("07000900" + "02" + "0300000000000000" + "000000", Convert.ToHexStringLower(to.WrittenSpan), StringComparison.Ordinal);
    }

    private static CapturedFrame Frame(string name, int verdict, string? realServer) => new(Then, name, IsOutgoing: true, 7, 60, verdict, realServer, new byte[60]);

    private static int Count(string text, string what) => text.Split(what).Length - 1;

    /// <summary>The types of the blocks; each must end with the length it begins with.</summary>
    private static List<string> Types(ReadOnlySpan<byte> blocks)
    {
        List<string> types = [];
        while (!blocks.IsEmpty)
        {
            int length = BitConverter.ToInt32(blocks[4..8]);
            types.Add($"{BitConverter.ToInt32(blocks[..4])}");
            Assert.Equal(length, BitConverter.ToInt32(blocks[(length - 4)..length]));
            blocks = blocks[length..];
        }

        return types;
    }
}
