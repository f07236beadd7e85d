using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>
/// One setting, described once. The reader, the editor's schema and the reference page all work from this description.
/// </summary>
internal abstract class Setting(string name, Form form)
{
    /// <summary>The key in the file.</summary>
    public string Name => name;

    /// <summary>How its value is written.</summary>
    public Form Form => form;

    /// <summary>What it is for: a sentence or two.</summary>
    public required string Doc { get; init; }

    /// <summary>A line to copy.</summary>
    public required string Example { get; init; }

    /// <summary>Where the default comes from: a standard, a predecessor, or our own reason.</summary>
    public string? Source { get; init; }

    /// <summary>What happens when it is left out, where that takes words.</summary>
    public string? Otherwise { get; init; }

    /// <summary>What other programs call it; suggested, not accepted.</summary>
    public ImmutableArray<string> AlsoCalled { get; init; } = [];

    /// <summary>Whether what is written may be a secret, or hold one, as a header line holds a login: then no log and no status shows it.</summary>
    public bool MayBeSecret
    {
        get => field || form is Section { HoldsSecrets: true } or NamedForm { HoldsSecrets: true };
        init;
    }

    /// <summary>Whether it must be written.</summary>
    public bool IsRequired => !HasDefault && Otherwise is null;

    /// <summary>Whether leaving it out means one certain value.</summary>
    public bool HasDefault { get; protected init; }

    /// <summary>The default as a person would write it; null when there is none.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>The default as JSON writes it; null when there is none.</summary>
    public abstract JsonNode? DefaultJson();

    /// <summary>Reads the value into the fields of the section the setting stands in.</summary>
    /// <param name="name">What the file calls it: its own name, or in a short form that of the section.</param>
    public abstract void Read(Node node, string name, Fields into, ProblemList problems);

    /// <summary>Whether it can stand for a whole section: the short form.</summary>
    public abstract bool TakesShort(Node node);
}

/// <inheritdoc/>
internal sealed class Setting<T>(string name, Form<T> form) : Setting(name, form)
    where T : notnull
{
    private readonly T? _default;

    /// <summary>What leaving it out means.</summary>
    public T Default
    {
        get => HasDefault ? _default! : throw new InvalidOperationException($"`{Name}` has no default.");
        init
        {
            _default = value;
            HasDefault = true;
        }
    }

    public override string? DefaultText => HasDefault && form is not Section ? form.Write(_default!) : null;

    public override JsonNode? DefaultJson() => HasDefault && form is not Section ? form.WriteJson(_default!) : null;

    public override void Read(Node node, string name, Fields into, ProblemList problems)
    {
        if (form.TryRead(node, name, problems, out T? value))
            into.Put(this, value!, node.At);
        else
            into.PutBroken(this);
    }

    public override bool TakesShort(Node node) => form is ValueForm<T> && node is ValueNode { IsEmpty: false };
}
