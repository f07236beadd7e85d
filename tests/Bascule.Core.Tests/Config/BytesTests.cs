using System.Text;
using Bascule.Core.Config;

namespace Bascule.Core.Tests.Config;

/// <summary>What cannot stand in a case file: bytes that are not text, and too many of them.</summary>
public sealed class BytesTests
{
    private const string Good = "virtualServers: { web: { address: 192.0.2.10:80, realServers: [10.0.0.1] } }\n";

    [Fact]
    public void A_byte_order_mark_means_nothing_and_moves_nothing()
    {
        byte[] marked = [.. Encoding.UTF8.Preamble, .. "workers: 0\n"u8, .. Encoding.UTF8.GetBytes(Good)];

        Assert.StartsWith("f:1:10: `workers: 0`", Only(marked));
    }

    [Fact]
    public void Windows_line_ends_count_lines_like_any_other()
    {
        Assert.StartsWith("f:2:10: `workers: 0`", Only(Encoding.UTF8.GetBytes("# one\r\nworkers: 0\r\n" + Good)));
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void Utf_16_is_named(string encoding)
    {
        Encoding utf16 = Encoding.GetEncoding(encoding);

        Assert.Equal("f:1:1: the file is UTF-16 (save it as UTF-8)", Only([.. utf16.GetPreamble(), .. utf16.GetBytes(Good)]));
    }

    [Fact]
    public void A_byte_that_is_not_utf_8_is_found_where_it_stands()
    {
        byte[] latin1 = [.. "# one\n# caf"u8, 0xE9, .. "\n"u8];

        Assert.StartsWith("f:2:6: the byte 0xE9 here is not UTF-8 (", Only(latin1));
    }

    [Fact]
    public void A_program_is_not_a_text_file()
    {
        byte[] program = File.ReadAllBytes(typeof(BytesTests).Assembly.Location);

        Assert.StartsWith("f:1:1: the file holds zero bytes, so it is not a text file (", Only(program));
    }

    [Theory]
    [InlineData('\u0007')]
    [InlineData('\u001B')]
    [InlineData('\u007F')]
    [InlineData('\u0085')]
    [InlineData('\u2028')]
    [InlineData('\uFEFF')]
    public void An_invisible_character_is_found_where_it_stands(char invisible)
    {
        Assert.StartsWith($"f:2:4: the invisible character U+{(int)invisible:X4} stands here (", Only(Encoding.UTF8.GetBytes($"# a\n# b{invisible}\n{Good}")));
    }

    [Fact]
    public void A_file_larger_than_the_maximum_is_refused_unread()
    {
        Assert.StartsWith("f:1:1: the file is larger than 4 MiB (", Only(new byte[ConfigurationText.MaximumBytes + 1]));
    }

    [Fact]
    public void A_file_of_nearly_the_maximum_is_read_whole()
    {
        StringBuilder large = new("virtualServers:\n  web:\n    address: 192.0.2.10:80\n    realServers:\n");
        for (int i = 0; large.Length < ConfigurationText.MaximumBytes - 40; i++)
            large.Append("      - { address: 10.").Append(i >> 16).Append('.').Append((i >> 8) & 255).Append('.').Append(i & 255).Append(", weight: 3 }\n");

        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(large.ToString()));

        Assert.Empty(read.Problems);
        Assert.True(read.Meant!.VirtualServers[0].RealServers.Count > 80_000);
    }

    [Fact]
    public void The_list_of_problems_has_an_end()
    {
        string many = "virtualServers:\n  web:\n    address: 192.0.2.10:80\n    realServers:\n" + string.Concat(Enumerable.Repeat("      - nowhere\n", 5000));

        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(many));

        Assert.Null(read.Meant);
        Assert.Equal(201, read.Problems.Length);
        Assert.Equal("f:204:9: more problems follow; only 200 are listed (fix these first, then check again)", read.Problems[^1].Format("f"));
    }

    private static string Only(byte[] bytes) => Assert.Single(ConfigurationText.Check(bytes).Problems).Format("f");
}
