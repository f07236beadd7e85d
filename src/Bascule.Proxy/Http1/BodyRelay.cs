using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Memory;
using Bascule.Proxy.Reactor;
using Bascule.Proxy.Tcp;

namespace Bascule.Proxy.Http1;

/// <summary>
/// Moves one message: a head that has been written anew, then its body, in whose framing nothing of the sender's bytes survives. Bodies of known
/// length, and bodies that end with their connection, are plain bytes and take the way of <see cref="ByteRelay"/>.
/// </summary>
internal sealed class BodyRelay(EventLoop loop)
{
    private const int RoundsPerStep = 16;

    /// <summary>So few bytes of a body are copied behind their head: one plain send is cheaper than gathering from two places.</summary>
    private const int WorthCopying = 2048;

    private readonly ByteRelay _bytes = new(loop);
    private TcpStream _from = null!;
    private TcpStream _to = null!;
    private ReceiveBuffer _input = null!;
    private NativeBuffer _head = null!;
    private BodyFraming _framing;
    private ChunkedDecoder _chunks;
    private bool _writesChunks;
    private bool _isRaw;
    private bool _sawEnd;
    private bool _isMalformed;
    private long _moved;

    // What goes out next: bytes of the head buffer, bytes at the front of the input, and a fixed end.
    private int _prefixStart;
    private int _prefixEnd;
    private int _data;
    private int _used;
    private Suffix _suffix;
    private int _suffixSent;

    private enum Suffix
    {
        Nothing,
        ChunkEnd,
        LastChunk,
        ChunkEndAndLastChunk,
    }

    /// <summary>Bytes handed to the receiver since <see cref="Begin"/>, head included.</summary>
    public long Moved => _moved + _bytes.Moved;

    /// <summary>The whole message has been handed to the receiver's socket.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>Sets it up.</summary>
    /// <param name="head">Holds the head at its front, and stays with the caller.</param>
    /// <param name="headLength">Bytes of the head.</param>
    /// <param name="framing">How the sender frames the body.</param>
    /// <param name="length">Of the body, for <see cref="BodyFraming.Length"/>.</param>
    /// <param name="toward">How the receiver is to see it framed.</param>
    /// <param name="limits">Bounds trailers and chunk extensions.</param>
    public void Begin(TcpStream from, ReceiveBuffer input, TcpStream to, NativeBuffer head, int headLength,
        BodyFraming framing, long length, BodyFraming toward, Limits limits)
    {
        (_from, _input, _to, _head, _framing) = (from, input, to, head, framing);
        _writesChunks = toward == BodyFraming.Chunked;
        _isRaw = framing != BodyFraming.Chunked && !_writesChunks;
        _chunks = new(limits);
        _sawEnd = _isMalformed = IsFinished = false;
        _moved = 0;
        (_prefixStart, _prefixEnd) = (0, headLength);
        (_data, _used, _suffix, _suffixSent) = (0, 0, Suffix.Nothing, 0);
        if (_isRaw)
            BeginRaw(framing == BodyFraming.None ? 0 : framing == BodyFraming.Length ? length : null);
        else
            BeginFramed();
    }

    /// <summary>Moves what can be moved now.</summary>
    public RelayState Step()
    {
        for (int round = 0; round < RoundsPerStep; round++)
        {
            if (_isMalformed)
                return RelayState.InputMalformed; // before a byte of the head is sent, if it shows that early
            if (Flush() is { } blocked)
                return blocked;
            if (_isRaw)
                return StepRaw();
            if (_sawEnd)
            {
                IsFinished = true;
                return RelayState.Finished;
            }

            if (Frame() is { } state)
                return state;
        }

        return RelayState.Yields;
    }

    /// <summary>Gives back what it holds, and forgets what it counted: the next message may end before it begins.</summary>
    public void End()
    {
        _bytes.End();
        _moved = 0;
    }

    private void BeginRaw(long? length)
    {
        // The first bytes of the body, if they came with the head, go out with the head.
        _data = _used = (int)long.Min(_input.Length, length ?? long.MaxValue);
        _bytes.Begin(_from, _input, _to, length - _data);
    }

