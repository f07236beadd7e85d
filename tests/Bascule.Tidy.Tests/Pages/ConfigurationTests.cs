using System.Text;
using Bascule.Core.Config;

namespace Bascule.Tidy.Tests.Pages;

/// <summary>Every configuration we show is one that Bascule accepts.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    public void Every_sample_passes_the_checker() =>
        Findings.AreNone(Repository.Files("samples", "*").SelectMany(path => Problems(path, Repository.Read(path))));

    [Fact]
    public void There_are_samples() => Assert.NotEmpty(Repository.Files("samples", "*.yaml"));

    [Fact]
    public void Every_configuration_in_a_page_passes_the_checker() =>
        Findings.AreNone(Repository.Files("", "*.md").SelectMany(path => Shown(Repository.Read(path)).SelectMany(text => Problems(path, text))));

    [Fact]
    public void Sees_a_configuration_that_does_not_pass()
    {
        string finding = Assert.Single(Problems("bad.yaml", "virtualServers: { web: { adress: 192.0.2.10:80, address: 192.0.2.10:80, realServers: [10.0.0.1] } }\n"));

        Assert.StartsWith("bad.yaml:1:26: ", finding, StringComparison.Ordinal);
        Assert.Contains("adress", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_a_whole_configuration_from_a_page_and_leaves_a_fragment() =>
        Assert.Equal(["virtualServers: {}\n"], Shown("```yaml\nvirtualServers: {}\n```\n```yaml\nweight: 3\n```\n```sh\nvirtualServers: no\n```\n"));

    [Theory]
    [InlineData("docs/guide/make-it-a-pair.md", "samples/ha-pair.yaml")]
    [InlineData("docs/guide/make-it-a-pair.md", "samples/ha-pair-peer.yaml")]
    public void What_a_page_walks_through_is_the_sample(string page, string sample) =>
        Assert.Contains(WithoutHeading(Repository.Read(sample)), Shown(Repository.Read(page)).Select(WithoutHeading));

    private static string WithoutHeading(string text) =>
        string.Join('\n', text.Split('\n').SkipWhile(line => line.StartsWith('#'))).Trim();

    // A block that names no virtual servers is a fragment that the text around it explains.
    private static IEnumerable<string> Shown(string page) =>
        Markdown.Blocks(page, "yaml").Where(block => block.Contains("virtualServers:", StringComparison.Ordinal));

    private static IEnumerable<string> Problems(string path, string text) =>
        ConfigurationText.Check(Encoding.UTF8.GetBytes(text)).Problems.Select(problem => problem.Format(path));
}
