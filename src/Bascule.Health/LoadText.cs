using System.Globalization;
using System.Text.RegularExpressions;

namespace Bascule.Health;

/// <summary>Finds how loaded a machine is in what it says: <c>load: 0.75</c>, or the first (of one minute) of the three numbers of <c>uptime</c>.</summary>
internal static partial class LoadText
{
    /// <summary>The load, 0 to 999999; null when the text does not say.</summary>
    public static double? Find(string text) => Load().Match(text) is { Success: true } found
        ? double.Parse(found.Groups[1].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture)
        : null;

    // A number goes on to its end, and what it is part of (1.2.3, 1e9, 0,75 of another country) is not taken for its beginning.
    [GeneratedRegex(@"\bload(?: averages?)?: ?(\d{1,6}(?:\.\d{1,6})?)(?![\w.]|,\d)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Load();
}
