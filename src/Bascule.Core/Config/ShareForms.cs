using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bascule.Core.Config;

/// <summary>A whole number of percent: <c>50%</c>.</summary>
internal sealed partial class PercentForm(int minimum, int maximum) : ValueForm<int>
{
    private const string Pattern = "^([0-9]{1,4})%$";

    public override string Words => $"a share from {minimum}% to {maximum}%";

    public override Complaint? Parse(string name, string text, out int value)
    {
        value = 0;
        if (text.Length is > 0 and < 5 && text.All(char.IsAsciiDigit))
            return new($"`{name}: {Show.Safe(text)}` has no unit", $"write {int.Parse(text, CultureInfo.InvariantCulture)}%");
        Match match = Percent().Match(text);
        if (!match.Success || text.EndsWith('\n'))
            return new($"`{name}: {Show.Safe(text)}` is not a share", "write a whole number with %, such as 50%");
        value = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return value >= minimum && value <= maximum ? null : new($"`{name}: {Show.Safe(text)}` is out of range", $"expected: {Words}");
    }

    public override string Write(int value) => string.Create(CultureInfo.InvariantCulture, $"{value}%");

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = Pattern, ["examples"] = new JsonArray(Write(minimum), Write(maximum)) };

    [GeneratedRegex(Pattern, RegexOptions.CultureInvariant)]
    private static partial Regex Percent();
}

/// <summary>A number with at most three decimals: <c>1.9</c>.</summary>
internal sealed partial class FactorForm(double minimum, double maximum) : ValueForm<double>
{
    public override string Words => string.Create(CultureInfo.InvariantCulture, $"a number from {minimum} to {maximum}, with at most three decimals");

    public override Complaint? Parse(string name, string text, out double value)
    {
        value = 0;
        if (!Number().IsMatch(text) || text.EndsWith('\n'))
            return new($"`{name}: {Show.Safe(text)}` is not a number", $"expected: {Words}, such as {Write(minimum)}");
        value = double.Parse(text, CultureInfo.InvariantCulture);
        return value >= minimum && value <= maximum ? null : new($"`{name}: {Show.Safe(text)}` is out of range", $"expected: {Words}");
    }

    public override string Write(double value) => value.ToString(CultureInfo.InvariantCulture);

    public override JsonNode WriteJson(double value) => JsonValue.Create(value);

    public override JsonObject Schema() => new() { ["type"] = "number", ["minimum"] = minimum, ["maximum"] = maximum };

    [GeneratedRegex(@"^[0-9]{1,6}(\.[0-9]{1,3})?$", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
