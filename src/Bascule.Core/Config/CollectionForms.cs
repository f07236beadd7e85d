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

    public override Section? Inside => item.Inside;

    public override JsonObject Schema() => new() { ["type"] = "array", ["minItems"] = 1, ["items"] = item.Schema() };
}

/// <summary>A section with the name it was given.</summary>
internal sealed record Named(string Name, Fields Fields);

/// <summary>A map from names that the operator chooses to sections.</summary>
internal sealed class NamedForm(Section section, Complaint nothing) : Form<ImmutableArray<Named>>
{
    private const int LongestName = 64;
    private const string Pattern = "^[A-Za-z0-9._-]{1,64}$";

    public override string Words => "a map from names to their settings; names are 1 to 64 letters, digits, `.`, `_` and `-`";

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
                problems.Add(node.At, ValueForm<Named>.WrongKind(node, name, Words));
                return false;
        }
    }

    private Named? ReadOne(MapEntry entry, ProblemList problems)
    {
        string name = entry.Key.Text;
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            problems.Add(entry.Key.At, $"{Show.Quoted(name)} cannot be a name", "names are 1 to 64 letters, digits, `.`, `_` and `-`");
        return section.TryRead(entry.Value, Show.Safe(name), problems, out Fields? fields) ? new(name, fields) : null;
    }

    public override string Write(ImmutableArray<Named> value) => "{}";

    public override Section? Inside => section;

    public override JsonObject Schema() => new()
    {
        ["type"] = "object",
        ["minProperties"] = 1,
        ["propertyNames"] = new JsonObject { ["pattern"] = Pattern },
        ["additionalProperties"] = section.Schema(),
    };
}