    private void BeginFramed()
    {
        _bytes.Begin(_from, _input, _to, length: 0);
        if (_input.Length > 0 && _prefixEnd + ChunkWriter.MaxHeaderLength <= _head.Size)
            Frame(); // a body that came with its head goes out with it
    }

    private RelayState StepRaw()
    {
        RelayState state = _bytes.Step();
        IsFinished = state == RelayState.Finished;
        return state;
    }

    private RelayState? Flush()
    {
        if (_data is > 0 and <= WorthCopying)
            CopyDataBehindPrefix();
        ReadOnlySpan<byte> suffix = Bytes(_suffix)[_suffixSent..];
        int wanted = _prefixEnd - _prefixStart + _data + suffix.Length;
        if (wanted > 0)
        {
            if (!_to.CanWrite)
                return RelayState.NeedsRoom;
            ReadOnlySpan<byte> prefix = _head.Span[_prefixStart.._prefixEnd];
            IoResult sent = _data + suffix.Length == 0 ? _to.Send(prefix) : _to.Send(prefix, _input.Filled[.._data], suffix);
            if (sent.IsError)
                return RelayState.OutputBroke;
            _moved += sent.Count;
            if (sent.Count < wanted)
            {
                NoteSent(sent.Count);
                return RelayState.NeedsRoom;
            }
        }

        _input.Consume(_used);
        (_prefixStart, _prefixEnd, _data, _used, _suffix, _suffixSent) = (0, 0, 0, 0, Suffix.Nothing, 0);
        return null;
    }

    private void CopyDataBehindPrefix()
    {
        if (_prefixEnd + _data > _head.Size)
            return;
        _input.Filled[.._data].CopyTo(_head.Span[_prefixEnd..]);
        _prefixEnd += _data;
        _input.Consume(_used);
        (_data, _used) = (0, 0);
    }

    private void NoteSent(int count)
    {
        int ofPrefix = int.Min(count, _prefixEnd - _prefixStart);
        _prefixStart += ofPrefix;
        int ofData = int.Min(count - ofPrefix, _data);
        _input.Consume(ofData);
        (_data, _used) = (_data - ofData, _used - ofData);
        _suffixSent += count - ofPrefix - ofData;
    }

    // Takes the next bytes of the sender and decides what goes out for them.
    private RelayState? Frame()
    {
        if (_input.Length == 0)
        {
            if (!_from.CanRead)
                return RelayState.NeedsInput;
            IoResult read = _input.ReceiveFrom(_from);
            if (read.Count == 0)
                return NothingRead(read);
        }

        if (_framing == BodyFraming.Chunked)
        {
            ChunkedResult result = _chunks.Decode(_input.Filled, out _used, out _data);
            _sawEnd = result == ChunkedResult.Complete;
            _isMalformed = result is ChunkedResult.Malformed or ChunkedResult.TooLarge;
        }
        else
        {
            _data = _used = _input.Length;
        }

        if (_writesChunks)
            FrameChunk();
        return null;
    }

    private void FrameChunk()
    {
        if (_data > 0)
            _prefixEnd += ChunkWriter.WriteHeader(_head.Span[_prefixEnd..], _data);
        _suffix = (_data > 0, _sawEnd) switch
        {
            (true, true) => Suffix.ChunkEndAndLastChunk,
            (true, false) => Suffix.ChunkEnd,
            (false, true) => Suffix.LastChunk,
            (false, false) => Suffix.Nothing,
        };
    }

    private RelayState? NothingRead(IoResult read)
    {
        if (read.WouldBlock)
            return RelayState.NeedsInput;
        if (read.IsError)
            return RelayState.InputBroke;
        if (_framing != BodyFraming.UntilClose)
            return RelayState.InputCutShort;
        _sawEnd = true;
        FrameChunk();
        return null;
    }

    private static ReadOnlySpan<byte> Bytes(Suffix suffix) => suffix switch
    {
        Suffix.Nothing => [],
        Suffix.ChunkEnd => "\r\n"u8,
        Suffix.LastChunk => "0\r\n\r\n"u8,
        Suffix.ChunkEndAndLastChunk => "\r\n0\r\n\r\n"u8,
    };
}
