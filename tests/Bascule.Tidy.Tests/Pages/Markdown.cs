using System.Text.RegularExpressions;

namespace Bascule.Tidy.Tests.Pages;

/// <summary>Enough of GitHub's Markdown to follow a link and find a heading.</summary>
internal static partial class Markdown
{
    /// <summary>Where the page points: targets of links and images, also those in HTML, without those in code.</summary>
    public static IEnumerable<string> Links(string page) =>
        Target().Matches(InlineCode().Replace(Prose(page), "`code`")).Select(match => match.Groups["target"].Value);

    /// <summary>The names by which headings can be linked to, as GitHub makes them.</summary>
    public static HashSet<string> Anchors(string page)
    {
        HashSet<string> anchors = [];
        foreach (Match heading in Heading().Matches(Prose(page)))
        {
            string slug = Slug(heading.Groups["title"].Value);
            string unique = slug;
            for (int again = 1; !anchors.Add(unique); again++)
                unique = $"{slug}-{again}";
        }
        return anchors;
    }

    /// <summary>The code blocks in a language, in order.</summary>
    public static IEnumerable<string> Blocks(string page, string language) =>
        Fence().Matches(page).Where(fence => fence.Groups["language"].Value == language).Select(fence => fence.Groups["code"].Value);

    private static string Prose(string page) => Fence().Replace(page, "");

    private static string Slug(string title)
    {
        string text = LinkText().Replace(title, "${text}").Trim().ToLowerInvariant();
        return NotInASlug().Replace(text, "").Replace(' ', '-');
    }

    [GeneratedRegex(@"^(?<fence>```+|~~~+)(?<language>\w*)[^\n]*\n(?<code>.*?)^\k<fence>[ \t]*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"(`+).+?\1", RegexOptions.Singleline)]
    private static partial Regex InlineCode();

    [GeneratedRegex("""\]\((?<target>[^)\s]+)[^)]*\)|^\[[^\]]+\]:\s*(?<target>\S+)|(?:src|href)="(?<target>[^"]+)" """, RegexOptions.Multiline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Target();

    [GeneratedRegex(@"^#{1,6}[ \t]+(?<title>[^\n]+?)[ \t#]*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkText();

    [GeneratedRegex(@"[^\p{L}\p{N}\p{Mn}_\- ]")]
    private static partial Regex NotInASlug();
}
