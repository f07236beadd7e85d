using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bascule.Core.Config;

/// <summary>A whole number within a range.</summary>
internal sealed class CountForm(int minimum, int maximum) : ValueForm<int>
{
    public override string Words => $"a whole number from {minimum} to {maximum}";

    public override Complaint? Parse(string name, string text, out int value)
    {
        value = 0;
        string digits = text.StartsWith('-') ? text[1..] : text;
        if (digits.Length == 0 || !digits.All(char.IsAsciiDigit))
            return new($"`{name}: {Show.Safe(text)}` is not a whole number", $"expected: {Words}");
        if (digits.Length > 1 && digits[0] == '0')
            return new($"`{name}: {Show.Safe(text)}` begins with 0, which some programs read as octal", "leave the leading zeros out");
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= minimum && value <= maximum
            ? null
            : new($"`{name}: {Show.Safe(text)}` is out of range", $"expected: {Words}");
    }

    public override string Write(int value) => value.ToString(CultureInfo.InvariantCulture);

    public override JsonNode WriteJson(int value) => JsonValue.Create(value);

    public override JsonObject Schema() => new() { ["type"] = "integer", ["minimum"] = minimum, ["maximum"] = maximum };
}

/// <summary>A duration with its units: <c>500ms</c>, <c>30s</c>, <c>1m30s</c>.</summary>
internal sealed partial class DurationForm(TimeSpan minimum, TimeSpan maximum) : ValueForm<TimeSpan>
{
    private bool _isWholeSeconds;

    /// <summary>What the kernel counts in seconds: a fraction would be lost without a word.</summary>
    public static DurationForm WholeSeconds(TimeSpan minimum, TimeSpan maximum) => new(minimum, maximum) { _isWholeSeconds = true };

    // Seven digits of hours are less than a TimeSpan holds.
    private const string Pattern = "^(?=[0-9])(?:([0-9]{1,7})h)?(?:([0-9]{1,7})m)?(?:([0-9]{1,7})s)?(?:([0-9]{1,7})ms)?$";

    public override string Words => $"a duration from {Text(minimum)} to {Text(maximum)}, written with ms, s, m or h";

    public override Complaint? Parse(string name, string text, out TimeSpan value)
    {
        value = default;
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
            return new($"`{name}: {Show.Safe(text)}` has no unit", text.Length > 7 ? $"expected: {Words}" : text == "0" ? "write 0s" : $"write {text}s or {text}000ms");
        Match match = Units().Match(text);
        if (!match.Success || text.EndsWith('\n'))
            return new($"`{name}: {Show.Safe(text)}` is not a duration", "write whole numbers with ms, s, m or h, such as 500ms, 30s or 1m30s");
        value = new(0, Number(match, 1), Number(match, 2), Number(match, 3), Number(match, 4));
        if (_isWholeSeconds && value.Ticks % TimeSpan.TicksPerSecond != 0)
            return new($"`{name}: {Show.Safe(text)}` is not a number of whole seconds", "this is kept in seconds; write it without milliseconds");
        return value >= minimum && value <= maximum
            ? null
            : new($"`{name}: {Show.Safe(text)}` is out of range", $"expected: {Words}");
    }

    public override string Write(TimeSpan value) => Text(value);

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = Pattern, ["examples"] = new JsonArray(Text(minimum), Text(maximum)) };

    private static int Number(Match match, int group) =>
        match.Groups[group].Success ? int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : 0;

    private static string Text(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
            return "0s";
        (long Count, string Unit)[] parts =
            [((long)value.TotalHours, "h"), (value.Minutes, "m"), (value.Seconds, "s"), (value.Milliseconds, "ms")];
        return string.Concat(parts.Where(p => p.Count > 0).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Count}{p.Unit}")));
    }

    [GeneratedRegex(Pattern, RegexOptions.CultureInvariant)]
    private static partial Regex Units();
}

/// <summary>A number of bytes with its unit: <c>16KiB</c>.</summary>
internal sealed partial class SizeForm(int minimum, int maximum) : ValueForm<int>
{
    private const string Pattern = "^([0-9]{1,7})(B|KiB|MiB)$";

    public override string Words => $"a size from {Text(minimum)} to {Text(maximum)}, written with B, KiB or MiB";

    public override Complaint? Parse(string name, string text, out int value)
    {
        value = 0;
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
            return new($"`{name}: {Show.Safe(text)}` has no unit", text.Length > 7 ? $"expected: {Words}" : $"write {Text(int.Parse(text, CultureInfo.InvariantCulture))}");
        Match match = Units().Match(text);
        if (!match.Success || text.EndsWith('\n'))
            return new($"`{name}: {Show.Safe(text)}` is not a size", "write a whole number with B, KiB or MiB, such as 16KiB");
        long bytes = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * UnitOf(match.Groups[2].Value);
        if (bytes < minimum || bytes > maximum)
            return new($"`{name}: {Show.Safe(text)}` is out of range", $"expected: {Words}");
        value = (int)bytes;
        return null;
    }

    public override string Write(int value) => Text(value);

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = Pattern, ["examples"] = new JsonArray(Text(minimum), Text(maximum)) };

    private static long UnitOf(string unit) => unit switch { "MiB" => 1 << 20, "KiB" => 1 << 10, _ => 1 };

    private static string Text(int bytes)
    {
        string unit = bytes == 0 ? "B" : bytes % (1 << 20) == 0 ? "MiB" : bytes % (1 << 10) == 0 ? "KiB" : "B";
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / UnitOf(unit)}{unit}");
    }

    [GeneratedRegex(Pattern, RegexOptions.CultureInvariant)]
    private static partial Regex Units();
}
