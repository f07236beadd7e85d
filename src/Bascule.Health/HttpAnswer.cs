using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Bascule.Health;

/// <summary>
/// One HTTP/1.x answer, piece by piece as it comes: just enough to know its status and the beginning of its body, and within bounds
/// whatever the real server sends. RFC 9112 §2 to §7, read liberally: a check asks whether an answer came, the proxy judges its form.
/// Reads one answer after another, and allocates nothing once it has met the largest.
/// </summary>
/// <param name="isToHead">The request was HEAD, so there is no body.</param>
/// <param name="mostOfBody">Bytes of body after which nobody reads on.</param>
/// <param name="keepsBody">Whether anybody looks at the body.</param>
/// <param name="memory">For what has to be kept until more comes.</param>
/// <param name="keepsFields">Whether anybody looks at header fields.</param>
internal sealed class HttpAnswer(bool isToHead, int mostOfBody, bool keepsBody, ArrayPool<byte> memory, bool keepsFields = false)
{
    private const int MostOfAHead = 64 * 1024; // interim answers (1xx) included

    // Sizes and ends of chunks, and trailers: a body of single bytes in chunks needs 5 bytes a byte.
    private const int MostOfChunkLines = 512 * 1024;

    private readonly PooledBytes _line = new(memory); // the beginning of one whose end has not come
    private readonly PooledBytes _body = new(memory);
    private readonly PooledBytes _fields = new(memory); // of the final answer, each with a line feed behind it
    private Part _part;
    private int _lineBytesLeft = MostOfAHead;
    private long? _contentLength;
    private bool _isChunked;
    private long _bytesLeft;
    private int _bodyLength;

    private enum Part
    {
        StatusLine,
        Fields,
        Body,
        BodyUntilClose,
        ChunkSize,
        Chunk,
        ChunkEnd,
        Trailers,
        Over,
    }

    /// <summary>The head of the final answer is there.</summary>
    public bool HasHead { get; private set; }

    /// <summary>Whoever reads it has looked at the head, and need not again while the body comes.</summary>
    public bool IsHeadJudged { get; set; }

    /// <summary>Nothing more is to be read: the answer is whole, long enough, or wrong.</summary>
    public bool IsOver => _part == Part.Over;

    /// <summary>Status code of the final answer. RFC 9110 §15.</summary>
    public int Status { get; private set; }

    /// <summary>What was wrong; null: nothing.</summary>
    public string? Problem { get; private set; }

    /// <summary>The beginning of the body, if it is kept. Valid until <see cref="Reset"/>.</summary>
    public ReadOnlySpan<byte> Body => _body.Span;

    /// <summary>Whether a header field of this name has this text in its value.</summary>
    public bool HasField(string name, ReadOnlySpan<byte> text)
    {
        foreach (Range range in _fields.Span.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = _fields.Span[range];
            int colon = line.IndexOf((byte)':');
            if (colon > 0 && Ascii.EqualsIgnoreCase(line[..colon], name) && line[(colon + 1)..].IndexOf(text) >= 0)
                return true;
        }

        return false;
    }

    /// <summary>Forgets everything: another answer comes.</summary>
    public void Reset()
    {
        _line.Clear();
        _body.Clear();
        _fields.Clear();
        _part = Part.StatusLine;
        _lineBytesLeft = MostOfAHead;
        _contentLength = null;
        _isChunked = false;
        _bodyLength = 0;
        HasHead = IsHeadJudged = false;
        Status = 0;
        Problem = null;
    }

