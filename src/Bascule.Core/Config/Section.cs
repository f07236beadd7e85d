using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>A map of settings, each at most once, in any order.</summary>
internal sealed class Section(string title, params ImmutableArray<Setting> settings) : Form<Fields>
{
    /// <summary>What the reference and the schema call it; unique.</summary>
    public string Title => title;

    /// <summary>What it is: a sentence or two.</summary>
    public required string Doc { get; init; }

    /// <summary>Where its settings stand: "in `limits`".</summary>
    public required string Place { get; init; }

    /// <summary>In the order the reference lists them.</summary>
    public ImmutableArray<Setting> Settings => settings;

    /// <summary>A single value in place of the map stands for this setting alone.</summary>
    public Setting? Short { get; init; }

    /// <summary>Settings of which exactly one must be written; the first is the one that is asked for. Empty: there are none.</summary>
    public ImmutableArray<Setting> OneOf { get; init; } = [];

    /// <summary>Whether a single value in its place may be a secret, which no sentence quotes.</summary>
    public bool HoldsSecrets { get; init; }

    /// <summary>What must hold between settings. Values that are broken are not there to be asked.</summary>
    public Action<string, Fields, ProblemList>? Rule { get; init; }

    public override string Words =>
        Short is null ? "a map of settings" : $"{Short.Form.Words}; or a map of settings, such as {{ {Short.Example}, … }}";

    public override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out Fields value)
    {
        value = new(node.At);
        switch (node)
        {
            case BrokenNode:
                return false;
            case MapNode map:
                ReadMap(map, name, value, problems);
                break;
            case ValueNode { IsEmpty: true } when Short is null && !settings.Any(s => s.IsRequired):
                break; // everything in it is commented out
            case var single when Short is not null && Short.TakesShort(single):
                Short.Read(single, name, value, problems);
                break;
            default:
                problems.Add(node.At, ValueForm<Fields>.WrongKind(node, name, Words, HoldsSecrets));
                return false;
        }

        Rule?.Invoke(name, value, problems);
        return true;
    }

    private void ReadMap(MapNode map, string name, Fields fields, ProblemList problems)
    {
        foreach (MapEntry entry in map.Entries)
        {
            if (settings.FirstOrDefault(s => s.Name == entry.Key.Text) is { } setting)
                setting.Read(entry.Value, setting.Name, fields, problems);
            else
                problems.Add(entry.Key.At, UnknownSetting.Explain(this, entry.Key.Text));
        }

        foreach (Setting second in OneOf.Where(fields.IsWritten).Skip(1))
            problems.Add(fields.AtOf(second), $"`{OneOf.First(fields.IsWritten).Name}` and `{second.Name}` say the same thing", "keep one of them");
        if (problems.IsPartial)
            return;
        string from = ReferenceEquals(this, RootSection.Section) ? "the file" : $"`{name}`";
        foreach (Setting missing in settings.Where(s => s.IsRequired && !fields.IsWritten(s)))
            problems.Add(map.At, $"`{missing.Name}` is missing from {from}", $"add `{missing.Example}`");
        if (OneOf is [var first, ..] && !OneOf.Any(fields.IsWritten))
            problems.Add(map.At, $"`{first.Name}` is missing from {from}", $"add `{first.Example}`");
    }

    public override string Write(Fields value) => "{}";

    public override Section? Inside => this;

    /// <summary>This section and every section inside it, each once, in the order of the reference.</summary>
    public IReadOnlyList<Section> AndAllInside()
    {
        List<Section> found = [];
        Gather(found);
        return found;
    }

    // A section may stand inside itself.
    private void Gather(List<Section> found)
    {
        if (found.Contains(this))
            return;
        found.Add(this);
        foreach (Section inside in settings.Select(s => s.Form.Inside).OfType<Section>())
            inside.Gather(found);
    }

    public override JsonObject Schema() => new() { ["$ref"] = $"#/$defs/{title}" };

    /// <summary>What <see cref="Schema"/> refers to.</summary>
    public JsonObject Definition()
    {
        JsonObject map = new()
        {
            ["type"] = Short is null && !settings.Any(s => s.IsRequired) ? new JsonArray("object", "null") : "object",
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject(settings.Select(s => KeyValuePair.Create(s.Name, (JsonNode?)Described(s)))),
        };
        if (settings.Any(s => s.IsRequired))
            map["required"] = new JsonArray([.. settings.Where(s => s.IsRequired).Select(s => (JsonNode)s.Name)]);
        if (!OneOf.IsEmpty)
            map["oneOf"] = new JsonArray([.. OneOf.Select(s => (JsonNode)new JsonObject { ["required"] = new JsonArray(s.Name) })]);
        if (Short is null)
        {
            map["description"] = Doc;
            return map;
        }

        return new() { ["description"] = Doc, ["anyOf"] = new JsonArray(Short.Form.Schema(), map) };
    }

    private static JsonObject Described(Setting setting)
    {
        JsonObject schema = setting.Form.Schema();
        schema["description"] = setting.Doc;
        if (setting.DefaultJson() is { } value)
            schema["default"] = value;
        return schema;
    }
}
