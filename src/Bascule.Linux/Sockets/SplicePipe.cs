namespace Bascule.Linux.Sockets;

/// <summary>
/// A pipe through which bytes go from one socket to another without being copied to user space. splice(2). What has been taken
/// in and not yet given out is in <see cref="Held"/>; a pipe that holds bytes cannot be reused for other sockets.
/// </summary>
public sealed unsafe class SplicePipe : IDisposable
{
    private readonly int _in;
    private readonly int _out;

    private SplicePipe(int @in, int @out, int capacity)
    {
        _in = @in;
        _out = @out;
        Capacity = capacity;
    }

    /// <summary>Bytes it can hold.</summary>
    public int Capacity { get; }

    /// <summary>Bytes it holds now.</summary>
    public int Held { get; private set; }

    /// <summary>Opens one; null when the system has none to give (the caller copies instead).</summary>
    /// <param name="wantedCapacity">In bytes; an unprivileged user may be given less.</param>
    public static SplicePipe? Open(int wantedCapacity)
    {
        int* ends = stackalloc int[2];
        if (Libc.Pipe(ends, Libc.PipeNonBlockCloseOnExec) < 0)
            return null;
        int capacity = Libc.FileControl(ends[1], Libc.SetPipeSize, wantedCapacity);
        return new(ends[1], ends[0], capacity > 0 ? capacity : 65536);
    }

    /// <summary>Takes bytes from a socket. Only while it holds none (a half-full pipe reports "would block" for two different reasons).</summary>
    public IoResult Fill(TcpSocket from, int most)
    {
        IoResult result = IoResult.Of(Libc.Splice(from.Descriptor, null, _in, null, (nuint)most, Libc.SpliceMove | Libc.SpliceNonBlock));
        Held += result.Count;
        return result;
    }

    /// <summary>Gives what it holds to a socket.</summary>
    public IoResult Drain(TcpSocket to)
    {
        IoResult result = IoResult.Of(Libc.Splice(_out, null, to.Descriptor, null, (nuint)Held, Libc.SpliceMove | Libc.SpliceNonBlock));
        Held -= result.Count;
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Libc.Close(_in);
        Libc.Close(_out);
    }
}
