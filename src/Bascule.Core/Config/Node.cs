using System.Collections.Immutable;

namespace Bascule.Core.Config;

/// <summary>The configuration as written: values, lists and maps, each with its place in the file.</summary>
internal abstract record Node(Location At);

/// <summary>A single value. Every value is text until a setting says what it is, so <c>no</c> is never false.</summary>
internal sealed record ValueNode(Location At, string Text, bool IsPlain) : Node(At)
{
    /// <summary>Nothing was written, or YAML's word for nothing.</summary>
    public bool IsEmpty => IsPlain && Text is "" or "~" or "null";
}

/// <summary>A list.</summary>
internal sealed record ListNode(Location At, ImmutableArray<Node> Items) : Node(At);

/// <summary>A map, its keys in the order of the file, none twice.</summary>
internal sealed record MapNode(Location At, ImmutableArray<MapEntry> Entries) : Node(At);

/// <summary>One line of a map.</summary>
internal readonly record struct MapEntry(ValueNode Key, Node Value);

/// <summary>Something whose problem is already reported; whoever meets it says nothing more.</summary>
internal sealed record BrokenNode(Location At) : Node(At);
