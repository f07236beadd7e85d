using System.Globalization;

namespace Bascule.Health;

/// <summary>Makes texts of strangers short, and fit for a terminal. What is both already comes back as it is.</summary>
internal static class Said
{
    private const int LongestLine = 200, LongestText = 4096; // characters

    /// <summary>One line of at most 200 characters.</summary>
    public static string Line(string text) => Clean(text, LongestLine, mayHaveLines: false);

    /// <summary>Several of at most 4,096 characters together.</summary>
    public static string Lines(string text) => Clean(text, LongestText, mayHaveLines: true);

    /// <summary>At most so many characters; the last is an ellipsis where there were more.</summary>
    public static string Cut(string text, int longest) =>
        text.Length <= longest ? text : $"{text.AsSpan(0, char.IsHighSurrogate(text[longest - 2]) ? longest - 2 : longest - 1)}…";

    private static string Clean(string text, int longest, bool mayHaveLines)
    {
        text = Cut(text, longest);
        foreach (char c in text)
        {
            if (!IsFit(c, mayHaveLines))
                return string.Concat(text.Select(one => IsFit(one, mayHaveLines) ? one : '.'));
        }

        return text;
    }

    // Control characters move the cursor or change colours, format characters turn the direction of writing, and U+FFFD was no text.
    private static bool IsFit(char c, bool mayHaveLines) =>
        (mayHaveLines && c is ('\n' or '\t'))
        || (c != '\uFFFD' && char.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));
}
