using System.Collections.Immutable;
using System.Text;

namespace Bascule.Core.Config.Sharing;

/// <summary>
/// A configuration file taken apart into what is the same on all directors and what is each director's own. A setting at the top of the file goes with the
/// comment lines directly above it, and everything below it up to the next one.
/// </summary>
/// <remarks>
/// Nothing is written anew: blocks of text change place, so that comments and layout stay what they were. Empty lines between blocks belong to the place, not to
/// the block; what stands above the first setting with an empty line between is this file's own.
/// </remarks>
public sealed class SharedPart
{
    /// <summary>What is each director's own.</summary>
    public static readonly ImmutableHashSet<string> LocalSettings = ["node", "ha", "admin", "packets", "workers", "notify", "stateFile"];

    private readonly string _head;
    private readonly ImmutableArray<Block> _blocks;

    private SharedPart(string head, ImmutableArray<Block> blocks)
    {
        _head = head;
        _blocks = blocks;
    }

    /// <summary>The shared blocks in their order, an empty line between each two.</summary>
    public string Text => string.Join('\n', _blocks.Where(b => !b.IsLocal).Select(b => b.Text));

    /// <summary>Takes the file apart.</summary>
    /// <param name="text">Of the whole file. Whether it is a good configuration is not asked, only whether it can be taken apart.</param>
    /// <param name="whyNot">As a sentence with what to do; null on success.</param>
    public static SharedPart? TrySplit(string text, out string? whyNot)
    {
        if (text.Length > 0 && !text.EndsWith('\n'))
            text += "\n";
        string[] lines = [.. text.Split('\n').SkipLast(1).Select(line => line + "\n")];
        ProblemList problems = new();
        Node? root = YamlReader.Read(text, problems);
        whyNot = problems.IsEmpty ? null : $"the file is not to be read: line {problems.Sorted()[0].At.Line}: {problems.Sorted()[0].What}";
        if (whyNot is not null)
            return null;
        if (root is null or ValueNode { IsEmpty: true })
            return new(text, []);
        whyNot = WhyNotApart(root, lines);
        return whyNot is null ? Split(((MapNode)root).Entries, lines) : null;
    }

    /// <summary>This file with another director's shared blocks instead of its own, each in the place of one of its own as far as there are places.</summary>
    /// <param name="shared">As <see cref="Text"/>.</param>
    /// <param name="whyNot">As a sentence; null on success.</param>
    public string? With(string shared, out string? whyNot)
    {
        if (TrySplit(shared, out whyNot) is not { } other)
            return null;
        if (other._blocks.FirstOrDefault(b => b.IsLocal) is { } own)
        {
            whyNot = $"`{own.Name}` is each director's own and cannot be shared";
            return null;
        }

        string composed = Compose(other._blocks);
        if (TrySplit(composed, out _)?.Text == shared)
            return composed;
        whyNot = "the two parts do not go together as text; write every top-level setting of both files on lines of its own";
        return null;
    }

    private string Compose(ImmutableArray<Block> theirs)
    {
        StringBuilder file = new(_head);
        Queue<Block> waiting = new(theirs);
        int places = _blocks.Count(b => !b.IsLocal);
        foreach (Block block in _blocks)
        {
            if (block.IsLocal)
                Append(file, block).Append(block.Spacing);
            else if (waiting.TryDequeue(out Block? next))
                AppendRest(Append(file, next), --places == 0 ? waiting : []).Append(block.Spacing);
        }

        return AppendRest(file, waiting).ToString();
    }

    /// <summary>A comment at the end of a block stays with it only if a line is empty before the next.</summary>
    private static StringBuilder Append(StringBuilder file, Block block) =>
        file.Append(LastLine(file).StartsWith('#') ? "\n" : "").Append(block.Text);

    /// <summary>Those for which there is no place of their own.</summary>
    private static StringBuilder AppendRest(StringBuilder file, Queue<Block> waiting)
    {
        while (waiting.TryDequeue(out Block? next))
            file.Append(string.IsNullOrWhiteSpace(LastLine(file)) ? "" : "\n").Append(next.Text);
        return file;
    }

    private static string LastLine(StringBuilder file)
    {
        int start = file.Length - 1;
        while (start > 0 && file[start - 1] != '\n')
            start--;
        return start < 0 ? "" : file.ToString(start, file.Length - start);
    }

    private static string? WhyNotApart(Node root, string[] lines)
    {
        if (root is not MapNode map)
            return "the file is not a map of settings";
        int before = 0;
        foreach ((ValueNode key, _) in map.Entries)
        {
            if (key.At.Column != 1 || key.At.Line <= before || !char.IsAsciiLetter(lines[key.At.Line - 1][0]))
                return $"line {key.At.Line}: `{key.Text}` does not begin a line of its own, so the shared part cannot be told from this director's own (write each top-level setting at the beginning of a line, without braces around them all)";
            before = key.At.Line;
        }

        int first = map.Entries.IsEmpty ? 0 : map.Entries[0].Key.At.Line;
        int marker = Array.FindIndex(lines, int.Max(first - 1, 0), line => line.StartsWith("---", StringComparison.Ordinal) || line.StartsWith("...", StringComparison.Ordinal));
        return marker < 0 ? null : $"line {marker + 1}: a mark of a document's end stands between the settings (remove the line)";
    }

    private static SharedPart Split(ImmutableArray<MapEntry> entries, string[] lines)
    {
        int[] starts = [.. entries.Select((entry, i) => StartOf(entry.Key.At.Line - 1, i == 0 ? 0 : entries[i - 1].Key.At.Line, lines)), lines.Length];
        return new(string.Concat(lines[..starts[0]]), [.. entries.Select((entry, i) => BlockOf(entry.Key.Text, lines[starts[i]..starts[i + 1]]))]);
    }

    /// <summary>The first of the comment lines directly above a setting.</summary>
    private static int StartOf(int line, int notBefore, string[] lines)
    {
        while (line > notBefore && lines[line - 1].StartsWith('#'))
            line--;
        return line;
    }

    private static Block BlockOf(string name, string[] lines)
    {
        int content = lines.Length;
        while (string.IsNullOrWhiteSpace(lines[content - 1]))
            content--;
        return new(name, string.Concat(lines[..content]), string.Concat(lines[content..]));
    }

    private sealed record Block(string Name, string Text, string Spacing)
    {
        public bool IsLocal => LocalSettings.Contains(Name);
    }
}