    /// <summary>Takes the next bytes. What follows the end of the answer is ignored.</summary>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (!IsOver && !bytes.IsEmpty)
        {
            if (_part is Part.Body or Part.BodyUntilClose or Part.Chunk)
                TakeBody(ref bytes);
            else
                TakeLine(ref bytes);
        }
    }

    /// <summary>The other side has closed.</summary>
    public void Close()
    {
        if (_part == Part.BodyUntilClose)
            _part = Part.Over;
        // Nothing at all is an ending too early; a few words of another protocol are not the beginning of an answer.
        else if (!IsOver)
            Fail(Status == 0 && !LooksLikeHttp() ? "not an HTTP answer" : "closed before a full answer");
    }

    private void TakeLine(ref ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)'\n');
        int length = _line.Span.Length + (end < 0 ? bytes.Length : end + 1);
        if (length > int.Min(_lineBytesLeft, MostOfAHead))
        {
            Fail("the head of the answer does not end");
        }
        else if (end < 0)
        {
            _line.Add(bytes);
            bytes = [];
        }
        else
        {
            ReadOnlySpan<byte> line = bytes[..end];
            if (_line.Span.Length > 0)
            {
                _line.Add(line);
                line = _line.Span;
            }

            _lineBytesLeft -= length;
            bytes = bytes[(end + 1)..];
            Read(line is [.., (byte)'\r'] ? line[..^1] : line);
            _line.Clear();
        }
    }

    private void Read(ReadOnlySpan<byte> line)
    {
        switch (_part)
        {
            case Part.StatusLine when !TryParseStatusLine(line):
                Fail("not an HTTP answer");
                break;
            case Part.StatusLine:
                _part = Part.Fields;
                break;
            case Part.Fields when line.IsEmpty:
                EndHead();
                break;
            case Part.Trailers when line.IsEmpty:
                _part = Part.Over;
                break;
            case Part.Fields or Part.Trailers when !TryTakeField(line):
                Fail("not an HTTP answer: bad Content-Length");
                break;
            case Part.Fields when keepsFields:
                _fields.Add(line);
                _fields.Add("\n"u8);
                break;
            case Part.ChunkSize:
                BeginChunk(line);
                break;
            case Part.ChunkEnd when line.IsEmpty:
                _part = Part.ChunkSize;
                break;
            case Part.ChunkEnd:
                Fail("not an HTTP answer: a chunk is longer than its size");
                break;
        }
    }

    private void EndHead()
    {
        if (Status is >= 100 and < 200 and not 101) // RFC 9110 §15.2: interim answers come before the final one
        {
            _part = Part.StatusLine;
            _fields.Clear();
            return;
        }

        HasHead = true;
        _bytesLeft = mostOfBody;
        if (isToHead || Status is 101 or 204 or 304)
            _part = Part.Over; // RFC 9112 §6.3
        else if (_isChunked)
            (_part, _lineBytesLeft) = (Part.ChunkSize, MostOfChunkLines);
        else if (_contentLength is { } whole)
            (_part, _bytesLeft) = (whole > 0 ? Part.Body : Part.Over, long.Min(whole, mostOfBody));
        else
            _part = Part.BodyUntilClose;
    }

    /// <summary>RFC 9112 §7.1.</summary>
    private void BeginChunk(ReadOnlySpan<byte> line)
    {
        if (!Utf8Parser.TryParse(line, out long size, out _, 'x') || size < 0)
            Fail("not an HTTP answer: bad chunk size");
        else if (size == 0)
            _part = Part.Trailers;
        else
            (_part, _bytesLeft) = (Part.Chunk, long.Min(size, mostOfBody - _bodyLength));
    }

    private void TakeBody(ref ReadOnlySpan<byte> bytes)
    {
        int count = (int)long.Min(bytes.Length, _bytesLeft);
        if (keepsBody)
            _body.Add(bytes[..count]);
        bytes = bytes[count..];
        _bodyLength += count;
        _bytesLeft -= count;
        if (_bytesLeft == 0)
            _part = _part == Part.Chunk && _bodyLength < mostOfBody ? Part.ChunkEnd : Part.Over;
    }

    /// <summary><c>HTTP/1.1 200 OK</c>. RFC 9112 §4.</summary>
    private bool TryParseStatusLine(ReadOnlySpan<byte> line)
    {
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[8] != ' ' || (line.Length > 12 && line[12] != ' '))
            return false;
        if (!Utf8Parser.TryParse(line.Slice(9, 3), out int status, out int digits) || digits != 3 || status < 100)
            return false;
        Status = status;
        return true;
    }

    private bool TryTakeField(ReadOnlySpan<byte> line)
    {
        int colon = line.IndexOf((byte)':');
        if (colon < 0)
            return true; // nothing we need
        ReadOnlySpan<byte> name = line[..colon];
        ReadOnlySpan<byte> value = line[(colon + 1)..].Trim(" \t"u8);
        if (Ascii.EqualsIgnoreCase(name, "Transfer-Encoding"u8))
        {
            _isChunked = value.Length >= 7 && Ascii.EqualsIgnoreCase(value[^7..], "chunked"u8);
        }
        else if (Ascii.EqualsIgnoreCase(name, "Content-Length"u8))
        {
            if (!Utf8Parser.TryParse(value, out long length, out int digits) || digits != value.Length || length < 0)
                return false;
            _contentLength = length;
        }

        return true;
    }

    private bool LooksLikeHttp()
    {
        ReadOnlySpan<byte> beginning = "HTTP/1."u8;
        return beginning.StartsWith(_line.Span) || _line.Span.StartsWith(beginning);
    }

    private void Fail(string problem)
    {
        Problem = problem;
        _part = Part.Over;
    }
}

/// <summary>Bytes that grow, in memory of a pool while there are any.</summary>
internal sealed class PooledBytes(ArrayPool<byte> pool)
{
    private const int Least = 256;

    private byte[] _bytes = [];
    private int _length;

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, _length);

    public void Add(ReadOnlySpan<byte> more)
    {
        if (_length + more.Length > _bytes.Length)
            Grow(_length + more.Length);
        more.CopyTo(_bytes.AsSpan(_length));
        _length += more.Length;
    }

    /// <summary>Forgets them, and gives the memory back.</summary>
    public void Clear()
    {
        _length = 0;
        if (_bytes.Length == 0)
            return;
        pool.Return(_bytes);
        _bytes = [];
    }

    private void Grow(int needed)
    {
        byte[] larger = pool.Rent(int.Max(int.Max(needed, Least), 2 * _bytes.Length));
        Span.CopyTo(larger);
        if (_bytes.Length > 0)
            pool.Return(_bytes);
        _bytes = larger;
    }
}
