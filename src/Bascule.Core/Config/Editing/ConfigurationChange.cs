using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Bascule.Core.Config.Editing;

/// <summary>What is done to a virtual server or real server.</summary>
public enum ChangeKind
{
    /// <summary>It is new.</summary>
    Add,

    /// <summary>It gets other settings.</summary>
    Edit,

    /// <summary>It goes.</summary>
    Delete,
}

/// <summary>One change of the configuration, as a command line says it.</summary>
public sealed record ConfigurationChange
{
    /// <inheritdoc cref="ChangeKind"/>
    public required ChangeKind Kind { get; init; }

    /// <summary>Of what: <c>web</c>, or <c>web/10.0.0.11:8080</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it gets; empty for <see cref="ChangeKind.Delete"/>.</summary>
    public ImmutableArray<SettingChange> Settings { get => field.IsDefault ? [] : field; init; } // the serializer gives nothing to what a body leaves out

    /// <summary>In the words of the command line, on one line and without what is secret: <c>edit web/10.0.0.11:8080 weight=3 check.password=***</c>.</summary>
    [JsonIgnore]
    public string Words => string.Concat(string.Join(' ', [Kind.ToString().ToLowerInvariant(), Name, .. Settings.Select(s => s.Words)]).Where(c => !char.IsControl(c)));
}

/// <summary>One setting.</summary>
/// <param name="Name">As the reference calls it, with dots for what stands inside another: <c>weight</c>, <c>check.interval</c>.</param>
/// <param name="Value">As it is written in the file: <c>3</c>, <c>[10.0.0.11:8080, 10.0.0.12:8080]</c>. Null: it goes, and its default counts.</param>
public sealed record SettingChange(string Name, string? Value)
{
    private static readonly FrozenSet<string> SecretSettings =
        RootSection.Section.AndAllInside().SelectMany(section => section.Settings).Where(setting => setting.MayBeSecret).Select(setting => setting.Name).ToFrozenSet();

    // Besides, what is called so anywhere, in the arguments of a program for one. "key" also ends hmacKey.
    private static readonly ImmutableArray<string> SecretWords = ["password", "secret", "key", "authorization", "cookie:"];

    /// <summary>For the log and for the status: without what is secret.</summary>
    [JsonIgnore]
    public string Words => $"{Name}={(Value is { Length: > 0 } && HoldsSecret ? "***" : Value)}";

    // A map or list may hold any setting.
    private bool HoldsSecret => Name.Split('.').Any(SecretSettings.Contains) || NamesSecret(Name)
        || (Value!.AsSpan().IndexOfAny('{', '[', ':') >= 0 && (NamesSecret(Value!) || SecretSettings.Any(setting => Value!.Contains(setting, StringComparison.Ordinal))));

    private static bool NamesSecret(string text) => SecretWords.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase));
}
