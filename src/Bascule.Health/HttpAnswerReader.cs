using System.Buffers;
using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Health;

/// <summary>
/// Reads one HTTP/1.x answer off a socket: just enough to know its status and the beginning of its body, and within bounds whatever
/// the real server sends. RFC 9112 §2 to §7, read liberally: a check asks whether an answer came, the proxy judges its form.
/// </summary>
internal sealed class HttpAnswerReader(Socket socket, bool isHead) : IDisposable
{
    private const int MostOfAHead = 64 * 1024; // interim answers (1xx) included

    // Sizes and ends of chunks, and trailers: a body of single bytes in chunks needs 5 bytes a byte.
    private const int MostOfChunkLines = 512 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4096);
    private int _start;
    private int _end;
    private int _lineBytesLeft = MostOfAHead;
    private long? _contentLength;
    private bool _isChunked;

    /// <summary>Status code of the final answer. RFC 9110 §15.</summary>
    public int Status { get; private set; }

    /// <summary>What was wrong, when a method here returned false.</summary>
    public string Problem { get; private set; } = "";

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    /// <summary>Reads up to the end of the head of the final answer.</summary>
    public async ValueTask<bool> ReadHeadAsync(CancellationToken cancellation)
    {
        do
        {
            if (await ReadLineAsync(cancellation) is not { } statusLine)
                return false;
            if (!TryParseStatusLine(statusLine.Span))
                return Fail("not an HTTP answer");
            if (!await ReadFieldsAsync(cancellation))
                return false;
        }
        while (Status is >= 100 and < 200 and not 101); // RFC 9110 §15.2: interim answers come before the final one

        return true;
    }

    /// <summary>Reads the body, or as much of it as asked for.</summary>
    public async ValueTask<bool> ReadBodyAsync(ArrayBufferWriter<byte> body, int atMost, CancellationToken cancellation)
    {
        if (isHead || Status is 101 or 204 or 304)
            return true; // RFC 9112 §6.3
        if (_isChunked)
            return await ReadChunksAsync(body, atMost, cancellation);
        if (_contentLength is { } length)
            return await ReadBytesAsync(body, long.Min(length, atMost), cancellation) || Fail("closed before a full answer");

        await ReadBytesAsync(body, atMost, cancellation); // until it closes
        return true;
    }

    private async ValueTask<bool> ReadFieldsAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (await ReadLineAsync(cancellation) is not { } line)
                return false;
            if (line.IsEmpty)
                return true;
            if (!TryTakeField(line.Span))
                return Fail("not an HTTP answer: bad Content-Length");
        }
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

    /// <summary>RFC 9112 §7.1.</summary>
    private async ValueTask<bool> ReadChunksAsync(ArrayBufferWriter<byte> body, int atMost, CancellationToken cancellation)
    {
        _lineBytesLeft = MostOfChunkLines;
        while (true)
        {
            if (await ReadLineAsync(cancellation) is not { } sizeLine)
                return false;
            if (!Utf8Parser.TryParse(sizeLine.Span, out long size, out _, 'x') || size < 0)
                return Fail("not an HTTP answer: bad chunk size");
            if (size == 0)
                return await ReadFieldsAsync(cancellation); // trailers

            long wanted = long.Min(size, atMost - body.WrittenCount);
            if (!await ReadBytesAsync(body, wanted, cancellation))
                return Fail("closed before a full answer");
            if (body.WrittenCount == atMost)
                return true;
            if (await ReadLineAsync(cancellation) is not { } end)
                return false;
            if (!end.IsEmpty)
                return Fail("not an HTTP answer: a chunk is longer than its size");
        }
    }

    /// <summary>Reads a line and takes its ending off; null when there is none, see <see cref="Problem"/>. Valid until the next read.</summary>
    private async ValueTask<ReadOnlyMemory<byte>?> ReadLineAsync(CancellationToken cancellation)
    {
        int seen = 0;
        while (true)
        {
            int length = _buffer.AsSpan(_start + seen, _end - _start - seen).IndexOf((byte)'\n');
            if (length >= 0)
            {
                ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, seen + length);
                _start += line.Length + 1;
                _lineBytesLeft -= line.Length + 1;
                if (_lineBytesLeft < 0)
                    return TooMuch();
                return line.Span is [.., (byte)'\r'] ? line[..^1] : line;
            }

            seen = _end - _start;
            if (seen > int.Min(_lineBytesLeft, MostOfAHead))
                return TooMuch();
            if (!await FillAsync(cancellation))
            {
                // Nothing at all is an ending too early; a few words of another protocol are not the beginning of an answer.
                Fail(Status == 0 && !LooksLikeHttp() ? "not an HTTP answer" : "closed before a full answer");
                return null;
            }
        }

        ReadOnlyMemory<byte>? TooMuch()
        {
            Fail("the head of the answer does not end");
            return null;
        }
    }

    private bool LooksLikeHttp()
    {
        ReadOnlySpan<byte> beginning = "HTTP/1."u8;
        ReadOnlySpan<byte> received = _buffer.AsSpan(_start, _end - _start);
        return beginning.StartsWith(received) || received.StartsWith(beginning);
    }

    /// <summary>Reads this many bytes of body; false when it closed before that.</summary>
    private async ValueTask<bool> ReadBytesAsync(ArrayBufferWriter<byte> body, long count, CancellationToken cancellation)
    {
        while (count > 0)
        {
            if (_start == _end && !await FillAsync(cancellation))
                return false;
            int take = (int)long.Min(count, _end - _start);
            body.Write(_buffer.AsSpan(_start, take));
            _start += take;
            count -= take;
        }

        return true;
    }

    /// <summary>Receives more behind what is already here, making room first; false when it closed.</summary>
    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_start == _end)
            (_start, _end) = (0, 0);
        if (_end == _buffer.Length)
            MakeRoom();
        int count = await socket.ReceiveAsync(_buffer.AsMemory(_end), cancellation);
        _end += count;
        return count > 0;
    }

    private void MakeRoom()
    {
        byte[] before = _buffer;
        // Lines are bounded, and so is this: it doubles only while a single line fills it.
        byte[] after = _start > 0 ? before : ArrayPool<byte>.Shared.Rent(before.Length * 2);
        before.AsSpan(_start, _end - _start).CopyTo(after);
        (_start, _end) = (0, _end - _start);
        _buffer = after;
        if (after != before)
            ArrayPool<byte>.Shared.Return(before);
    }

    private bool Fail(string problem)
    {
        Problem = problem;
        return false;
    }
}
