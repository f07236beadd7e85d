using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Bascule.Core.Config;

/// <summary>What may stand in an HTTP request. Anything that could end a line early would let the file write a request of its own.</summary>
internal static class HttpText
{
    /// <summary>RFC 9110 §5.6.2: what a token may hold besides letters and digits.</summary>
    private const string TokenMarks = "!#$%&'*+-.^_`|~";

    /// <summary>Fields the check writes itself, because they belong to the connection or follow from other settings.</summary>
    private static readonly ImmutableArray<string> OwnFields =
        ["Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Expect", "TE", "Trailer"];

    public static Complaint? Method(string name, string text)
    {
        if (!IsToken(text))
            return new($"`{name}: {Show.Safe(text)}` is not a method", "write letters only, such as GET or HEAD");
        if (text == "CONNECT")
            return new($"`{name}: CONNECT` asks for a tunnel, not for an answer", "write GET or HEAD");
        return text.Any(char.IsAsciiLetterLower)
            ? new($"`{name}: {Show.Safe(text)}` has small letters, and methods are case-sensitive by RFC 9110 §9.1", $"write {text.ToUpperInvariant()}")
            : null;
    }

    public static Complaint? Path(string name, string text)
    {
        if (!text.StartsWith('/'))
            return new($"`{name}: {Show.Safe(text)}` does not begin with a slash", text.Contains("://", StringComparison.Ordinal)
                ? "write the path only, and the name of the site under `host`"
                : $"write /{Show.Safe(text)}");
        if (text.Contains('#', StringComparison.Ordinal))
            return new($"`{name}: {Show.Safe(text)}` has a fragment, which is never sent to a server", "leave out what follows the #");
        return text.All(c => c is > ' ' and < '\x7F')
            ? null
            : new($"`{name}: {Show.Safe(text)}` has a space, a control character or a letter outside ASCII", "percent-encode it, such as %20 for a space");
    }

    public static Complaint? Host(string name, string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '[' or ']')
            ? null
            : new($"`{name}: {Show.Safe(text)}` cannot be a Host field", "write a name or an address, with or without a port, such as www.example.org");

    /// <summary>The name of a header field or a cookie.</summary>
    public static Complaint? Token(string name, string text) =>
        IsToken(text) ? null : new($"`{name}: {Show.Safe(text)}` cannot be the name of a header field or a cookie", "write letters, digits and hyphens, without colon or space");

    public static Complaint? HeaderName(string text)
    {
        if (!IsToken(text))
            return new($"{Show.Quoted(text)} cannot be the name of a header field by RFC 9110 §5.1", "write letters, digits and hyphens, without colon or space");
        if (text.Equals("Host", StringComparison.OrdinalIgnoreCase))
            return new("`Host` is not set here", "write it as `host`, beside `headers`");
        return OwnFields.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? new($"{Show.Quoted(text)} is set by the check itself", "remove it")
            : null;
    }

    public static Complaint? HeaderValue(string name, string text)
    {
        if (!text.All(c => c is >= ' ' and < '\x7F' or '\t'))
            return new($"the value of `{name}` has a line break, a control character or a letter outside ASCII", "write printable ASCII on one line");
        return text != text.Trim()
            ? new($"the value of `{name}` begins or ends with white space, which HTTP removes by RFC 9110 §5.5", "remove it")
            : null;
    }

    /// <summary>A regular expression that the check can run in time linear in the body.</summary>
    public static Complaint? Expression(string name, string text)
    {
        try
        {
            _ = new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return null;
        }
        catch (RegexParseException e)
        {
            return new($"`{name}` is not a regular expression: after {e.Offset} characters, {Show.Safe(Words(e.Error))}", "correct it; a character that should stand for itself needs a backslash before it");
        }
        catch (NotSupportedException)
        {
            return new($"`{name}` cannot be matched without backtracking", "leave out back-references, look-around, atomic groups and very large repetitions");
        }
    }

    public static bool IsToken(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || TokenMarks.Contains(c, StringComparison.Ordinal));

    /// <summary>InsufficientClosingParentheses → "insufficient closing parentheses".</summary>
    private static string Words(RegexParseError error) =>
        string.Concat(error.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
