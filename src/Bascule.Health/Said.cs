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

    private static string Clean(string text, int longest, bool mayHaveLines)
    {
        if (text.Length > longest)
            text = $"{text.AsSpan(0, char.IsHighSurrogate(text[longest - 2]) ? longest - 2 : longest - 1)}…";
        foreach (char c in text)
        {
            if (!IsFit(c, mayHaveLines))
                return string.Concat(text.Select(one => IsFit(one, mayHaveLines) ? one : '.'));
        }

        return text;
    }

    // Control characters move the cursor or change colours, format characters turn the direction of writing.
    private static bool IsFit(char c, bool mayHaveLines) =>
        (mayHaveLines && c is ('\n' or '\t'))
        || char.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
