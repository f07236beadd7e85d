using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bascule.Linux.Bpf;

namespace Bascule.Packets.Replication;

/// <summary>One of the rings in which the datapath writes down what the other director has to know. One thread.</summary>
/// <typeparam name="TChange">Twin of what stands in it.</typeparam>
internal sealed class ChangeRing<TChange> : IDisposable
    where TChange : unmanaged
{
    private readonly RingBuffer _ring;
    private readonly BpfMap<uint, ulong> _untold;
    private readonly uint _index;
    private ulong _untoldBefore;
    private Action<TChange> _take = _ => { };

    /// <param name="ring">The ring.</param>
    /// <param name="untold">Counts what found no room.</param>
    /// <param name="index">Where in it. <c>enum untold</c>.</param>
    public ChangeRing(BpfMap ring, BpfMap<uint, ulong> untold, uint index)
    {
        (_untold, _index) = (untold, index);
        _ring = new(ring, Read);
        untold.TryGet(index, out _untoldBefore);
    }

    /// <summary>Hands over what changed since the last call.</summary>
    /// <returns>False when not all of it had room.</returns>
    public bool Take(Action<TChange> take)
    {
        _take = take;
        _ring.Consume();
        // Read after the ring: what was lost before this call is said by this call.
        _untold.TryGet(_index, out ulong untold);
        bool isWhole = untold == _untoldBefore;
        _untoldBefore = untold;
        return isWhole;
    }

    public void Dispose() => _ring.Dispose();

    // The ring rounds lengths up.
    private void Read(ReadOnlySpan<byte> record)
    {
        if (record.Length >= Unsafe.SizeOf<TChange>())
            _take(MemoryMarshal.Read<TChange>(record));
    }
}
