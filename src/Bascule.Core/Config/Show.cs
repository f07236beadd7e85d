using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Core.Config;

/// <summary>How sentences quote what stands in the file: short, and without control characters a terminal would obey.</summary>
internal static class Show
{
    private const int Longest = 60;

    /// <summary>The text in backticks.</summary>
    public static string Quoted(string text) => text.Length == 0 ? "an empty text" : $"`{Safe(text)}`";

    /// <summary>The text, shortened and harmless.</summary>
    public static string Safe(string text)
    {
        StringBuilder shown = new();
        foreach (char c in text)
        {
            if (shown.Length >= Longest)
                return shown.Append('…').ToString();
            if (IsPrintable(c))
                shown.Append(c);
            else
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
        }

        return shown.ToString();
    }

    /// <summary>"a, b or c".</summary>
    public static string OneOf(IReadOnlyList<string> words) =>
        words.Count < 2 ? string.Concat(words) : $"{string.Join(", ", words.Take(words.Count - 1))} or {words[^1]}";

    /// <summary>"IPv4" or "IPv6".</summary>
    public static string FamilyOf(IPAddress ip) => ip.AddressFamily == AddressFamily.InterNetwork ? "IPv4" : "IPv6";

    /// <summary>Without a port where it has none of its own (0).</summary>
    public static string EndPoint(IPEndPoint address) => address.Port == 0 ? $"{address.Address}" : address.ToString();

    private static bool IsPrintable(char c) => char.GetUnicodeCategory(c)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned);
}
