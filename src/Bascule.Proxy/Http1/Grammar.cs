using System.Buffers;
using System.Text;

namespace Bascule.Proxy.Http1;

/// <summary>The small rules that heads are made of: lines, tokens, lists, numbers, authorities. RFC 9110 §5.6, RFC 9112 §2.</summary>
internal static class Grammar
{
    private const byte CarriageReturn = (byte)'\r';
    private const byte LineFeed = (byte)'\n';

    /// <summary>tchar of RFC 9110 §5.6.2.</summary>
    private static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Every control character but HTAB: what ends a line, or must not be in one.</summary>
    private static readonly SearchValues<byte> Controls = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]);

    /// <summary>
    /// reg-name of RFC 3986 §3.2.2 without the comma, which would read as a list where fields are joined. Underscores are
    /// in no host name, but in many an internal one.
    /// </summary>
    private static readonly SearchValues<byte> HostName =
        SearchValues.Create("-._~%!$&'()*+;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>
    /// What a request target may be made of: visible ASCII but "#". Stricter than RFC 3986 allows would break pages, since
    /// browsers send "|", "{" and "^" in queries as they are.
    /// </summary>
    private static readonly SearchValues<byte> Target = SearchValues.Create(
        "!\"$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    private static readonly SearchValues<byte> IPv6 = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    /// <summary>Finds where the line that begins at <paramref name="start"/> ends.</summary>
    /// <param name="end">The index of the byte that stopped the search, CR when <see cref="ParseResult.Complete"/>; the length of the input when none did.</param>
    public static ParseResult FindLineEnd(ReadOnlySpan<byte> input, int start, out int end)
    {
        int length = input[start..].IndexOfAny(Controls);
        if (length < 0)
        {
            end = input.Length;
            return ParseResult.Incomplete;
        }

        end = start + length;
        if (input[end] != CarriageReturn)
            return input[end] == LineFeed ? ParseResult.BareLineFeed : ParseResult.ControlCharacter;
        if (end + 1 == input.Length)
            return ParseResult.Incomplete;
        return input[end + 1] == LineFeed ? ParseResult.Complete : ParseResult.BareCarriageReturn;
    }

    /// <summary>How many bytes at the front are token characters.</summary>
    public static int TokenLength(ReadOnlySpan<byte> text)
    {
        int length = text.IndexOfAnyExcept(Token);
        return length < 0 ? text.Length : length;
    }

    /// <summary>Whether it is one token: not empty, and nothing else in it.</summary>
    public static bool IsToken(ReadOnlySpan<byte> text) => text.Length > 0 && !text.ContainsAnyExcept(Token);

    /// <summary>Whether it can be a request target: no fragment, no space, nothing outside ASCII. RFC 9112 §3.2.</summary>
    public static bool IsTargetText(ReadOnlySpan<byte> text) => text.Length > 0 && !text.ContainsAnyExcept(Target);

    /// <summary>Whether it may be in a token.</summary>
    public static bool IsTokenByte(byte value) => Token.Contains(value);

    /// <summary>Whether it is a control character other than HTAB.</summary>
    public static bool IsControl(byte value) => Controls.Contains(value);

    /// <summary>SP or HTAB.</summary>
    public static bool IsWhitespace(byte value) => value is (byte)' ' or (byte)'\t';

    /// <summary>Without the optional whitespace around it. RFC 9110 §5.6.3.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);

    /// <summary>Takes the next element off a comma-separated list, trimmed; it may be empty. RFC 9110 §5.6.1.</summary>
    /// <returns>False when the list is used up.</returns>
    public static bool TakeElement(ref ReadOnlySpan<byte> list, out ReadOnlySpan<byte> element)
    {
        if (list.IsEmpty)
        {
            element = default;
            return false;
        }

        int comma = list.IndexOf((byte)',');
        element = Trim(comma < 0 ? list : list[..comma]);
        list = comma < 0 ? default : list[(comma + 1)..];
        return true;
    }

    /// <summary>One or more decimal digits and nothing else, below 2^63: no sign, no space, no list.</summary>
    public static bool TryParseLength(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.IsEmpty)
            return false;
        foreach (byte b in text)
        {
            int digit = b - '0';
            if ((uint)digit > 9 || value > (long.MaxValue - digit) / 10)
                return false;
            value = value * 10 + digit;
        }

        return true;
    }

    /// <summary>"host" or "host:port", the host a name, an IPv4 address or an IPv6 address in brackets. RFC 9110 §7.2, RFC 3986 §3.2.</summary>
    /// <remarks>User information ("user@") is refused as RFC 9110 §4.2.4 advises, and so are zone identifiers and future address forms.</remarks>
    public static bool IsAuthority(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return false;
        int hostLength = text[0] == '[' ? BracketedLength(text) : NameLength(text);
        return hostLength > 0 && IsPortOrNothing(text[hostLength..]);
    }

    /// <summary>Whether two authorities of the http scheme are one: case and the default port do not matter. RFC 9110 §4.2.3.</summary>
    public static bool IsSameAuthority(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        Ascii.EqualsIgnoreCase(WithoutDefaultPort(one), WithoutDefaultPort(other));

    private static int NameLength(ReadOnlySpan<byte> text)
    {
        int length = text.IndexOfAnyExcept(HostName);
        return length < 0 ? text.Length : length;
    }

    private static int BracketedLength(ReadOnlySpan<byte> text)
    {
        int close = text.IndexOf((byte)']');
        return close < 3 || text[1..close].ContainsAnyExcept(IPv6) ? 0 : close + 1;
    }

    private static bool IsPortOrNothing(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return true;
        return text[0] == ':' && (text.Length == 1 || (TryParseLength(text[1..], out long port) && port <= ushort.MaxValue));
    }

    private static ReadOnlySpan<byte> WithoutDefaultPort(ReadOnlySpan<byte> authority)
    {
        if (authority.EndsWith(":80"u8))
            return authority[..^3];
        return authority.EndsWith(":"u8) ? authority[..^1] : authority;
    }
}
