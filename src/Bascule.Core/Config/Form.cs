using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>How the value of a setting is written. What reads it, what an editor completes and what the reference says come from here.</summary>
internal abstract class Form
{
    /// <summary>What is expected, after "expected:": "a duration from 1s to 1h, such as 30s".</summary>
    public abstract string Words { get; }

    /// <summary>The same for a schema, draft 2020-12.</summary>
    public abstract JsonObject Schema();

    /// <summary>The words there are with what each means; empty when any value of the form will do.</summary>
    public virtual IEnumerable<(string Word, string Doc)> Vocabulary => [];

    /// <summary>Whether a value is a list.</summary>
    public virtual bool IsList => false;

    /// <summary>The section that stands inside, once or several times; null when none does.</summary>
    public virtual Section? Inside => null;
}

/// <summary>A form whose values become <typeparamref name="T"/>.</summary>
internal abstract class Form<T> : Form
{
    /// <summary>Reads what is written.</summary>
    /// <param name="name">What the file calls it, for the sentences.</param>
    /// <returns>Whether it could be read; if not, the problem has been added.</returns>
    public abstract bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out T value);

    /// <summary>The value as a person would write it, for the reference and the schema.</summary>
    public abstract string Write(T value);

    /// <summary>The value as JSON writes it.</summary>
    public virtual JsonNode WriteJson(T value) => JsonValue.Create(Write(value));
}

/// <summary>A form of one value, not a list or a map.</summary>
internal abstract class ValueForm<T> : Form<T>
{
    public sealed override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (node is BrokenNode)
            return false;
        Complaint? complaint = node is ValueNode { IsEmpty: false } written ? Parse(name, written.Text, out value) : WrongKind(node, name, Words);
        if (complaint is not null)
            problems.Add(node.At, complaint);
        return complaint is null;
    }

    /// <summary>Understands the text.</summary>
    /// <returns>Null when <paramref name="value"/> was understood.</returns>
    public abstract Complaint? Parse(string name, string text, [MaybeNull] out T value);

    /// <summary>The sentence for a node of a kind that is not expected here.</summary>
    /// <param name="isSecret">Whether what is written may be a secret, and is not quoted.</param>
    internal static Complaint WrongKind(Node node, string name, string expected, bool isSecret = false) => node switch
    {
        MapNode => new($"`{name}` is a map here", $"expected: {expected}"),
        ListNode => new($"`{name}` is a list here", $"expected: {expected}"),
        ValueNode { IsEmpty: false } when isSecret => new($"`{name}` is a single value here", $"expected: {expected}"),
        ValueNode { IsEmpty: false } value => new($"`{name}` is the single value {Show.Quoted(value.Text)} here", $"expected: {expected}"),
        _ => new($"`{name}` has no value", $"expected: {expected}"),
    };
}
