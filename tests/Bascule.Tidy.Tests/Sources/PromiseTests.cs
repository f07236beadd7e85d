using System.Text.RegularExpressions;

namespace Bascule.Tidy.Tests.Sources;

/// <summary>What is not done is in the tracker, not in the code.</summary>
public sealed partial class PromiseTests
{
    [Fact]
    public void Nothing_in_src_is_left_for_later() =>
        Findings.AreNone(Repository.Files("src", "*").SelectMany(path => Problems(path, Repository.Read(path))));

    [Theory]
    [InlineData("int a;\n// TODO: count", "a.cs:2: TODO")]
    [InlineData("throw new NotImplementedException();", "a.cs:1: NotImplementedException")]
    [InlineData("/* FIXME */", "a.cs:1: FIXME")]
    public void Sees_what_is_left_for_later(string source, string expected) => Assert.Equal([expected], Problems("a.cs", source));

    private static IEnumerable<string> Problems(string path, string source) =>
        source.Split('\n').SelectMany((text, index) => Later().Matches(text).Select(match => $"{path}:{index + 1}: {match.Value}"));

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b")]
    private static partial Regex Later();
}
