using System.Runtime.CompilerServices;

namespace Bascule.Linux;

/// <summary>What a read or write on a non-blocking descriptor came to: a count of bytes, or the reason why not.</summary>
public readonly struct IoResult
{
    private readonly nint _value;

    private IoResult(nint value) => _value = value;

    /// <summary>Bytes moved; 0 also means the end of the stream on a read, and nothing at all on an error.</summary>
    public int Count => (int)nint.Max(0, _value);

    /// <summary>The other side has finished sending. Only after a read.</summary>
    public bool IsEnd => _value == 0;

    /// <summary>Nothing to read, or no room to write: wait until the descriptor is ready.</summary>
    public bool WouldBlock => _value == -(nint)Errno.WouldBlock;

    /// <summary>The connection is broken.</summary>
    public bool IsError => _value < 0 && !WouldBlock;

    /// <summary>Why it broke, or would block.</summary>
    public Errno Error => _value < 0 ? (Errno)(-_value) : Errno.None;

    /// <summary>Wraps what a system call returned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static IoResult Of(nint returned) => new(returned >= 0 ? returned : -(nint)Libc.LastError);
}
