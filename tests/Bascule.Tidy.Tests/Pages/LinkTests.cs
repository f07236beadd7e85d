namespace Bascule.Tidy.Tests.Pages;

/// <summary>Every relative link in a page leads somewhere, down to the heading.</summary>
public sealed class LinkTests
{
    [Fact]
    public void Every_relative_link_leads_somewhere() =>
        Findings.AreNone(Repository.Files("", "*.md").SelectMany(page => Problems(page, Repository.Read(page), Find)));

    [Theory]
    [InlineData("[a](missing.md)", "docs/a.md: missing.md is not there")]
    [InlineData("![a](picture.svg)", "docs/a.md: picture.svg is not there")]
    [InlineData("[a][1]\n\n[1]: missing.md", "docs/a.md: missing.md is not there")]
    [InlineData("""<img alt="a" src="picture.svg">""", "docs/a.md: picture.svg is not there")]
    [InlineData("[a](../README.md#no-such-heading)", "docs/a.md: ../README.md has no heading for #no-such-heading")]
    [InlineData("# Here\n[a](#there)", "docs/a.md: the page has no heading for #there")]
    [InlineData("[a](../../outside.md)", "docs/a.md: ../../outside.md leaves the repository")]
    [InlineData("[a](/README.md)", "docs/a.md: /README.md is not relative")]
    public void Sees_a_dead_link(string text, string expected) => Assert.Equal([expected], Problems("docs/a.md", text, Pretended));

    [Theory]
    [InlineData("[a](../README.md) and [b](../README.md#what-works-today) and [c](..)")]
    [InlineData("[a](https://www.rfc-editor.org/rfc/rfc9112#section-6) and <https://example.org>")]
    [InlineData("`[a](missing.md)` and\n\n```md\n[a](missing.md)\n```\n")]
    [InlineData("## `bascule check`: what it says, and why\n[a](#bascule-check-what-it-says-and-why)")]
    [InlineData("## Twice\n## Twice\n[a](#twice-1)")]
    public void Accepts_a_link_that_leads_somewhere(string text) => Findings.AreNone(Problems("docs/a.md", text, Pretended));

    /// <summary>The text of what a link leads to: a page, an empty string for anything else that is there, or nothing.</summary>
    private delegate string? Finder(string path);

    private static string? Find(string path)
    {
        string full = Path.Combine(Repository.Root, path);
        if (Directory.Exists(full))
            return "";
        if (!File.Exists(full))
            return null;
        return path.EndsWith(".md", StringComparison.Ordinal) ? File.ReadAllText(full) : "";
    }

    private static string? Pretended(string path) => path switch
    {
        "README.md" => "# Bascule\n## What works today\n",
        "" => "",
        _ => null,
    };

    private static IEnumerable<string> Problems(string page, string text, Finder find) =>
        Markdown.Links(text).Where(link => !link.Contains(':')).Select(link => Problem(page, text, link, find)).OfType<string>();

    private static string? Problem(string page, string text, string link, Finder find)
    {
        string[] parts = link.Split('#', 2);
        if (parts[0].StartsWith('/'))
            return $"{page}: {link} is not relative";
        if (parts[0] != "" && Resolve(page, parts[0]) is not { } target)
            return $"{page}: {parts[0]} leaves the repository";

        string? linked = parts[0] == "" ? text : find(Resolve(page, parts[0])!);
        if (linked is null)
            return $"{page}: {parts[0]} is not there";
        if (parts.Length == 1 || Markdown.Anchors(linked).Contains(parts[1]))
            return null;
        return $"{page}: {(parts[0] == "" ? "the page" : parts[0])} has no heading for #{parts[1]}";
    }

    // The path from the root that a relative path in a page means; nothing when it climbs out.
    private static string? Resolve(string page, string relative)
    {
        string root = Repository.Root;
        string full = Path.GetFullPath(Path.Combine(root, Path.GetDirectoryName(page)!, Uri.UnescapeDataString(relative)));
        if (full != root && !full.StartsWith(root + "/", StringComparison.Ordinal))
            return null;
        return full == root ? "" : Path.GetRelativePath(root, full);
    }
}
