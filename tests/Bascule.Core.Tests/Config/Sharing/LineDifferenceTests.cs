using Bascule.Core.Config.Sharing;

namespace Bascule.Core.Tests.Config.Sharing;

public sealed class LineDifferenceTests
{
    [Fact]
    public void The_same_text_has_no_difference() => Assert.Empty(LineDifference.Between("a\nb\n", "a\nb\n"));

    [Fact]
    public void What_only_one_has_is_marked_and_what_both_have_stands_around_it() =>
        Assert.Equal([" a", "-b", "+B", " c", "+d"], LineDifference.Between("a\nb\nc\n", "a\nB\nc\nd\n").ToArray());

    [Fact]
    public void What_is_far_from_any_difference_is_left_out() =>
        Assert.Equal([" 7", " 8", " 9", "-x", " 1", " 2", " 3", "@@"], LineDifference.Between("1\n2\n3\n4\n5\n6\n7\n8\n9\nx\n1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n1\n2\n3\n4\n5\n").ToArray());

    [Fact]
    public void Nothing_is_lost_of_either()
    {
        Random random = new(3);
        for (int round = 0; round < 500; round++)
        {
            (string ours, string theirs) = (Text(random), Text(random));

            string[] lines = [.. LineDifference.Between(ours, theirs).Where(l => l != "@@")];

            Assert.Equal(Count(ours) - Count(theirs), lines.Count(l => l[0] == '-') - lines.Count(l => l[0] == '+'));
            Assert.All(lines.Where(l => l[0] == '-'), l => Assert.Contains(l[1..], ours.Split('\n')));
            Assert.All(lines.Where(l => l[0] == '+'), l => Assert.Contains(l[1..], theirs.Split('\n')));
        }

        static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => $"{random.Next(6)}\n"));
        static int Count(string text) => text.Count(c => c == '\n');
    }
}
