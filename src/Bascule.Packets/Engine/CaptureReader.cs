using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Bascule.Core.Api;
using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Engine;

/// <summary>Reads the packets that the datapath puts into its ring buffer, on a thread of its own for as long as the capture lasts.</summary>
/// <param name="interfaces">Their names by index.</param>
/// <param name="realServers">Their addresses by id.</param>
internal sealed class CaptureReader(
    BpfMap captured, ushort virtualServer, TimeProvider time, ImmutableDictionary<int, string> interfaces, ImmutableDictionary<ushort, IPEndPoint> realServers)
{
    private const int Waiting = 4096; // frames; who reads slower misses some, as with tcpdump
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly Channel<CapturedFrame> _frames = Channel.CreateBounded<CapturedFrame>(new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Frames as they come.</summary>
    /// <param name="ended">Called when nobody reads any more, whatever the reason.</param>
    public async IAsyncEnumerable<CapturedFrame> ReadAsync(Action ended, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Thread thread = new(() => Poll(stop.Token)) { Name = "capture", IsBackground = true };
        thread.Start();
        try
        {
            await foreach (CapturedFrame frame in _frames.Reader.ReadAllAsync(cancellation))
                yield return frame;
        }
        finally
        {
            await stop.CancelAsync();
            thread.Join();
            ended();
        }
    }

    private void Poll(CancellationToken stop)
    {
        Exception? why = null;
        try
        {
            using RingBuffer ring = new(captured, Take);
            while (!stop.IsCancellationRequested)
                ring.Poll(Patience);
        }
        catch (KernelException e)
        {
            why = e;
        }

        _frames.Writer.Complete(why);
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Unsafe.SizeOf<Captured>())
            return;
        Captured record = MemoryMarshal.Read<Captured>(bytes);
        if (record.VirtualServer != virtualServer)
            return; // of a capture before this one
        // A long frame's record is followed by no more than it has; the ring rounds up.
        int length = int.Min(record.Bytes, bytes.Length - Unsafe.SizeOf<Captured>());
        byte[] frame = bytes.Slice(Unsafe.SizeOf<Captured>(), length).ToArray();
        _frames.Writer.TryWrite(new(
            WhenOf(record.Time), interfaces.GetValueOrDefault((int)record.Interface, $"if{record.Interface}"), record.Outgoing != 0, record.Number, (int)record.Length,
            record.Verdict, realServers.TryGetValue(record.RealServer, out IPEndPoint? address) ? StatusReader.AddressText(address) : null, frame));
    }

    // The kernel writes CLOCK_MONOTONIC, which is what the timestamps of .NET are on Linux.
    private DateTimeOffset WhenOf(ulong nanoseconds) => time.GetUtcNow() - (time.GetElapsedTime(0) - TimeSpan.FromTicks((long)(nanoseconds / 100)));
}
