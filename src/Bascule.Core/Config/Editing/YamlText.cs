using System.Collections.Immutable;

namespace Bascule.Core.Config.Editing;

/// <summary>
/// A YAML text and the small changes that can be made in it. Each touches the characters it must and no others: comments, layout and the order of everything else
/// stay. What comes out is read again by whoever asked, for YAML has corners that nobody knows.
/// </summary>
internal sealed class YamlText(string text)
{
    private const int Step = 2;

    private readonly string _newLine = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";

    /// <summary>Puts another value in the place of an entry's.</summary>
    public string Replace(EntrySpan entry, string value)
    {
        if (entry.Value is ListSpan { IsFlow: false } or MapSpan { IsFlow: false } && LineStart(entry.Value.Start) > entry.Colon)
            return Splice((entry.Colon, entry.Colon, " " + value), (LineStart(entry.Value.Start), NextLine(entry.Value.End), ""));
        string space = entry.Value.Start == entry.Value.End ? " " : "";
        return Splice((entry.Value.Start, entry.Value.End, space + value));
    }

    /// <summary>Puts text in the place of a node.</summary>
    public string Replace(YamlSpan node, Func<string, string> with) => Splice((node.Start, node.End, with(text[node.Start..node.End])));

    /// <summary>Adds an entry at the end of a map.</summary>
    public string Add(MapSpan map, string name, string value)
    {
        string entry = $"{YamlValue.Write(name)}: {value}";
        return map.IsFlow ? AddToFlow(map, [.. map.Entries], entry) : AddLines(map.Entries[^1].End, Indent(map.Start), [entry]);
    }

    /// <summary>Adds a map at the end of a map, in the layout of the others there.</summary>
    public string AddMap(MapSpan map, string name, ImmutableArray<(string Name, string Value)> entries)
    {
        string[] lines = [.. entries.Select(e => $"{YamlValue.Write(e.Name)}: {e.Value}")];
        if (map.IsFlow)
            return AddToFlow(map, [.. map.Entries], $"{YamlValue.Write(name)}: {{ {string.Join(", ", lines)} }}");
        EntrySpan last = map.Entries[^1];
        int outer = Indent(map.Start);
        int inner = last.Value is MapSpan { IsFlow: false } value && LineStart(value.Start) > last.Start ? Indent(value.Start) - outer : Step;
        IEnumerable<string> block = lines.Select(line => new string(' ', inner) + line).Prepend($"{YamlValue.Write(name)}:");
        return AddLines(last.End, outer, HasEmptyLineAbove(last.Start) ? block.Prepend("") : block);
    }

    /// <summary>Adds an item at the end of a list.</summary>
    public string Add(ListSpan list, string item) =>
        list.IsFlow ? AddToFlow(list, list.Items, item) : AddLines(list.Items[^1].End, Indent(list.Start), [$"- {item}"]);

    /// <summary>Takes an entry out of a map, or an item out of a list, with what stands behind it on its last line.</summary>
    public string Remove(YamlSpan from, int index) => from switch
    {
        MapSpan { IsFlow: true } map => RemoveFromFlow([.. map.Entries], index),
        ListSpan { IsFlow: true } list => RemoveFromFlow(list.Items, index),
        ListSpan list => RemoveLines(Dash(list.Items[index].Start), list.Items[index].End),
        MapSpan map => RemoveLines(map.Entries[index].Start, map.Entries[index].End),
        _ => text,
    };

    private string AddLines(int after, int indent, IEnumerable<string> lines)
    {
        int at = NextLine(after);
        string before = at > 0 && text[at - 1] != '\n' ? _newLine : "";
        return Splice((at, at, before + string.Concat(lines.Select(line => (line.Length == 0 ? "" : new string(' ', indent) + line) + _newLine))));
    }

