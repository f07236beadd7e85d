using System.Text;

namespace Bascule.Proxy.Http1;

/// <summary>One field line of a head. RFC 9112 §5.</summary>
/// <param name="Known">Which one it is.</param>
/// <param name="IsCanonical">Whether the line reads "name: value" with one space, so that it can be copied whole.</param>
/// <param name="Line">The line without its CRLF.</param>
/// <param name="NameLength">The name begins with the line.</param>
/// <param name="Value">Without the whitespace around it.</param>
internal readonly record struct Field(KnownField Known, bool IsCanonical, Slice Line, int NameLength, Slice Value);

/// <summary>The fields of a head, parsed strictly, with the ones a proxy acts on looked up. Reused from head to head.</summary>
internal sealed class FieldSection
{
    /// <summary>Options in the Connection fields of one head, other than close, keep-alive and upgrade. Real ones have one or two.</summary>
    public const int MaxConnectionOptions = 16;

    private const int KnownCount = (int)KnownField.NamedByConnection + 1;

    private readonly Slice[] _first = new Slice[KnownCount];
    private readonly Slice[] _options = new Slice[MaxConnectionOptions];
    private Field[] _fields = [];
    private int _count;
    private int _optionCount;
    private uint _present;
    private uint _repeated;

    /// <summary>In the order of the head.</summary>
    public ReadOnlySpan<Field> Fields => _fields.AsSpan(0, _count);

    /// <summary>Connection: close.</summary>
    public bool AsksToClose { get; private set; }

    /// <summary>Connection: keep-alive.</summary>
    public bool AsksToKeepAlive { get; private set; }

    /// <summary>Connection: upgrade, and an Upgrade field to go with it.</summary>
    public bool AsksToUpgrade { get; private set; }

    /// <summary>Whether the head has this field.</summary>
    public bool Has(KnownField known) => (_present & Bit(known)) != 0;

    /// <summary>Whether the head has it more than once.</summary>
    public bool IsRepeated(KnownField known) => (_repeated & Bit(known)) != 0;

    /// <summary>Its value, the first when there are several. Only when the head has it.</summary>
    public Slice First(KnownField known) => _first[(int)known];

    /// <summary>A set of fields, for <see cref="CopyTo"/>.</summary>
    public static uint SetOf(params ReadOnlySpan<KnownField> fields)
    {
        uint set = 0;
        foreach (KnownField known in fields)
            set |= Bit(known);
        return set;
    }

    /// <summary>Reads field lines up to and including the empty line.</summary>
    /// <param name="end">The index after the empty line, when <see cref="ParseResult.Complete"/>.</param>
    public ParseResult Parse(ReadOnlySpan<byte> input, int start, int maxFields, out int end)
    {
        Clear(maxFields);
        end = start;
        while (true)
        {
            ParseResult line = Grammar.FindLineEnd(input, end, out int lineEnd);
            if (line != ParseResult.Complete)
                return line;

            int lineStart = end;
            end = lineEnd + 2;
            if (lineEnd == lineStart)
                return Has(KnownField.Connection) ? ReadConnection(input) : ParseResult.Complete;

            if (_count == maxFields)
                return ParseResult.TooManyFields;
            line = ReadField(input, lineStart, lineEnd);
            if (line != ParseResult.Complete)
                return line;
        }
    }

    /// <summary>Writes those fields that are in the set, in order, whitespace put right. Neighbours that need no change are copied together.</summary>
    public void CopyTo(ref ByteWriter output, ReadOnlySpan<byte> input, uint set)
    {
        int runStart = 0;
        int runEnd = 0;
        foreach (ref readonly Field field in Fields)
        {
            if ((set & Bit(field.Known)) == 0)
                continue;
            if (field.IsCanonical && field.Line.Start == runEnd)
            {
                runEnd = field.Line.End + 2;
                continue;
            }

            output.Append(input[runStart..runEnd]);
            runStart = runEnd = 0;
            if (field.IsCanonical)
                (runStart, runEnd) = (field.Line.Start, field.Line.End + 2);
            else
                output.AppendField(input.Slice(field.Line.Start, field.NameLength), field.Value.In(input));
        }

        output.Append(input[runStart..runEnd]);
    }

    private static uint Bit(KnownField known) => 1u << (int)known;

    private void Clear(int maxFields)
    {
        if (_fields.Length < maxFields)
            _fields = new Field[maxFields]; // once, and again only when a reload raises the limit
        _count = 0;
        _optionCount = 0;
        _present = 0;
        _repeated = 0;
        AsksToClose = false;
        AsksToKeepAlive = false;
        AsksToUpgrade = false;
    }

