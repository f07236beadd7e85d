using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>A text with a rule of its own.</summary>
/// <param name="words">What is expected.</param>
/// <param name="longest">Characters at most.</param>
/// <param name="rule">Given name and text, the complaint; null when the text is good.</param>
internal sealed class TextForm(string words, int longest, Func<string, string, Complaint?> rule) : ValueForm<string>
{
    public override string Words => words;

    public override Complaint? Parse(string name, string text, [MaybeNull] out string value)
    {
        value = text;
        if (text.Length == 0)
            return new($"`{name}` is an empty text", $"expected: {words}");
        if (text.Length > longest)
            return new($"`{name}` is {text.Length} characters long", $"at most {longest} are possible");
        return rule(name, text);
    }

    public override string Write(string value) => value;

    // YAML calls 200 a number and true a boolean; here both are text.
    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number", "boolean"), ["maxLength"] = longest };
}
