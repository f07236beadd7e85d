using System.Text;

namespace Bascule.Core.Config;

/// <summary>The reference for operators: every setting with its value, default and where the default comes from. Markdown.</summary>
public static class ReferencePage
{
    private const string Beginning = """
        # Configuration reference

        <!-- Written by `bascule config reference`; do not edit. The descriptions stand in src/Bascule.Core/Config. -->

        One YAML file, `/etc/bascule/bascule.yaml` unless `bascule run -c FILE` says otherwise. `bascule check FILE` reports everything that is
        wrong with it, `bascule config schema` writes a JSON Schema from which editors complete. Complete examples are in [samples](../../samples).

        How values are written:

        - **Durations** have units: `500ms`, `30s`, `15m`, `1h`, `1m30s`. A bare number is refused: nobody knows what it counts.
        - **Sizes** have units: `512B`, `16KiB` (1024 bytes each), `1MiB`.
        - **Addresses** are IP addresses; names are not resolved. What begins with `*` or `[` needs quotes: `"*:80"`, `"[2001:db8::1]:80"`.
        - **Everything else** is the text that stands there: `no` is the word no, and quotes never change a meaning.
        - Anchors, aliases, merge keys, tags and several documents in one file are refused.


        """;

    /// <summary>The whole page.</summary>
    public static string Write()
    {
        StringBuilder page = new(Beginning);
        page.AppendJoin('\n', RootSection.Section.AndAllInside().Select(Write));
        return page.ToString();
    }

    private static string Write(Section section)
    {
        StringBuilder text = new($"## {Capital(section.Place)}\n\n{section.Doc}\n");
        if (section.Short is { } shortForm)
            text.Append($"\nShort form: the value of `{shortForm.Name}` alone.\n");
        foreach (Setting setting in section.Settings)
            text.Append('\n').Append(Write(setting));
        return text.ToString();
    }

    private static string Write(Setting setting)
    {
        StringBuilder text = new($"### `{setting.Name}`\n\n{setting.Doc}\n\n");
        if (setting.Form.Inside is { } section)
            text.Append($"- Value: {setting.Form.Words}. See [below](#{Anchor(section.Place)})\n");
        else if (setting.Form.Vocabulary.Any())
            text.Append(setting.Form.IsList ? "- Value: a list of any of these\n" : "").AppendJoin("", setting.Form.Vocabulary.Select(w => $"- `{w.Word}`: {w.Doc}\n"));
        else
            text.Append($"- Value: {setting.Form.Words}\n");
        text.Append($"- {Default(setting)}\n");
        return text.Append($"- Example: `{setting.Example}`\n").ToString();
    }

    private static string Default(Setting setting)
    {
        if (setting.IsRequired)
            return "Required";
        string value = setting.Otherwise ?? $"`{setting.DefaultText}`";
        return setting.Source is null ? $"Default: {value}" : $"Default: {value}\n- Source of the default: {setting.Source}";
    }

    private static string Capital(string place) => char.ToUpperInvariant(place[0]) + place[1..];

    /// <summary>What renderers of Markdown make of a heading: small letters and digits, hyphens for spaces, nothing else.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '-').Select(c => c == ' ' ? '-' : c));
}
