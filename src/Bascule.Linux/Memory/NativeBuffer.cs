using System.Runtime.InteropServices;

namespace Bascule.Linux.Memory;

/// <summary>
/// Bytes outside the garbage collector's reach: the kernel reads and writes them by address, and nobody moves them.
/// Owned by one thread; freed by <see cref="BufferPool"/>.
/// </summary>
public sealed unsafe class NativeBuffer
{
    private readonly byte* _bytes;

    internal NativeBuffer(int size)
    {
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)size, 64);
        Size = size;
    }

    /// <summary>In bytes.</summary>
    public int Size { get; }

    /// <summary>All of it. Valid until the buffer goes back to its pool.</summary>
    public Span<byte> Span => new(_bytes, Size);

    internal void Free() => NativeMemory.AlignedFree(_bytes);
}
