using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>The language for editors: a JSON Schema, draft 2020-12, from which they complete and underline.</summary>
public static class JsonSchema
{
    // Written to a file that people read, never into a page: angle brackets and backticks may stay as they are.
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema. It accepts what <see cref="ConfigurationText"/> accepts, except that numbers in quotes are underlined.</summary>
    public static string Write()
    {
        JsonObject schema = new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = RootSection.Section.Doc,
            ["$ref"] = $"#/$defs/{RootSection.Section.Title}",
            ["$defs"] = new JsonObject(RootSection.Section.AndAllInside().Select(s => KeyValuePair.Create(s.Title, (JsonNode?)s.Definition()))),
        };
        return schema.ToJsonString(Readable) + "\n";
    }
}
