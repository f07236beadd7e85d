using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Bascule.Core.Config;

/// <summary>Says in a person's words what the YAML library says in its own.</summary>
internal static partial class YamlSyntax
{
    /// <summary>Part of the library's message → what is wrong, what to do. These are about single characters, whatever surrounds them.</summary>
    private static readonly ImmutableArray<(string Message, string What, string Hint)> Characters =
    [
        ("invalid tab", "a tab is used for indentation", "YAML allows only spaces there; replace the tab by spaces"),
        ("cannot start any token", "this character cannot begin a value", "put the value in quotes"),
        ("unknown escape", "a backslash in double quotes begins an escape that does not exist", "write \\\\ for a backslash, or use single quotes, in which nothing is escaped"),
        ("hexadecimal", "a backslash in double quotes begins an escape that is not complete", "write \\\\ for a backslash, or use single quotes, in which nothing is escaped"),
        ("Unicode character escape", "a backslash in double quotes begins an escape for a character that does not exist", "write \\\\ for a backslash, or use single quotes, in which nothing is escaped"),
        ("valid UTF32", "a backslash in double quotes begins an escape for a character that does not exist", "write \\\\ for a backslash, or use single quotes, in which nothing is escaped"),
        ("quoted scalar", "a quotation mark is not closed", "add the missing quotation mark"),
        ("double-quoted", "a quotation mark is not closed", "add the missing quotation mark"),
        ("anchor or alias", "& and * have a meaning of their own in YAML", "put the value in quotes"),
        ("scanning a tag", "! has a meaning of its own in YAML", "put the value in quotes"),
        ("scanning a block scalar", "| and > begin a text of several lines in YAML", "put the value in quotes"),
    ];

    /// <summary>The same for what is wrong with the shape; an open bracket explains it better.</summary>
    private static readonly ImmutableArray<(string Message, string What, string Hint)> Shapes =
    [
        ("invalid mapping", "YAML finds a `: ` in the middle of a value", "look at this line and the one before: each name needs a colon and a space after it, names of one map the same indentation, and a value with `: ` in it quotes"),
        ("sequence entries are not allowed", "a list item (`- `) cannot begin in the middle of a line", "write each item on its own line, or the list in brackets"),
        ("expected '-' indicator", "this line is in the middle of a list but does not begin with `- `", "begin it with `- `, or indent it like the line it belongs to"),
        ("block mapping", "this line is not indented like the lines it belongs to", "give all lines of one map the same indentation"),
        ("simple key", "this line has a name but no `:` after it", "write `name: value`"),
        ("expected node content", "a value is expected here", "write the value, or remove the bracket or comma too many"),
        ("YAML document", "the `%YAML` line asks for a version that is not spoken here", "remove the line"),
    ];

    /// <summary>The one problem to report.</summary>
    /// <param name="text">The whole file.</param>
    /// <param name="at">Where the library gave up.</param>
    /// <param name="opened">The innermost bracket or brace that is still open.</param>
    /// <param name="message">What the library says.</param>
    public static Problem Explain(string text, Location at, (char Bracket, Location At)? opened, string message)
    {
        if (FirstTab(text, at.Line) is { } tab)
            return new(tab, "this line is indented with a tab", "YAML allows only spaces there; replace the tab by spaces");
        if (BracketedAddress().Match(Line(text, at.Line)) is { Success: true } address)
            return new(new(at.Line, address.Index + 1), "an address that begins with [ needs quotes", $"write \"{address.Value}\"; without quotes [ begins a list in YAML");
        if (Find(Characters, message, at) is { } character)
            return character;
        if (opened is { } open)
            return new(at, $"the `{open.Bracket}` of line {open.At.Line} is not closed before this, or a comma is missing", $"add `{(open.Bracket == '[' ? ']' : '}')}` or the comma");
        if (Line(text, at.Line).ElementAtOrDefault(at.Column - 1) is (']' or '}') and var closing)
            return new(at, $"this `{closing}` closes nothing", "remove it, or add the bracket it should close");
        return Find(Shapes, message, at)
            ?? new(at, $"this is not YAML: {Show.Safe(message)}", "check brackets, quotes and indentation here and on the line before");
    }

    private static Problem? Find(ImmutableArray<(string Message, string What, string Hint)> sentences, string message, Location at) =>
        sentences.Where(s => message.Contains(s.Message, StringComparison.OrdinalIgnoreCase)).Select(s => new Problem(at, s.What, s.Hint)).FirstOrDefault();

    /// <summary>A tab in the indentation of this line or the next: the library may give up a line early.</summary>
    private static Location? FirstTab(string text, int line)
    {
        for (int i = line; i <= line + 1; i++)
        {
            string candidate = Line(text, i);
            int tab = candidate.IndexOf('\t', StringComparison.Ordinal);
            if (tab >= 0 && string.IsNullOrWhiteSpace(candidate[..tab]))
                return new(i, tab + 1);
        }

        return null;
    }

    private static string Line(string text, int line)
    {
        int start = 0;
        for (int i = 1; i < line && start >= 0; i++)
            start = text.IndexOf('\n', start) + 1 is var next and > 0 ? next : -1;
        if (start < 0)
            return "";
        int end = text.IndexOf('\n', start);
        return (end < 0 ? text[start..] : text[start..end]).TrimEnd('\r');
    }

    [GeneratedRegex(@"\[[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\](:[0-9]+)?")]
    private static partial Regex BracketedAddress();
}
