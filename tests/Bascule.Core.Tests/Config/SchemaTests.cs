using System.Text;
using System.Text.Json.Nodes;
using Bascule.Core.Config;

namespace Bascule.Core.Tests.Config;

public sealed class SchemaTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(JsonSchema.Write())!.AsObject();

    [Fact]
    public void Has_every_setting_with_its_description_and_default()
    {
        foreach (Section section in RootSection.Section.AndAllInside())
        {
            JsonObject map = Schema["$defs"]![section.Title]!.AsObject();
            JsonObject properties = (map["properties"] ?? map["anyOf"]![1]!["properties"])!.AsObject();

            Assert.Equal(section.Settings.Select(s => s.Name), properties.Select(p => p.Key));
            Assert.All(section.Settings, s => Assert.Equal(s.Doc, (string?)properties[s.Name]!["description"]));
            Assert.All(section.Settings.Where(s => s.DefaultText is not null), s => Assert.NotNull(properties[s.Name]!["default"]));
        }
    }

    [Fact]
    public void Every_default_is_a_value_it_accepts()
    {
        foreach (JsonObject section in Schema["$defs"]!.AsObject().Select(d => d.Value!.AsObject()))
        {
            JsonObject properties = (section["properties"] ?? section["anyOf"]![1]!["properties"])!.AsObject();
            foreach ((string name, JsonNode? setting) in properties)
            {
                if (setting!["default"] is { } value)
                    Assert.Empty(Validate(value, setting.AsObject(), name));
            }
        }
    }

    [Fact]
    public void Every_example_is_a_value_it_accepts()
    {
        foreach (Section section in RootSection.Section.AndAllInside())
        {
            JsonObject definition = Schema["$defs"]![section.Title]!.AsObject();
            JsonObject map = definition["anyOf"]?[1]!.AsObject() ?? definition;
            foreach (Setting setting in section.Settings)
            {
                JsonObject? example = Json(setting.Example) as JsonObject;

                Assert.Equal([setting.Name], example!.Select(e => e.Key));
                Assert.Empty(Validate(example![setting.Name], map["properties"]![setting.Name]!.AsObject(), setting.Name));
            }
        }
    }

    public static TheoryData<string> GoodFiles =>
    [
        .. Directory.GetFiles(Path.Combine(TestFolder.Here(), "cases"), "*.case").Where(IsGood)
            .Concat(Directory.GetFiles(Path.Combine(TestFolder.Repository, "samples"), "*.yaml"))
            .Select(f => Path.GetRelativePath(TestFolder.Repository, f)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(GoodFiles))]
    public void Accepts_what_the_check_accepts(string file)
    {
        Assert.Empty(Validate(Json(Input(Path.Combine(TestFolder.Repository, file))), Schema, "file"));
    }

    [Theory]
    [InlineData("unknown-settings")]
    [InlineData("unknown-words")]
    [InlineData("units")]
    [InlineData("ranges")]
    [InlineData("wrong-kinds")]
    [InlineData("wrong-kinds-inside")]
    [InlineData("no-real-servers")]
    [InlineData("no-virtual-servers")]
    [InlineData("names")]
    [InlineData("bad-real-servers")]
    public void Underlines_what_is_plainly_wrong(string name)
    {
        Assert.NotEmpty(Validate(Json(Input(Path.Combine(TestFolder.Here(), "cases", name + ".case"))), Schema, "file"));
    }

    private static bool IsGood(string file) => ConfigurationText.Check(Encoding.UTF8.GetBytes(Input(file))).Meant is not null;

    private static string Input(string file) => File.ReadAllText(file).Split(new string('-', 60))[0];

    private static IReadOnlyList<string> Validate(JsonNode? value, JsonObject schema, string at) => [.. new SchemaValidator(Schema).Errors(value, schema, at)];

    /// <summary>YAML as an editor sees it: plain numbers are numbers, plain true and false are booleans.</summary>
    private static JsonNode? Json(string yaml)
    {
        ProblemList problems = new();
        Node? root = YamlReader.Read(yaml, problems);
        Assert.Empty(problems.Sorted());
        return Json(root!);
    }

    private static JsonNode? Json(Node node) => node switch
    {
        MapNode map => new JsonObject(map.Entries.Select(e => KeyValuePair.Create(e.Key.Text, Json(e.Value)))),
        ListNode list => new JsonArray([.. list.Items.Select(Json)]),
        ValueNode { IsEmpty: true } => null,
        ValueNode { IsPlain: true, Text: "true" or "false" } value => JsonValue.Create(value.Text == "true"),
        ValueNode { IsPlain: true } value when long.TryParse(value.Text, out long number) => JsonValue.Create(number),
        ValueNode { IsPlain: true } value when double.TryParse(value.Text, out double number) && value.Text.All(c => char.IsAsciiDigit(c) || c == '.') => JsonValue.Create(number),
        ValueNode value => JsonValue.Create(value.Text),
        _ => throw new InvalidOperationException($"{node} has no JSON."),
    };
}
