using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bascule.Core.Tests.Config;

/// <summary>As much of JSON Schema as our schema uses; a keyword it does not know is an error, so that none goes untested.</summary>
internal sealed class SchemaValidator(JsonObject root)
{
    private static readonly HashSet<string> Notes =
        ["$schema", "$defs", "title", "description", "default", "examples", "markdownEnumDescriptions"];

    /// <summary>What is wrong with the value; nothing when it is valid.</summary>
    public IEnumerable<string> Errors(JsonNode? value, JsonObject schema, string at) =>
        schema.Where(k => !Notes.Contains(k.Key)).SelectMany(k => Errors(value, k.Key, k.Value!, schema, at));

    private IEnumerable<string> Errors(JsonNode? value, string keyword, JsonNode wanted, JsonObject schema, string at) => keyword switch
    {
        "$ref" => Errors(value, root["$defs"]![((string)wanted!)["#/$defs/".Length..]]!.AsObject(), at),
        "anyOf" => Unless(wanted.AsArray().Any(s => !Errors(value, s!.AsObject(), at).Any()), $"{at}: fits no alternative"),
        "oneOf" => Unless(wanted.AsArray().Count(s => !Errors(value, s!.AsObject(), at).Any()) == 1, $"{at}: fits none of the alternatives, or several"),
        "type" => Unless(IsOneOf(value, wanted), $"{at}: is {value?.GetValueKind()}, not {wanted}"),
        "enum" => Unless(wanted.AsArray().Any(w => JsonNode.DeepEquals(w, value)), $"{at}: {value} is not one of {wanted}"),
        "pattern" => Unless(Text(value) is not { } text || Regex.IsMatch(text, (string)wanted!), $"{at}: {value} does not match {wanted}"),
        "maxLength" => Unless(Text(value) is not { } text || text.Length <= (int)wanted, $"{at}: is too long"),
        "minimum" => Unless(Number(value) is not { } number || number >= (double)wanted, $"{at}: {value} is below {wanted}"),
        "maximum" => Unless(Number(value) is not { } number || number <= (double)wanted, $"{at}: {value} is above {wanted}"),
        "minItems" => Unless(value is not JsonArray list || list.Count >= (int)wanted, $"{at}: has too few items"),
        "minProperties" => Unless(value is not JsonObject map || map.Count >= (int)wanted, $"{at}: has too few properties"),
        "maxProperties" => Unless(value is not JsonObject map || map.Count <= (int)wanted, $"{at}: has too many properties"),
        "required" => value is JsonObject map ? wanted.AsArray().Where(r => !map.ContainsKey((string)r!)).Select(r => $"{at}: lacks {r}") : [],
        "items" => value is JsonArray list ? list.SelectMany((item, i) => Errors(item, wanted.AsObject(), $"{at}[{i}]")) : [],
        "propertyNames" => value is JsonObject map ? map.SelectMany(p => Errors(JsonValue.Create(p.Key), wanted.AsObject(), $"{at}: name {p.Key}")) : [],
        "properties" => value is JsonObject map ? map.Where(p => wanted[p.Key] is not null).SelectMany(p => Errors(p.Value, wanted[p.Key]!.AsObject(), $"{at}.{p.Key}")) : [],
        "additionalProperties" => value is JsonObject map ? map.Where(p => schema["properties"]?[p.Key] is null).SelectMany(p => Additional(p.Value, wanted, $"{at}.{p.Key}")) : [],
        _ => [$"{at}: the schema has {keyword}, which this validator does not know"],
    };

    private IEnumerable<string> Additional(JsonNode? value, JsonNode wanted, string at) =>
        wanted is JsonObject schema ? Errors(value, schema, at) : [$"{at}: is not allowed"];

    private static IEnumerable<string> Unless(bool isGood, string error) => isGood ? [] : [error];

    private static bool IsOneOf(JsonNode? value, JsonNode wanted) =>
        wanted is JsonArray several ? several.Any(w => IsOf(value, (string)w!)) : IsOf(value, (string)wanted!);

    private static bool IsOf(JsonNode? value, string type) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => Text(value) is not null,
        "number" => Number(value) is not null,
        "integer" => Number(value) is { } number && double.IsInteger(number),
        "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        _ => throw new InvalidOperationException($"The schema has type {type}."),
    };

    private static string? Text(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String ? (string)value! : null;

    private static double? Number(JsonNode? value) => value?.GetValueKind() == JsonValueKind.Number ? value.Deserialize<double>() : null;
}
