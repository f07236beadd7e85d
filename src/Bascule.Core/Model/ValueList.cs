using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Bascule.Core.Model;

/// <summary>
/// An immutable list that is equal to another when its elements are. Configuration records hold their lists in it, so that
/// "has this virtual server changed?" is one comparison of two records (<see cref="ImmutableArray{T}"/> compares references).
/// </summary>
[CollectionBuilder(typeof(ValueList), nameof(ValueList.Create))]
public sealed class ValueList<T>(ImmutableArray<T> items) : IReadOnlyList<T>, IEquatable<ValueList<T>>
{
    /// <inheritdoc/>
    public int Count => items.Length;

    /// <inheritdoc/>
    public T this[int index] => items[index];

    /// <inheritdoc/>
    public bool Equals(ValueList<T>? other) => other is not null && items.SequenceEqual(other.AsImmutableArray());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (T item in items)
            hash.Add(item);
        return hash.ToHashCode();
    }

    /// <summary>The same elements, without the value equality.</summary>
    public ImmutableArray<T> AsImmutableArray() => items;

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Lets a <see cref="ValueList{T}"/> be written as a collection expression.</summary>
public static class ValueList
{
    /// <summary>Copies the elements.</summary>
    public static ValueList<T> Create<T>(ReadOnlySpan<T> items) => new([.. items]);
}
