using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Variables for the environment of a program: a map from names to values.</summary>
internal sealed class EnvironmentForm : Form<ValueList<EnvironmentVariable>>
{
    private const int Most = 50;

    private static readonly TextForm Value = new("a text", 4096, (name, text) =>
        text.Contains('\0', StringComparison.Ordinal) ? new($"the value of `{name}` has a zero byte", "remove it") : null);

    public override string Words => "a map from names to values, such as { LEVEL: deep }";

    public override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out ValueList<EnvironmentVariable> value)
    {
        value = null;
        if (node is BrokenNode)
            return false;
        if (node is not MapNode map)
        {
            problems.Add(node.At, ValueForm<EnvironmentVariable>.WrongKind(node, name, Words));
            return false;
        }

        if (map.Entries.Length > Most)
            problems.Add(map.At, $"`{name}` has {map.Entries.Length} variables", $"at most {Most} are possible");
        value = new([.. map.Entries.Select(entry => ReadOne(entry, problems)).OfType<EnvironmentVariable>()]);
        return true;
    }

    private static EnvironmentVariable? ReadOne(MapEntry entry, ProblemList problems)
    {
        string name = entry.Key.Text;
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            problems.Add(entry.Key.At, $"{Show.Quoted(name)} cannot be the name of a variable", "write letters, digits and `_`, the first not a digit");
        return Value.TryRead(entry.Value, Show.Safe(name), problems, out string? value) ? new(name, value) : null;
    }

    public override string Write(ValueList<EnvironmentVariable> value) =>
        value.Count == 0 ? "{}" : $"{{ {string.Join(", ", value.Select(v => $"{v.Name}: {v.Value}"))} }}";

    public override JsonNode WriteJson(ValueList<EnvironmentVariable> value) =>
        new JsonObject(value.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)v.Value)));

    public override JsonObject Schema() => new() { ["type"] = "object", ["maxProperties"] = Most, ["additionalProperties"] = Value.Schema() };
}
