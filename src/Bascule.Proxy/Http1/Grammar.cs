using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Bascule.Proxy.Http1;

/// <summary>The small rules that heads are made of: lines, tokens, lists, numbers, authorities. RFC 9110 §5.6, RFC 9112 §2.</summary>
internal static class Grammar
{
    private const byte CarriageReturn = (byte)'\r';
    private const byte LineFeed = (byte)'\n';

    /// <summary>tchar of RFC 9110 §5.6.2.</summary>
    public static readonly ByteSet Token =
        new("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>
    /// What a request target may be made of: visible ASCII but "#", which begins a fragment. To be as strict as RFC 3986 would break
    /// pages, since browsers send "|", "{" and "^" in queries as they are.
    /// </summary>
    public static readonly ByteSet Target = new(
        "!\"$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>
    /// reg-name of RFC 3986 §3.2.2 without the comma, which would read as a list where fields are joined. Underscores are
    /// in no host name, but in many an internal one.
    /// </summary>
    private static readonly ByteSet HostName =
        new("-._~%!$&'()*+;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly ByteSet IPv6 = new("0123456789ABCDEFabcdef:."u8);

    /// <summary>Every control character but HTAB: what ends a line, or must not be in one.</summary>
    private static readonly SearchValues<byte> Controls = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]);

    /// <summary>Finds where the line that begins at <paramref name="start"/> ends.</summary>
    /// <param name="end">The index of the byte that stopped the search, CR when <see cref="ParseResult.Complete"/>; the length of the input when none did.</param>
    public static ParseResult FindLineEnd(ReadOnlySpan<byte> input, int start, out int end)
    {
        end = IndexOfControl(input, start);
        if (end == input.Length)
            return ParseResult.Incomplete;
        if (input[end] != CarriageReturn)
            return input[end] == LineFeed ? ParseResult.BareLineFeed : ParseResult.ControlCharacter;
        if (end + 1 == input.Length)
            return ParseResult.Incomplete;
        return input[end + 1] == LineFeed ? ParseResult.Complete : ParseResult.BareCarriageReturn;
    }

    /// <summary>Whether it is one token: not empty, and nothing else in it.</summary>
    public static bool IsToken(ReadOnlySpan<byte> text) => text.Length > 0 && Token.EndOfRun(text, 0) == text.Length;

    /// <summary>Whether it is a control character other than HTAB.</summary>
    public static bool IsControl(byte value) => value < ' ' ? value != '\t' : value == 127;

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
    public static bool IsAuthority(ReadOnlySpan<byte> input, Slice text)
    {
        if (text.Length == 0)
            return false;
        int hostEnd = input[text.Start] == '[' ? EndOfBrackets(input, text) : Math.Min(HostName.EndOfRun(input, text.Start), text.End);
        return hostEnd > text.Start && IsPortOrNothing(input[hostEnd..text.End]);
    }

    /// <summary>Whether two authorities of the http scheme are one: case and the default port do not matter. RFC 9110 §4.2.3.</summary>
    public static bool IsSameAuthority(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        Ascii.EqualsIgnoreCase(WithoutDefaultPort(one), WithoutDefaultPort(other));

    private static int EndOfBrackets(ReadOnlySpan<byte> input, Slice text)
    {
        int close = IPv6.EndOfRun(input, text.Start + 1);
        bool isAddress = close < text.End && input[close] == ']' && close - text.Start > 2;
        return isAddress ? close + 1 : text.Start;
    }

    private static bool IsPortOrNothing(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return true;
        return text[0] == ':' && (text.Length == 1 || (TryParseLength(text[1..], out long port) && port <= ushort.MaxValue));
    }

    /// <summary>The index of the first control character other than HTAB; the length of the input when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOfControl(ReadOnlySpan<byte> input, int start)
    {
        for (; Vector256.IsHardwareAccelerated && input.Length - start >= Vector256<byte>.Count; start += Vector256<byte>.Count)
        {
            Vector256<byte> bytes = Vector256.Create(input[start..]);
            Vector256<byte> found = Vector256.LessThan(bytes, Vector256.Create((byte)' ')) | Vector256.Equals(bytes, Vector256.Create((byte)127));
            found = Vector256.AndNot(found, Vector256.Equals(bytes, Vector256.Create((byte)'\t')));
            if (found != Vector256<byte>.Zero)
                return start + Vector256.IndexOfWhereAllBitsSet(found);
        }

        int rest = input[start..].IndexOfAny(Controls);
        return rest < 0 ? input.Length : start + rest;
    }

    private static ReadOnlySpan<byte> WithoutDefaultPort(ReadOnlySpan<byte> authority)
    {
        if (authority.EndsWith(":80"u8))
            return authority[..^3];
        return authority.EndsWith(":"u8) ? authority[..^1] : authority;
    }
}
