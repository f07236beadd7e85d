using Bascule.Core.Model;

namespace Bascule.Proxy.Http1;

/// <summary>How far a chunked body has come.</summary>
internal enum ChunkedResult
{
    /// <summary>More is to come.</summary>
    Incomplete,

    /// <summary>The last chunk and its trailers are in.</summary>
    Complete,

    /// <summary>Not a chunked body, or one that two parsers could take for two. Close the connection.</summary>
    Malformed,

    /// <summary>The trailers, or the extensions of one chunk, are larger than the limit. Close the connection.</summary>
    TooLarge,
}

/// <summary>Takes the chunks off a body, strictly, however it is split. RFC 9112 §7.1.</summary>
/// <remarks>
/// Extensions are checked and dropped, as §7.1.1 asks. Trailers are checked and dropped, as RFC 9110 §6.5.1 allows: a field that comes
/// after the body was decided upon cannot be trusted to change it.
/// </remarks>
/// <param name="limits">Trailers together, and the extensions of one chunk, are held to <see cref="Limits.HeaderSize"/>.</param>
internal struct ChunkedDecoder(Limits limits)
{
    /// <summary>Leading zeros included; 2^60 bytes are enough for anyone.</summary>
    private const int MaxDigits = 15;

    private readonly int _textLimit = limits.HeaderSize;
    private State _state;
    private long _size;
    private int _digits;
    private int _textLength;

    private enum State : byte
    {
        Size,
        ExtensionName,
        Extension,
        SizeLineFeed,
        Data,
        DataCarriageReturn,
        DataLineFeed,
        TrailerStart,
        TrailerName,
        TrailerValue,
        TrailerLineFeed,
        LastLineFeed,
        Complete,
        Malformed,
        TooLarge,
    }

    /// <summary>Decodes in place: the data of all chunks in <paramref name="buffer"/> moves together at its front.</summary>
    /// <param name="consumed">Bytes taken; all of them, unless the body ended or is refused. What follows is the next message.</param>
    /// <param name="dataLength">Bytes of data at the front; never more than <paramref name="consumed"/>.</param>
    public ChunkedResult Decode(Span<byte> buffer, out int consumed, out int dataLength)
    {
        consumed = 0;
        dataLength = 0;
        while (consumed < buffer.Length && _state < State.Complete)
        {
            if (_state == State.Data)
                MoveData(buffer, ref consumed, ref dataLength);
            else
                _state = Step(buffer[consumed++]);
        }

        return _state switch
        {
            State.Complete => ChunkedResult.Complete,
            State.Malformed => ChunkedResult.Malformed,
            State.TooLarge => ChunkedResult.TooLarge,
            _ => ChunkedResult.Incomplete,
        };
    }

    private void MoveData(Span<byte> buffer, ref int consumed, ref int dataLength)
    {
        int length = (int)Math.Min(_size, buffer.Length - consumed);
        buffer.Slice(consumed, length).CopyTo(buffer[dataLength..]);
        consumed += length;
        dataLength += length;
        _size -= length;
        if (_size == 0)
            _state = State.DataCarriageReturn;
    }

    private State Step(byte next) => _state switch
    {
        State.Size => StepSize(next),
        State.ExtensionName => StepExtensionName(next),
        State.Extension => StepText(next, State.Extension, State.SizeLineFeed),
        State.SizeLineFeed => next == '\n' ? AfterSize() : State.Malformed,
        State.DataCarriageReturn => next == '\r' ? State.DataLineFeed : State.Malformed,
        State.DataLineFeed => next == '\n' ? NextChunk() : State.Malformed,
        State.TrailerStart => StepTrailerStart(next),
        State.TrailerName => StepTrailerName(next),
        State.TrailerValue => StepText(next, State.TrailerValue, State.TrailerLineFeed),
        State.TrailerLineFeed => next == '\n' ? State.TrailerStart : State.Malformed,
        State.LastLineFeed => next == '\n' ? State.Complete : State.Malformed,
        State.Data or State.Complete or State.Malformed or State.TooLarge => _state, // not stepped through
    };

    private State StepSize(byte next)
    {
        int digit = HexDigit(next);
        if (digit >= 0)
        {
            _size = _size << 4 | (uint)digit;
            return ++_digits > MaxDigits ? State.Malformed : State.Size;
        }

        if (_digits == 0)
            return State.Malformed;
        return next switch
        {
            (byte)'\r' => State.SizeLineFeed,
            (byte)';' => State.ExtensionName,
            _ => State.Malformed, // whitespace too: "5 " is a size to some and none to others
        };
    }

    /// <summary>After ";": whitespace, then at least one byte of a name. RFC 9112 §7.1.1.</summary>
    private State StepExtensionName(byte next)
    {
        if (Grammar.IsWhitespace(next))
            return Counted(State.ExtensionName);
        return Grammar.Token.Contains(next) ? Counted(State.Extension) : State.Malformed;
    }

    private State StepText(byte next, State same, State atCarriageReturn)
    {
        if (next == '\r')
            return atCarriageReturn;
        return Grammar.IsControl(next) ? State.Malformed : Counted(same);
    }

    private State AfterSize()
    {
        if (_size > 0)
            return State.Data;
        _textLength = 0;
        return State.TrailerStart;
    }

    private State NextChunk()
    {
        _digits = 0;
        _textLength = 0;
        return State.Size;
    }

    private State StepTrailerStart(byte next)
    {
        if (next == '\r')
            return State.LastLineFeed;
        return Grammar.Token.Contains(next) ? Counted(State.TrailerName) : State.Malformed;
    }

    private State StepTrailerName(byte next)
    {
        if (next == ':')
            return Counted(State.TrailerValue);
        return Grammar.Token.Contains(next) ? Counted(State.TrailerName) : State.Malformed;
    }

    private State Counted(State state) => ++_textLength > _textLimit ? State.TooLarge : state;

    private static int HexDigit(byte value) => value switch
    {
        >= (byte)'0' and <= (byte)'9' => value - '0',
        >= (byte)'a' and <= (byte)'f' => value - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => value - 'A' + 10,
        _ => -1,
    };
}
