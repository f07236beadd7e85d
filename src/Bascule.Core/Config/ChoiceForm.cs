using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>One word of several.</summary>
internal sealed class ChoiceForm<T>(params ImmutableArray<Choice<T>> choices) : ValueForm<T>
    where T : notnull
{
    private readonly ImmutableArray<string> _words = [.. choices.Select(c => c.Word)];

    public override string Words => Show.OneOf(_words);

    public override IEnumerable<(string Word, string Doc)> Vocabulary => choices.Select(c => (c.Word, c.Doc));

    public override Complaint? Parse(string name, string text, [MaybeNull] out T value)
    {
        Choice<T>? chosen = choices.FirstOrDefault(c => c.Word == text);
        value = chosen is null ? default : chosen.Value;
        if (chosen is not null)
            return null;
        string? meant = choices.FirstOrDefault(c => c.AlsoCalled.Contains(text, StringComparer.OrdinalIgnoreCase))?.Word ?? Nearest.To(text, _words);
        return new($"`{name}: {Show.Safe(text)}` does not exist", meant is null ? $"expected: {Words}" : $"did you mean `{meant}`? There are {Words}");
    }

    public override string Write(T value) => choices.First(c => c.Value.Equals(value)).Word;

    public override JsonObject Schema() => new()
    {
        ["enum"] = new JsonArray([.. _words.Select(w => (JsonNode)w)]),
        ["markdownEnumDescriptions"] = new JsonArray([.. choices.Select(c => (JsonNode)c.Doc)]),
    };
}

/// <summary>One of the words.</summary>
/// <param name="Word">As written.</param>
/// <param name="Value">What it means.</param>
/// <param name="Doc">What it means, in words.</param>
/// <param name="AlsoCalled">What other programs call it; suggested, not accepted.</param>
internal sealed record Choice<T>(string Word, T Value, string Doc, params ImmutableArray<string> AlsoCalled);
