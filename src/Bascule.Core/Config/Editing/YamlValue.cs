using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config.Editing;

/// <summary>Values as an operator writes them on a command line, and as they stand in a file.</summary>
internal static class YamlValue
{
    /// <summary>
    /// The value as it can stand in a file, in braces and out of them: as it is where YAML takes it for one value, otherwise in quotes. So <c>[a, b]</c> is a
    /// list, and <c>[::]:80</c> and <c>*:80</c> are texts.
    /// </summary>
    public static string Write(string value)
    {
        string trimmed = value.Trim();
        return TryRead(trimmed) is not null ? trimmed : Quote(trimmed);
    }

    /// <summary>What a value that <see cref="Write"/> wrote says.</summary>
    public static JsonNode? Read(string written) => TryRead(written)?["x"]?.DeepClone();

    /// <summary>A node without its places: objects, arrays and texts; what is empty is null.</summary>
    public static JsonNode? ToJson(Node? node) => node switch
    {
        ValueNode { IsEmpty: true } or null => null,
        ValueNode value => JsonValue.Create(value.Text),
        ListNode list => new JsonArray([.. list.Items.Select(ToJson)]),
        MapNode map => new JsonObject(map.Entries.Select(e => KeyValuePair.Create(e.Key.Text, ToJson(e.Value)))),
        _ => null,
    };

    private static JsonObject? TryRead(string value)
    {
        if (value.Length == 0 || value.AsSpan().IndexOfAny('\n', '\r', '\t') >= 0)
            return null;
        ProblemList problems = new();
        Node? read = YamlReader.Read($"{{ x: {value} }}", problems);
        return problems.IsEmpty && read is MapNode { Entries: [{ Key.Text: "x", Value: not ValueNode { IsEmpty: true } }] } ? ToJson(read) as JsonObject : null;
    }

    private static string Quote(string value)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in value)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (char.IsControl(c))
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }
}
