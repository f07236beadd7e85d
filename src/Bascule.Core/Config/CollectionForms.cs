using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>A list with at least one item.</summary>
internal sealed class ListForm<T>(Form<T> item, Complaint nothing) : Form<ImmutableArray<T>>
{
    public override string Words => $"a list; each item is {item.Words}";

    public override bool TryRead(Node node, string name, ProblemList problems, out ImmutableArray<T> value)
    {
        value = [];
        if (node is BrokenNode)
            return false;
        if (node is ListNode { Items: [] } or ValueNode { IsEmpty: true })
        {
            if (!problems.IsPartial)
                problems.Add(node.At, nothing);
            return false;
        }

        if (node is not ListNode list)
        {
            problems.Add(node.At, ValueForm<T>.WrongKind(node, name, Words));
            return false;
        }

        return TryReadItems(list, name, problems, out value);
    }

    private bool TryReadItems(ListNode list, string name, ProblemList problems, out ImmutableArray<T> value)
    {
        ImmutableArray<T>.Builder items = ImmutableArray.CreateBuilder<T>();
        foreach (Node one in list.Items)
        {
            if (item.TryRead(one, name, problems, out T? read))
                items.Add(read);
        }

        // The good items are worth checking against each other even when others are broken: the problems are what is asked for.
        value = items.ToImmutable();
        return true;
    }

    public override string Write(ImmutableArray<T> value) => $"[{string.Join(", ", value.Select(item.Write))}]";

    public override JsonNode WriteJson(ImmutableArray<T> value) => new JsonArray([.. value.Select(v => (JsonNode?)item.WriteJson(v))]);

    public override Section? Inside => item.Inside;

    public override IEnumerable<(string Word, string Doc)> Vocabulary => item.Vocabulary;

    public override bool IsList => true;

    public override JsonObject Schema() => new() { ["type"] = "array", ["minItems"] = 1, ["items"] = item.Schema() };
}

/// <summary>A section with the name it was given.</summary>
internal sealed record Named(string Name, Fields Fields);

/// <summary>Which names there may be in a map.</summary>
/// <param name="Words">What they are: "names".</param>
/// <param name="Rule">The rule in words.</param>
/// <param name="Pattern">The rule for editors.</param>
/// <param name="Check">Complains about a name; null when it is good.</param>
internal sealed record NameRule(string Words, string Rule, string Pattern, Func<string, Complaint?> Check)
{
    public const int Longest = 64;

    /// <summary>Names of which nothing else is asked.</summary>
    public static NameRule Any { get; } = new("names", "names are 1 to 64 letters, digits, `.`, `_` and `-`", "^[A-Za-z0-9._-]{1,64}$", CheckAny);

    private static Complaint? CheckAny(string name) =>
        name.Length is 0 or > Longest || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? new($"{Show.Quoted(name)} cannot be a name", Any.Rule)
            : null;
}

/// <summary>A map from names that the operator chooses to sections.</summary>
internal sealed class NamedForm(Section section, Complaint nothing) : Form<ImmutableArray<Named>>
{
    public override string Words => $"a map from {Names.Words} to their settings; {Names.Rule}";

    /// <summary>Which names there may be.</summary>
    public NameRule Names { get; init; } = NameRule.Any;

    /// <summary>Whether a single value in its place may be a secret, which no sentence quotes.</summary>
    public bool HoldsSecrets { get; init; }

    public override bool TryRead(Node node, string name, ProblemList problems, out ImmutableArray<Named> value)
    {
        value = [];
        switch (node)
        {
            case BrokenNode:
                return false;
            case MapNode { Entries: [] } or ValueNode { IsEmpty: true }:
                if (!problems.IsPartial)
                    problems.Add(node.At, nothing);
                return false;
            case MapNode map:
                value = [.. map.Entries.Select(e => ReadOne(e, problems)).OfType<Named>()];
                return true;
            default:
                problems.Add(node.At, ValueForm<Named>.WrongKind(node, name, Words, HoldsSecrets));
                return false;
        }
    }

    private Named? ReadOne(MapEntry entry, ProblemList problems)
    {
        string name = entry.Key.Text;
        string shown = Show.Safe(name);
        if (Names.Check(name) is { } complaint)
        {
            problems.Add(entry.Key.At, complaint);
            shown = HoldsSecrets ? "this" : shown;
        }

        return section.TryRead(entry.Value, shown, problems, out Fields? fields) ? new(name, fields) : null;
    }

    public override string Write(ImmutableArray<Named> value) => "{}";

    public override Section? Inside => section;

    public override JsonObject Schema() => new()
    {
        ["type"] = "object",
        ["minProperties"] = 1,
        ["propertyNames"] = new JsonObject { ["pattern"] = Names.Pattern },
        ["additionalProperties"] = section.Schema(),
    };
}
