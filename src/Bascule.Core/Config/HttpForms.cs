using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Status codes that pass: <c>200</c>, <c>200-299</c>, or a list of these.</summary>
internal sealed class StatusRangesForm : Form<ValueList<StatusRange>>
{
    private static readonly ListForm<StatusRange> Several = new(new StatusRangeForm(), new("`expect` lists no status code, so no answer could pass", "list at least one, or leave `expect` out"));

    public override string Words => $"{new StatusRangeForm().Words}, or a list of these";

    public override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out ValueList<StatusRange> value)
    {
        ImmutableArray<StatusRange> ranges;
        value = null;
        if (node is MapNode or ValueNode { IsEmpty: true })
        {
            problems.Add(node.At, ValueForm<StatusRange>.WrongKind(node, name, Words));
            return false;
        }

        bool isRead = node is ListNode
            ? Several.TryRead(node, name, problems, out ranges)
            : TryReadOne(node, name, problems, out ranges);
        value = isRead ? new(ranges) : null;
        return isRead;
    }

    private static bool TryReadOne(Node node, string name, ProblemList problems, out ImmutableArray<StatusRange> ranges)
    {
        bool isRead = new StatusRangeForm().TryRead(node, name, problems, out StatusRange range);
        ranges = [range];
        return isRead;
    }

    public override string Write(ValueList<StatusRange> value) =>
        value.Count == 1 ? new StatusRangeForm().Write(value[0]) : Several.Write(value.AsImmutableArray());

    public override JsonObject Schema() => new() { ["anyOf"] = new JsonArray(new StatusRangeForm().Schema(), Several.Schema()) };
}

/// <summary>One status code, or a range of them.</summary>
internal sealed class StatusRangeForm : ValueForm<StatusRange>
{
    public override string Words => "a status code from 200 to 599 or a range such as 200-399";

    public override Complaint? Parse(string name, string text, out StatusRange value)
    {
        value = default;
        string[] ends = text.Split('-');
        if (ends.Length > 2 || !TryCode(ends[0], out int first) || !TryCode(ends[^1], out int last))
            return new($"`{name}: {Show.Safe(text)}` is not a status code or a range of them", $"expected: {Words}, or a list of these");
        if (last < first)
            return new($"`{name}: {Show.Safe(text)}` is empty: it ends before it begins", $"write {last}-{first}");
        value = new(first, last);
        return null;
    }

    // 1xx is never the final answer, so it cannot be what a check waits for.
    private static bool TryCode(string text, out int code) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out code) && text.Length == 3 && code is >= 200 and <= 599;

    public override string Write(StatusRange value) =>
        value.First == value.Last ? $"{value.First}" : $"{value.First}-{value.Last}";

    public override JsonObject Schema() => new()
    {
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = "integer", ["minimum"] = 200, ["maximum"] = 599 },
            new JsonObject { ["type"] = "string", ["pattern"] = "^[2-5][0-9][0-9](-[2-5][0-9][0-9])?$" }),
    };
}

/// <summary>Header fields to send: a map from names to values.</summary>
internal sealed class HeadersForm : Form<ValueList<HeaderField>>
{
    private const int Most = 50;

    private static readonly TextForm Value = new("a header value", 4096, HttpText.HeaderValue);

    public override string Words => "a map from header names to values, such as { Accept: text/html }";

    public override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out ValueList<HeaderField> value)
    {
        value = null;
        if (node is BrokenNode)
            return false;
        if (node is not MapNode map)
        {
            problems.Add(node.At, ValueForm<HeaderField>.WrongKind(node, name, Words));
            return false;
        }

        if (map.Entries.Length > Most)
            problems.Add(map.At, $"`{name}` has {map.Entries.Length} header fields", $"at most {Most} are possible");
        value = new([.. map.Entries.Select(e => ReadOne(e, problems)).OfType<HeaderField>()]);
        return true;
    }

    private static HeaderField? ReadOne(MapEntry entry, ProblemList problems)
    {
        if (HttpText.HeaderName(entry.Key.Text) is { } complaint)
            problems.Add(entry.Key.At, complaint);
        return Value.TryRead(entry.Value, Show.Safe(entry.Key.Text), problems, out string? value) ? new(entry.Key.Text, value) : null;
    }

    public override string Write(ValueList<HeaderField> value) =>
        value.Count == 0 ? "{}" : $"{{ {string.Join(", ", value.Select(h => $"{h.Name}: {h.Value}"))} }}";

    public override JsonNode WriteJson(ValueList<HeaderField> value) =>
        new JsonObject(value.Select(h => KeyValuePair.Create(h.Name, (JsonNode?)h.Value)));

    public override JsonObject Schema() => new() { ["type"] = "object", ["maxProperties"] = Most, ["additionalProperties"] = Value.Schema() };
}
