using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bascule.Core.Config;
using Bascule.Core.Model;

namespace Bascule.Tidy.Tests.Pages;

/// <summary>docs/guide/limits.md promises what happens at every limit: it has to name them as they are.</summary>
public sealed partial class LimitsPageTests
{
    private const string Page = "docs/guide/limits.md";

    [Fact]
    public void Every_setting_in_the_guide_exists() =>
        Findings.AreNone(Repository.Files("", "*.md").SelectMany(path => UnknownSettings(Repository.Read(path)), (path, name) => $"{path}: there is no {name}"));

    [Fact]
    public void Sees_a_setting_that_does_not_exist() =>
        Assert.Equal(["limits.headersSize"], UnknownSettings("`limits.headerSize`, `limits.headersSize` and `timeouts.idle`"));

    [Fact]
    public void Every_limit_and_timeout_is_on_the_page()
    {
        string page = Repository.Read(Page);

        Findings.AreNone(Settings().Keys.Where(name => name.StartsWith("limits.", StringComparison.Ordinal) || name.StartsWith("timeouts.", StringComparison.Ordinal))
            .Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)));
    }

    [Fact]
    public void Defaults_on_the_page_are_the_defaults() => Findings.AreNone(WrongDefaults(Repository.Read(Page)));

    [Fact]
    public void Sees_a_wrong_default()
    {
        const string table = "| `limits.headerSize` | 8KiB | 431 |\n| `timeouts.tunnel`, `timeouts.idle` | 1h, 15m | closed |\n";

        Assert.Equal(["limits.headerSize is 16KiB, not 8KiB"], WrongDefaults(table));
    }

    [Fact]
    public void Every_outcome_on_the_page_exists_and_every_unhappy_one_is_there()
    {
        string[] named = [.. LastColumn().Matches(Repository.Read(Page)).SelectMany(row => Quoted().Matches(row.Value)).Select(name => name.Groups[1].Value).Distinct().Order()];
        // Nobody reaches a limit by these: they are answers, departures and mistakes.
        ForwardOutcome[] elsewhere =
            [ForwardOutcome.Completed, ForwardOutcome.ClientLeft, ForwardOutcome.ClientSentBadRequest, ForwardOutcome.ClientSentUnsupported, ForwardOutcome.RealServerBrokeOff];

        Assert.Equal(Enum.GetValues<ForwardOutcome>().Except(elsewhere).Select(outcome => outcome.ToString()).Order(), named);
    }

    private static IEnumerable<string> UnknownSettings(string page) =>
        DottedSetting().Matches(page).Select(name => name.Groups[1].Value).Where(name => !Settings().ContainsKey(name));

    private static IEnumerable<string> WrongDefaults(string page)
    {
        foreach (Match row in Row().Matches(page))
        {
            string[] names = [.. Quoted().Matches(row.Groups["names"].Value).Select(name => name.Groups[1].Value)];
            string[] defaults = row.Groups["defaults"].Value.Split(',', StringSplitOptions.TrimEntries);
            foreach ((string name, string written) in names.Zip(defaults))
            {
                if (Settings().GetValueOrDefault(name) is { } meant && meant != written)
                    yield return $"{name} is {meant}, not {written}";
            }
        }
    }

    /// <summary>Every setting inside a section, as <c>section.name</c>, with its default as text; empty without one.</summary>
    private static Dictionary<string, string> Settings() =>
        JsonNode.Parse(JsonSchema.Write())!["$defs"]!.AsObject()
            .SelectMany(section => Properties(section.Value!), (section, property) => ($"{section.Key}.{property.Key}", $"{property.Value!["default"]}"))
            .ToDictionary(setting => setting.Item1, setting => setting.Item2);

    private static JsonObject Properties(JsonNode section) =>
        (section["properties"] ?? section["anyOf"]?.AsArray().Select(form => form!["properties"]).FirstOrDefault(found => found is not null))?.AsObject() ?? [];

    [GeneratedRegex(@"`((?:limits|timeouts|admin|check)\.\w+)`")]
    private static partial Regex DottedSetting();

    [GeneratedRegex(@"^\| (?<names>`[^|]+) \| (?<defaults>[^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\|[^|\n]*\|$", RegexOptions.Multiline)]
    private static partial Regex LastColumn();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
