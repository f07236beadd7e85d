using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Bascule.Core.Config.Editing;

/// <summary>Where a node of the YAML lies in the text: from <paramref name="Start"/> to before <paramref name="End"/>, in characters.</summary>
internal abstract record YamlSpan(int Start, int End)
{
    /// <summary>The root of a text that <see cref="YamlReader"/> has found good; null when it is no map.</summary>
    public static MapSpan? Read(string text)
    {
        Parser parser = new(new Scanner(new StringReader(text), skipComments: true));
        while (parser.MoveNext())
        {
            if (parser.Current is NodeEvent)
                return ReadNode(parser, text) as MapSpan;
        }

        return null;
    }

    private static YamlSpan ReadNode(Parser parser, string text)
    {
        ParsingEvent first = parser.Current!;
        switch (first)
        {
            case Scalar scalar:
                parser.MoveNext();
                return ValueSpan.Of(scalar, text);
            case SequenceStart list:
                parser.MoveNext();
                return ReadList(parser, text, (int)list.Start.Index, list.Style == SequenceStyle.Flow);
            default:
                parser.MoveNext();
                return ReadMap(parser, text, (int)first.Start.Index, first is MappingStart { Style: MappingStyle.Flow });
        }
    }

    private static ListSpan ReadList(Parser parser, string text, int start, bool isFlow)
    {
        ImmutableArray<YamlSpan>.Builder items = ImmutableArray.CreateBuilder<YamlSpan>();
        while (parser.Current is not SequenceEnd)
            items.Add(ReadNode(parser, text));
        int end = isFlow || items.Count == 0 ? Behind(parser.Current!, text, ']') : items[^1].End;
        parser.MoveNext();
        return new(start, end, isFlow, items.ToImmutable());
    }

    private static MapSpan ReadMap(Parser parser, string text, int start, bool isFlow)
    {
        ImmutableArray<EntrySpan>.Builder entries = ImmutableArray.CreateBuilder<EntrySpan>();
        while (parser.Current is not MappingEnd)
        {
            string name = parser.Current is Scalar key ? key.Value : "";
            YamlSpan keySpan = ReadNode(parser, text);
            int colon = text.IndexOf(':', keySpan.End) is var at and >= 0 ? at + 1 : keySpan.End;
            YamlSpan value = ReadNode(parser, text);
            entries.Add(new(name, keySpan.Start, colon, value is { Start: var from, End: var to } && from == to ? new ValueSpan(colon, colon) : value));
        }

        int end = isFlow || entries.Count == 0 ? Behind(parser.Current!, text, '}') : entries[^1].End;
        parser.MoveNext();
        return new(start, end, isFlow, entries.ToImmutable());
    }

    /// <summary>Behind the bracket: YamlDotNet 16.3 ends some of them before it.</summary>
    private static int Behind(ParsingEvent end, string text, char bracket) =>
        end.Start.Index < text.Length && text[(int)end.Start.Index] == bracket ? (int)end.Start.Index + 1 : (int)end.End.Index;
}

/// <summary>A single value; of no length where nothing is written.</summary>
internal sealed record ValueSpan(int Start, int End) : YamlSpan(Start, End)
{
    /// <summary>The text of a block (after <c>|</c>) ends with its last line; what is empty below it belongs to nobody.</summary>
    public static ValueSpan Of(Scalar scalar, string text)
    {
        (int start, int end) = ((int)scalar.Start.Index, (int)scalar.End.Index);
        while (end > start && char.IsWhiteSpace(text[end - 1]))
            end--;
        return new(start, end);
    }
}

/// <summary>A list; in the block form it begins with its first dash.</summary>
internal sealed record ListSpan(int Start, int End, bool IsFlow, ImmutableArray<YamlSpan> Items) : YamlSpan(Start, End);

/// <summary>A map.</summary>
internal sealed record MapSpan(int Start, int End, bool IsFlow, ImmutableArray<EntrySpan> Entries) : YamlSpan(Start, End)
{
    /// <summary>The entry of a name; null when there is none.</summary>
    public EntrySpan? Find(string name) => Entries.FirstOrDefault(e => e.Name == name);
}

/// <summary>One line of a map.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Start">Where the key begins.</param>
/// <param name="Colon">Behind the colon.</param>
internal sealed record EntrySpan(string Name, int Start, int Colon, YamlSpan Value) : YamlSpan(Start, int.Max(Colon, Value.End));
