using System.Text.RegularExpressions;

namespace Bascule.Tidy.Tests.Pages;

/// <summary>The page about failover goes through RFC 9568 MUST by MUST. A row names a test that there is, or says why there is none.</summary>
public sealed partial class MustTableTests
{
    private const string Page = "docs/design/failover.md";
    private const string Heading = "## RFC 9568, MUST by MUST";

    [Fact]
    public void Every_row_names_a_test_or_a_reason()
    {
        string[] rows = Rows(Repository.Read(Page));
        HashSet<string> tests = [.. Repository.Files("tests", "*.cs").SelectMany(path => Method().Matches(Repository.Read(path))).Select(m => m.Groups["name"].Value)];

        Assert.True(rows.Length > 30, $"{Page} has {rows.Length} rows under \"{Heading}\"");
        Findings.AreNone(rows.SelectMany(row => Problems(row, tests)));
    }

    [Theory]
    [InlineData("| 7.1 | the type is 1 | `No_such_test` |", "7.1: there is no test No_such_test")]
    [InlineData("| 7.1 | the type is 1 | somewhere |", "7.1: neither a test nor a reason")]
    public void Sees_a_row_without_a_test(string row, string expected) => Assert.Equal([expected], Problems(row, []));

    [Theory]
    [InlineData("| 7.1 | the type is 1 | `A_wrong_byte` |")]
    [InlineData("| 8.3 | no forwarding | shell: the kernel does not |")]
    public void Sees_nothing_wrong_in_a_row_with_one(string row) => Assert.Empty(Problems(row, ["A_wrong_byte"]));

    private static IEnumerable<string> Problems(string row, HashSet<string> tests)
    {
        string[] cells = row.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] named = [.. Name().Matches(cells[^1]).Select(m => m.Groups["name"].Value)];
        if (named.Length == 0 && !cells[^1].StartsWith("shell: ", StringComparison.Ordinal))
            yield return $"{cells[0]}: neither a test nor a reason";
        foreach (string name in named.Where(name => !tests.Contains(name)))
            yield return $"{cells[0]}: there is no test {name}";
    }

    private static string[] Rows(string page) =>
        [.. page[page.IndexOf(Heading, StringComparison.Ordinal)..].Split('\n').Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal)).Where(line => Row().IsMatch(line))];

    [GeneratedRegex(@"^\| \d")]
    private static partial Regex Row();

    [GeneratedRegex("`(?<name>[A-Z]\\w*_\\w+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"(void|Task) (?<name>[A-Z]\w*_\w+)\(")]
    private static partial Regex Method();
}
