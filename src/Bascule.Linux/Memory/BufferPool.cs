namespace Bascule.Linux.Memory;

/// <summary>
/// The buffers of one thread. Last in, first out, so that the one handed out is still in the processor's cache. Connections
/// hold a buffer only while bytes are on their way; an idle connection holds none.
/// </summary>
/// <param name="bufferSize">In bytes.</param>
/// <param name="keep">Free buffers that are kept; more are given back to the system, so that a burst does not stay for ever.</param>
public sealed class BufferPool(int bufferSize, int keep) : IDisposable
{
    private readonly Stack<NativeBuffer> _free = new();

    /// <summary>Buffers handed out and not returned.</summary>
    public int Rented { get; private set; }

    /// <summary>A buffer with old bytes in it.</summary>
    public NativeBuffer Rent()
    {
        Rented++;
        return _free.TryPop(out NativeBuffer? buffer) ? buffer : new(bufferSize);
    }

    /// <summary>Takes a buffer back. The caller must not touch it again.</summary>
    public void Return(NativeBuffer buffer)
    {
        Rented--;
        if (_free.Count < keep)
            _free.Push(buffer);
        else
            buffer.Free();
    }

    /// <summary>Frees what is not rented.</summary>
    public void Dispose()
    {
        while (_free.TryPop(out NativeBuffer? buffer))
            buffer.Free();
    }
}