    /// <param name="end">Where the line ends: at its CR, which is in no token.</param>
    private ParseResult ReadField(ReadOnlySpan<byte> input, int start, int end)
    {
        int colon = Grammar.Token.EndOfRun(input, start);
        if (input[colon] != ':' || colon == start)
            return NameFault(input[colon], isEmpty: colon == start);

        int valueStart = colon + 1;
        int valueEnd = end;
        while (valueStart < valueEnd && Grammar.IsWhitespace(input[valueStart]))
            valueStart++;
        while (valueEnd > valueStart && Grammar.IsWhitespace(input[valueEnd - 1]))
            valueEnd--;

        KnownField known = KnownFields.Recognise(input[start..colon]);
        bool canonical = valueEnd == end && valueStart == colon + 2 && input[valueStart - 1] == ' ';
        Slice value = new(valueStart, valueEnd - valueStart);
        _fields[_count++] = new(known, canonical, new(start, end - start), colon - start, value);
        if (known != KnownField.Other)
            Remember(known, value);
        return ParseResult.Complete;
    }

    private static ParseResult NameFault(byte insteadOfColon, bool isEmpty)
    {
        if (Grammar.IsWhitespace(insteadOfColon))
            return isEmpty ? ParseResult.FoldedLine : ParseResult.WhitespaceBeforeColon;
        return ParseResult.MalformedFieldName;
    }

    private void Remember(KnownField known, Slice value)
    {
        uint bit = Bit(known);
        if ((_present & bit) != 0)
        {
            _repeated |= bit;
            return;
        }

        _present |= bit;
        _first[(int)known] = value;
    }

    /// <summary>Connection: what it asks, and which fields end here because it names them. RFC 9110 §7.6.1.</summary>
    private ParseResult ReadConnection(ReadOnlySpan<byte> input)
    {
        foreach (ref readonly Field field in Fields)
        {
            if (field.Known == KnownField.Connection && !ReadOptions(input, field.Value))
                return ParseResult.MalformedConnection;
        }

        AsksToUpgrade &= Has(KnownField.Upgrade);
        if (_optionCount > 0)
            MarkNamedFields(input);
        return ParseResult.Complete;
    }

    private bool ReadOptions(ReadOnlySpan<byte> input, Slice value)
    {
        ReadOnlySpan<byte> list = value.In(input);
        if (list.SequenceEqual("keep-alive"u8)) // most of them
            return AsksToKeepAlive = true;
        while (Grammar.TakeElement(ref list, out ReadOnlySpan<byte> option))
        {
            if (option.IsEmpty)
                continue;
            if (!Grammar.IsToken(option))
                return false;
            if (Ascii.EqualsIgnoreCase(option, "keep-alive"u8))
                AsksToKeepAlive = true;
            else if (Ascii.EqualsIgnoreCase(option, "close"u8))
                AsksToClose = true;
            else if (Ascii.EqualsIgnoreCase(option, "upgrade"u8))
                AsksToUpgrade = true;
            else if (_optionCount < MaxConnectionOptions)
                _options[_optionCount++] = SliceOf(input, value, list, option);
            else
                return false;
        }

        return true;
    }

    /// <summary>Where the element just taken lies: after what was taken before it, ahead of what is left of the list.</summary>
    private static Slice SliceOf(ReadOnlySpan<byte> input, Slice value, ReadOnlySpan<byte> rest, ReadOnlySpan<byte> option)
    {
        int end = rest.IsEmpty ? value.End : value.End - rest.Length - 1;
        while (end > value.Start && (Grammar.IsWhitespace(input[end - 1]) || input[end - 1] == ','))
            end--;
        return new(end - option.Length, option.Length);
    }

    /// <summary>
    /// Fields we know are governed by our own rules whatever Connection says: a client that names Host, Content-Length or
    /// X-Forwarded-For there changes nothing.
    /// </summary>
    private void MarkNamedFields(ReadOnlySpan<byte> input)
    {
        foreach (ref Field field in _fields.AsSpan(0, _count))
        {
            if (field.Known != KnownField.Other)
                continue;
            ReadOnlySpan<byte> name = input.Slice(field.Line.Start, field.NameLength);
            foreach (Slice option in _options.AsSpan(0, _optionCount))
            {
                if (Ascii.EqualsIgnoreCase(name, option.In(input)))
                    field = field with { Known = KnownField.NamedByConnection };
            }
        }
    }
}
