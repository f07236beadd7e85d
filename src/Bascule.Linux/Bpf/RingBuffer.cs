using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Bpf;

/// <summary>Takes one record of a ring buffer; the bytes are valid during the call alone.</summary>
public delegate void RingRecord(ReadOnlySpan<byte> record);

/// <summary>The reading end of a BPF ring buffer. One thread.</summary>
public sealed unsafe class RingBuffer : IDisposable
{
    private readonly RingRecord _read;
    private nint _ring;
    private GCHandle _self;
    private ExceptionDispatchInfo? _thrown;

    /// <summary>Opens a map of type ring buffer for reading.</summary>
    /// <exception cref="KernelException">It is none, or there is no memory to map it.</exception>
    public RingBuffer(BpfMap map, RingRecord read)
    {
        _read = read;
        _self = GCHandle.Alloc(this);
        _ring = Libbpf.OpenRing(map.Descriptor, &Sample, (void*)GCHandle.ToIntPtr(_self), null);
        if (_ring != 0)
            return;
        Errno error = Libc.LastError;
        _self.Free();
        throw new KernelException("ring_buffer__new", error);
    }

    /// <summary>Waits for records and hands on those that are there.</summary>
    /// <param name="patience">How long to wait for the first; zero: not at all.</param>
    /// <returns>How many; 0 when none came.</returns>
    /// <exception cref="KernelException">Waiting failed.</exception>
    public int Poll(TimeSpan patience) => Counted("ring_buffer__poll", Libbpf.PollRing(_ring, (int)patience.TotalMilliseconds));

    /// <summary>Hands on the records that are there, also those that nobody was woken for (BPF_RB_NO_WAKEUP).</summary>
    /// <returns>How many; 0 when there are none.</returns>
    public int Consume()
    {
        ObjectDisposedException.ThrowIf(_ring == 0, this);
        return Counted("ring_buffer__consume", Libbpf.ConsumeRing(_ring));
    }

    /// <summary>Ends reading; what is still in the buffer stays there.</summary>
    public void Dispose()
    {
        if (_ring == 0)
            return;
        Libbpf.FreeRing(_ring);
        _ring = 0;
        _self.Free();
    }

    private int Counted(string call, int result)
    {
        ExceptionDispatchInfo? thrown = _thrown;
        _thrown = null;
        thrown?.Throw();
        return (Errno)(-result) == Errno.Interrupted ? 0 : Libbpf.Checked(call, result);
    }

    // No exception may pass through the library: the first is kept, and stops this poll.
    [UnmanagedCallersOnly]
    private static int Sample(void* context, void* data, nuint length)
    {
        RingBuffer ring = (RingBuffer)GCHandle.FromIntPtr((nint)context).Target!;
        try
        {
            ring._read(new ReadOnlySpan<byte>(data, (int)length));
            return 0;
        }
#pragma warning disable CA1031 // any exception: it is thrown again by Poll
        catch (Exception e)
#pragma warning restore CA1031
        {
            ring._thrown = ExceptionDispatchInfo.Capture(e);
            return -(int)Errno.Invalid;
        }
    }
}
