using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Bascule.Core.Config;

/// <summary>
/// Turns YAML into <see cref="Node"/>s. It takes the part of YAML that people read without a manual: maps, lists and values. Anchors,
/// aliases, merge keys, tags and further documents are refused: they hide what a file says, and aliases are how a small file becomes a huge one.
/// </summary>
internal sealed class YamlReader
{
    /// <summary>Maps and lists inside each other. The language itself needs seven.</summary>
    public const int MaximumDepth = 16;

    private readonly string _text;
    private readonly ProblemList _problems;
    private readonly Parser _parser;
    private readonly Stack<NodeEvent> _open = new();
    private ParsingEvent _now = new StreamStart();
    private bool _isCut;

    private YamlReader(string text, ProblemList problems)
    {
        _text = text;
        _problems = problems;
        _parser = new(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The root of the only document; null when there is none.</summary>
    public static Node? Read(string text, ProblemList problems) => new YamlReader(text, problems).ReadStream();

    private Node? ReadStream()
    {
        Advance(); // stream start
        Advance();
        if (_isCut || _now is StreamEnd)
            return null;
        Advance();
        if (_isCut)
            return null;
        Node root = ReadNode();
        Advance(); // document end
        if (!_isCut && _now is DocumentStart)
            _problems.Add(At(_now), "a second document begins here", "keep everything in one document: remove this line of dashes");
        return root;
    }

    /// <summary>Reads the node that begins with the current event, and moves past it.</summary>
    private Node ReadNode()
    {
        RefuseDecoration();
        return _now switch
        {
            Scalar scalar => ReadValue(scalar),
            SequenceStart => ReadInside(ReadList),
            MappingStart => ReadInside(ReadMap),
            AnchorAlias alias => RefuseAlias(alias),
            _ => RefuseNothing(),
        };
    }

    /// <summary>YamlDotNet 16.3 sends a name without a value when a line begins with a colon.</summary>
    private BrokenNode RefuseNothing()
    {
        Cut(new(At(_now), "a name or a value is missing here or on the line before", "write `name: value`"));
        return new(At(_now));
    }

    private ValueNode ReadValue(Scalar scalar)
    {
        ValueNode value = new(At(scalar), scalar.Value, scalar.Style == ScalarStyle.Plain);
        Advance();
        return value;
    }

    private Node ReadInside(Func<Location, Node> read)
    {
        Location at = At(_now);
        if (_open.Count == MaximumDepth)
        {
            Cut(new(at, $"lists and maps are nested more than {MaximumDepth} deep", "no setting is: look for a bracket too many"));
            return new BrokenNode(at);
        }

        _open.Push((NodeEvent)_now);
        Advance();
        Node node = read(at);
        if (_isCut)
            return node;
        _open.Pop();
        Advance();
        return node;
    }

    private ListNode ReadList(Location at)
    {
        ImmutableArray<Node>.Builder items = ImmutableArray.CreateBuilder<Node>();
        while (!_isCut && _now is not SequenceEnd)
            items.Add(ReadNode());
        return new(at, items.ToImmutable());
    }

    private MapNode ReadMap(Location at)
    {
        ImmutableArray<MapEntry>.Builder entries = ImmutableArray.CreateBuilder<MapEntry>();
        Dictionary<string, Location> seen = [];
        while (!_isCut && _now is not MappingEnd)
        {
            Node key = ReadNode();
            if (_isCut)
                break;
            Node value = ReadNode();
            if (UsableKey(key, seen) is { } name)
                entries.Add(new(name, value is ValueNode { IsEmpty: true } ? value with { At = name.At } : value));
        }

        return new(at, entries.ToImmutable());
    }

    private ValueNode? UsableKey(Node key, Dictionary<string, Location> seen)
    {
        if (key is not ValueNode name)
        {
            if (key is not BrokenNode)
                _problems.Add(key.At, "a list or a map stands where a name is expected", "write `name: value`; text that begins with [ or { needs quotes");
            return null;
        }

        if (name is { IsPlain: true, Text: "<<" })
        {
            _problems.IsPartial = true;
            _problems.Add(name.At, "`<<` would merge another map into this one", "merge keys are not part of the language; write the settings out");
            return null;
        }

        if (seen.TryAdd(name.Text, name.At))
            return name;
        _problems.Add(name.At, $"{Show.Quoted(name.Text)} is written twice in the same place; the first is on line {seen[name.Text].Line}", "keep one of the two");
        return null;
    }

    private void RefuseDecoration()
    {
        if (_now is not NodeEvent node)
            return;
        if (!node.Tag.IsEmpty)
            _problems.Add(At(_now), "a tag (`!`) says which type this is", "remove it: every setting knows its own type; text that begins with ! needs quotes");
        if (!node.Anchor.IsEmpty)
            _problems.Add(At(_now), $"an anchor (`&{Show.Safe(node.Anchor.Value)}`) names this for use elsewhere", "anchors are not part of the language; write the value where it is needed");
    }

    private BrokenNode RefuseAlias(AnchorAlias alias)
    {
        Location at = At(alias);
        string name = Show.Safe(alias.Value.Value);
        if (name.StartsWith(':'))
            _problems.Add(at, "an address that begins with * needs quotes", $"write \"*{name}\"; without quotes * is an alias in YAML");
        else
            _problems.Add(at, $"an alias (`*{name}`) stands for something written elsewhere", "aliases are not part of the language; write the value here");
        Advance();
        return new(at);
    }

    private void Advance()
    {
        if (_isCut)
            return;
        try
        {
            if (_parser.MoveNext())
                _now = _parser.Current!;
        }
        catch (YamlException e)
        {
            // Some of its errors start at line 1 column 1 for want of anything better; then the end is nearer.
            Mark at = e.Start is { Line: 1, Column: 1 } ? e.End : e.Start;
            Cut(YamlSyntax.Explain(_text, At(at), Opened(), e.Message));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet 16.3 throws these on an unclosed brace and on an escape above U+10FFFF; they do not say where.
            Cut(YamlSyntax.Explain(_text, At(_now), Opened(), e.Message));
        }
    }

    private void Cut(Problem problem)
    {
        _isCut = true;
        _problems.CutAt(problem);
    }

    /// <summary>Where the innermost bracket or brace that is still open stands; null when none is.</summary>
    private (char Bracket, Location At)? Opened() => _open.TryPeek(out NodeEvent? inner) ? inner switch
    {
        SequenceStart { Style: SequenceStyle.Flow } => ('[', At(inner)),
        MappingStart { Style: MappingStyle.Flow } => ('{', At(inner)),
        _ => null,
    }
    : null;

    private static Location At(ParsingEvent e) => At(e.Start);

    private static Location At(Mark mark) => new((int)long.Clamp(mark.Line, 1, int.MaxValue), (int)long.Clamp(mark.Column, 1, int.MaxValue));
}
