using System.Text;
using Bascule.Core.Config;

namespace Bascule.Core.Tests.Config;

/// <summary>Whatever is in the file: an answer, never an exception, and never both a configuration and problems.</summary>
public sealed class MutationTests
{
    private const int Rounds = 3_000;

    /// <summary>What takes milliseconds, on a machine that has other things to do. (What this guards against, brackets in brackets, took minutes.)</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ": ", ",", "- ", "? ", "&a ", "*a", "!!map ", "<<: ", "|\n", ">\n", "\"", "'", "\\", "\\U99999999", "#", "%YAML 1.1\n", "---\n",
        "...\n", "\t", "\n", "\r", "  ", "~", "null", "@", "`", "\u00E9", "\U0001F600", "0", "99999999999999999999", "-1", "*:80", "[::]:80", "1h1ms", "realServers",
        "virtualServers:\n", "check: http", "((a{1000}){1000}){1000}",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void No_damage_to_a_good_file_throws_or_hangs(int seed)
    {
        Random random = new(seed);
        byte[][] good = [.. Directory.GetFiles(Path.Combine(TestFolder.Here(), "cases"), "*.case").Order(StringComparer.Ordinal).Select(Input)];
        for (int round = 0; round < Rounds; round++)
        {
            byte[] damaged = Damage(good[random.Next(good.Length)], random);
            long start = TimeProvider.System.GetTimestamp();

            CheckedConfiguration read = Check(damaged);

            Assert.Equal(read.Meant is null, !read.Problems.IsEmpty);
            Assert.All(read.Problems, p => Assert.True(p.At is { Line: > 0, Column: > 0 } && p.What.Length > 0 && p.Hint.Length > 0));
            Assert.Equal(read.Problems.OrderBy(p => p.At.Line).ThenBy(p => p.At.Column), read.Problems);
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Longest, $"took too long: {Convert.ToBase64String(damaged)}");
        }
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData("a: ")]
    [InlineData("\"")]
    [InlineData("|\n")]
    [InlineData("&a ")]
    [InlineData("!a ")]
    [InlineData("a,")]
    [InlineData("a:\n")]
    [InlineData("a\n")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("# a\n")]
    [InlineData("---\n")]
    [InlineData("*a ")]
    public void Much_of_the_same_does_not_hang(string piece)
    {
        byte[] much = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(piece, 200_000 / piece.Length)));
        long start = TimeProvider.System.GetTimestamp();

        Assert.NotEmpty(Check(much).Problems);

        Assert.True(TimeProvider.System.GetElapsedTime(start) < Longest);
    }

    private static CheckedConfiguration Check(byte[] bytes)
    {
        try
        {
            return ConfigurationText.Check(bytes);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"threw on {Convert.ToBase64String(bytes[..int.Min(bytes.Length, 20_000)])}", e);
        }
    }

    private static byte[] Input(string file) => Encoding.UTF8.GetBytes(File.ReadAllText(file).Split(new string('-', 60))[0]);

    private static byte[] Damage(byte[] good, Random random)
    {
        List<byte> bytes = [.. good];
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            int at = random.Next(bytes.Count + 1);
            int length = random.Next(int.Min(20, bytes.Count - at) + 1);
            switch (random.Next(5))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                    break;
                case 2 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
            }
        }

        return [.. bytes];
    }
}
