using Bascule.Linux;
using Bascule.Linux.Memory;

namespace Bascule.Proxy.Reactor;

/// <summary>Bytes that have been read from a stream and not been used yet. Holds memory only while it holds bytes.</summary>
internal sealed class ReceiveBuffer(BufferPool pool)
{
    private NativeBuffer? _buffer;
    private int _start;
    private int _end;

    /// <summary>Bytes that wait to be used.</summary>
    public int Length => _end - _start;

    /// <summary>Those bytes. They may be changed in place.</summary>
    public Span<byte> Filled => _buffer is null ? [] : _buffer.Span[_start.._end];

    /// <summary>The last read took all the room there was: more is likely to follow.</summary>
    public bool WasFilled { get; private set; }

    /// <summary>Reads more behind what is there. Only while there is room, which a head within its limit leaves.</summary>
    public IoResult ReceiveFrom(TcpStream stream)
    {
        _buffer ??= pool.Rent();
        if (_start > 0 && _end == _buffer.Size)
            MoveToFront(_buffer);
        Span<byte> room = _buffer.Span[_end..];
        IoResult result = stream.Receive(room);
        _end += result.Count;
        WasFilled = result.Count == room.Length;
        ReleaseIfEmpty();
        return result;
    }

    /// <summary>The first bytes have been used.</summary>
    public void Consume(int count)
    {
        _start += count;
        ReleaseIfEmpty();
    }

    /// <summary>Drops everything.</summary>
    public void Release()
    {
        _start = _end = 0;
        ReleaseIfEmpty();
    }

    private void MoveToFront(NativeBuffer buffer)
    {
        buffer.Span[_start.._end].CopyTo(buffer.Span);
        _end -= _start;
        _start = 0;
    }

    private void ReleaseIfEmpty()
    {
        if (_start < _end)
            return;
        _start = _end = 0;
        if (_buffer is null)
            return;
        pool.Return(_buffer);
        _buffer = null;
    }
}
