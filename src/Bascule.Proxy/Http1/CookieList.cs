using System.Buffers;
using System.Text;

namespace Bascule.Proxy.Http1;

/// <summary>Takes the values of Cookie and Set-Cookie fields apart as RFC 6265 §5 has it, which takes whatever comes. Allocates nothing, and throws on no input.</summary>
internal static class CookieList
{
    /// <summary>Takes the next pair off the value of a Cookie field; what is no pair is passed over. Quotes around a value are not part of it.</summary>
    /// <returns>False when there is none left.</returns>
    public static bool TakePair(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!rest.IsEmpty)
        {
            if (SplitPair(TakePart(ref rest), out name, out value))
                return true;
        }

        name = value = default;
        return false;
    }

    /// <summary>Reads the value of a Set-Cookie field.</summary>
    /// <returns>False where there is no cookie in it, or it takes one back: Max-Age of 0 or less. RFC 6265 §5.2.2.</returns>
    public static bool TryReadSetCookie(ReadOnlySpan<byte> field, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        if (!SplitPair(TakePart(ref field), out name, out value))
            return false;
        while (!field.IsEmpty)
        {
            if (SplitPair(TakePart(ref field), out ReadOnlySpan<byte> attribute, out ReadOnlySpan<byte> said)
                && Ascii.EqualsIgnoreCase(attribute, "Max-Age"u8) && (said.StartsWith("-"u8) || (!said.IsEmpty && said.IndexOfAnyExcept((byte)'0') < 0)))
                return false;
        }

        return true;
    }

    private static ReadOnlySpan<byte> TakePart(scoped ref ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf((byte)';');
        ReadOnlySpan<byte> part = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return part;
    }

    private static bool SplitPair(ReadOnlySpan<byte> part, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        int equals = part.IndexOf((byte)'=');
        if (equals < 0)
            return false;
        name = Grammar.Trim(part[..equals]);
        value = Grammar.Trim(part[(equals + 1)..]);
        if (value.Length >= 2 && value[0] == '"' && value[^1] == '"')
            value = value[1..^1];
        return !name.IsEmpty;
    }
}

/// <summary>Finds a parameter in a request's target: <c>/shop;jsessionid=1A2B</c> or <c>/shop?jsessionid=1A2B</c>.</summary>
internal static class UrlParameter
{
    private static readonly SearchValues<byte> EndsInPath = SearchValues.Create(";/"u8);
    private static readonly SearchValues<byte> EndsInQuery = SearchValues.Create("&;"u8);

    /// <summary>Its value as sent; empty when there is none. Of the path first.</summary>
    /// <param name="name">In any case: containers write the name of a cookie in small letters here.</param>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> target, ReadOnlySpan<byte> name)
    {
        int question = target.IndexOf((byte)'?');
        ReadOnlySpan<byte> path = question < 0 ? target : target[..question];
        int semicolon = path.IndexOf((byte)';');
        ReadOnlySpan<byte> value = semicolon < 0 ? default : FindIn(path[(semicolon + 1)..], name, EndsInPath);
        return value.IsEmpty && question >= 0 ? FindIn(target[(question + 1)..], name, EndsInQuery) : value;
    }

    private static ReadOnlySpan<byte> FindIn(ReadOnlySpan<byte> parameters, ReadOnlySpan<byte> name, SearchValues<byte> ends)
    {
        while (!parameters.IsEmpty)
        {
            int end = parameters.IndexOfAny(ends);
            ReadOnlySpan<byte> one = end < 0 ? parameters : parameters[..end];
            if (one.Length > name.Length + 1 && one[name.Length] == '=' && Ascii.EqualsIgnoreCase(one[..name.Length], name))
                return one[(name.Length + 1)..];
            parameters = end < 0 ? default : parameters[(end + 1)..];
        }

        return default;
    }
}
