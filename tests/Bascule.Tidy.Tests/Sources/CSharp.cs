namespace Bascule.Tidy.Tests.Sources;

/// <summary>Enough of C#'s lexical grammar to tell code from comments and literals.</summary>
internal static class CSharp
{
    /// <summary>
    /// The words and single signs of the code, with their line numbers; comments and literals are left out. What stands in the
    /// holes of an interpolated string is taken for part of it.
    /// </summary>
    public static IEnumerable<(string Text, int Line)> Tokens(string source)
    {
        int line = 1;
        for (int at = 0; at < source.Length;)
        {
            int length = Skip(source.AsSpan(at));
            bool isCode = length == 0;
            if (isCode)
                length = WordLength(source.AsSpan(at));
            string text = source.Substring(at, length);
            if (isCode && !char.IsWhiteSpace(text[0]))
                yield return (text, line);
            line += text.Count(character => character == '\n');
            at += length;
        }
    }

    /// <summary>The length of the comment or literal that begins here; 0 when code does.</summary>
    private static int Skip(ReadOnlySpan<char> rest)
    {
        if (rest.StartsWith("//"))
            return LengthUntil(rest, "\n", from: 2, including: false);
        if (rest.StartsWith("/*"))
            return LengthUntil(rest, "*/", from: 2, including: true);
        if (rest[0] == '\'')
            return LiteralLength(rest, 1, '\'');

        int prefix = rest.IndexOfAnyExcept('$', '@');
        if (prefix < 0 || rest[prefix] != '"')
            return 0;
        ReadOnlySpan<char> fromQuote = rest[prefix..];
        int quotes = fromQuote.IndexOfAnyExcept('"');
        if (quotes < 0)
            return rest.Length;
        if (quotes >= 3)
            return LengthUntil(rest, new string('"', quotes), prefix + quotes, including: true);
        return rest[..prefix].Contains('@') ? VerbatimLength(rest, prefix + 1) : LiteralLength(rest, prefix + 1, '"');
    }

    private static int WordLength(ReadOnlySpan<char> rest)
    {
        int length = 0;
        while (length < rest.Length && (char.IsLetterOrDigit(rest[length]) || rest[length] == '_'))
            length++;
        return Math.Max(length, 1);
    }

    private static int LengthUntil(ReadOnlySpan<char> rest, string end, int from, bool including)
    {
        int found = rest[from..].IndexOf(end);
        return found < 0 ? rest.Length : from + found + (including ? end.Length : 0);
    }

    private static int LiteralLength(ReadOnlySpan<char> rest, int from, char quote)
    {
        for (int at = from; at < rest.Length; at++)
        {
            if (rest[at] == '\\')
                at++;
            else if (rest[at] == quote)
                return at + 1;
        }
        return rest.Length;
    }

    private static int VerbatimLength(ReadOnlySpan<char> rest, int from)
    {
        for (int at = from; at < rest.Length; at++)
        {
            if (rest[at] != '"')
                continue;
            if (at + 1 == rest.Length || rest[at + 1] != '"')
                return at + 1;
            at++; // "" is a quote inside
        }
        return rest.Length;
    }
}
