using System.Text.RegularExpressions;

namespace Bascule.Tidy.Tests.Pages;

/// <summary>A claim in a page stands beside the command that shows it. The command has to be one.</summary>
public sealed partial class CommandTests
{
    [Fact]
    public void Every_test_command_in_a_page_runs_something() =>
        Findings.AreNone(Repository.Files("", "*.md").SelectMany(path => Problems(path, Repository.Read(path))));

    [Theory]
    [InlineData("`./test Tidy Pages` and `./test`")]
    [InlineData("```sh\n./test Bascule.Tidy.Tests A_name_in_a_test_command_is_found   # a comment\n```")]
    public void A_name_in_a_test_command_is_found(string text) => Assert.Empty(Problems("a.md", text));

    [Theory]
    [InlineData("`./test Tidings`", "a.md: ./test Tidings: there is no suite Tidings")]
    [InlineData("`./test Tidy No%such_test`", "a.md: ./test Tidy No%such_test: Bascule.Tidy.Tests has no No%such_test")]
    public void Sees_a_test_command_that_runs_nothing(string text, string expected) =>
        // Written with a %, so that this file is not where the name is found.
        Assert.Equal([expected.Replace("%", "")], Problems("a.md", text.Replace("%", "")));

    private static IEnumerable<string> Problems(string path, string text) =>
        TestCommand().Matches(text).Select(command => Problem(command.Groups["words"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .OfType<string>().Select(problem => $"{path}: {problem}");

    private static string? Problem(string[] words)
    {
        if (words.Length == 0)
            return null;
        string command = $"./test {string.Join(' ', words)}";
        if (new[] { words[0], $"Bascule.{words[0]}.Tests" }.FirstOrDefault(IsSuite) is not { } suite)
            return $"{command}: there is no suite {words[0]}";
        string[] sources = [.. Repository.Files($"tests/{suite}", "*.cs")];
        string? missing = words.Skip(1).FirstOrDefault(word => !sources.Any(path => path.Contains(word, StringComparison.OrdinalIgnoreCase)
            || Repository.Read(path).Contains(word, StringComparison.OrdinalIgnoreCase)));
        return missing is null ? null : $"{command}: {suite} has no {missing}";
    }

    private static bool IsSuite(string name) => File.Exists(Path.Combine(Repository.Root, "tests", name, $"{name}.csproj"));

    [GeneratedRegex(@"(?<![\w/])\./test(?<words>(?: [\w.]+)*)")]
    private static partial Regex TestCommand();
}