    private string AddToFlow(YamlSpan inside, ImmutableArray<YamlSpan> items, string item)
    {
        if (items.IsEmpty)
            return Splice((inside.Start + 1, inside.Start + 1, $" {item} "));
        YamlSpan last = items[^1];
        int comma = SkipWhite(last.End) is var next && text[next] == ',' ? next + 1 : -1;
        bool isOneALine = IsWhite(LineStart(last.Start), last.Start) && NextLine(last.End) < inside.End && LineStart(last.Start) > inside.Start;
        if (!isOneALine || (comma >= 0 && LineStart(comma) != LineStart(last.End)))
            return Splice((last.End, last.End, $", {item}"));
        string line = text[LineStart(last.Start)..last.Start] + item + (comma >= 0 ? "," : "") + _newLine;
        int at = NextLine(last.End);
        return comma >= 0 ? Splice((at, at, line)) : Splice((last.End, last.End, ","), (at, at, line));
    }

    private string RemoveFromFlow(ImmutableArray<YamlSpan> items, int index)
    {
        YamlSpan item = items[index];
        int end = SkipWhite(item.End) is var next && text[next] == ',' ? next + 1 : item.End;
        int rest = SkipSpaces(end);
        // Alone on its lines: they go, with the comment behind it. (The comma before may stay: YAML takes it.)
        if (IsWhite(LineStart(item.Start), item.Start) && (rest == text.Length || text[rest] is '\r' or '\n' or '#'))
            return Splice((LineStart(item.Start), NextLine(end), ""));
        if (index + 1 < items.Length)
            return Splice((item.Start, IsWhite(end, items[index + 1].Start) && LineStart(items[index + 1].Start) <= item.Start ? items[index + 1].Start : end, ""));
        if (index > 0 && text[items[index - 1].End..item.Start].AsSpan().IndexOfAny('\n', '#') < 0)
            return Splice((items[index - 1].End, item.End, ""));
        return Splice((item.Start, end, ""));
    }

    private string RemoveLines(int start, int end)
    {
        if (IsWhite(LineStart(start), start))
            return Splice((LineStart(start), NextLine(end), ""));
        // Behind the dash of a list's item, which goes on below.
        int from = start;
        while (from > 0 && text[from - 1] == ' ')
            from--;
        return Splice((from, LineEnd(end), ""));
    }

    /// <summary>The dash before an item.</summary>
    private int Dash(int item)
    {
        while (item > 0 && (text[item] != '-' || !IsWhite(LineStart(item), item)))
            item--;
        return item;
    }

    /// <summary>Whether the lines of an entry, with the comments directly above, are set off by an empty line.</summary>
    private bool HasEmptyLineAbove(int entry)
    {
        int line = LineStart(entry);
        while (line > 0)
        {
            line = LineStart(line - 1);
            string above = text[line..LineEnd(line)].Trim();
            if (!above.StartsWith('#'))
                return above.Length == 0;
        }

        return false;
    }

    private int Indent(int at) => at - LineStart(at);

    private int LineStart(int at) => at == 0 ? 0 : text.LastIndexOf('\n', at - 1) + 1;

    private int LineEnd(int at) => text.IndexOf('\n', at) is var end and >= 0 ? (end > at && text[end - 1] == '\r' ? end - 1 : end) : text.Length;

    private int NextLine(int at) => text.IndexOf('\n', at) is var end and >= 0 ? end + 1 : text.Length;

    private int SkipWhite(int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
        return int.Min(at, text.Length - 1);
    }

    private int SkipSpaces(int at)
    {
        while (at < text.Length && text[at] == ' ')
            at++;
        return at;
    }

    private bool IsWhite(int from, int to) => from >= to || text.AsSpan(from, to - from).IsWhiteSpace();

    /// <summary>Makes several changes at once; each is said in the places of the text as it is.</summary>
    private string Splice(params ReadOnlySpan<(int Start, int End, string New)> changes)
    {
        string changed = text;
        for (int i = changes.Length - 1; i >= 0; i--)
            changed = string.Concat(changed.AsSpan(0, changes[i].Start), changes[i].New, changed.AsSpan(changes[i].End));
        return changed;
    }
}
