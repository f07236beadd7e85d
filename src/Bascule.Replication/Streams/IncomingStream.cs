using Bascule.Core.Replication;

namespace Bascule.Replication.Streams;

/// <summary>One kind of the peer's state on its way to us.</summary>
/// <param name="state">Ours of the same name; null when there is none here.</param>
internal sealed class IncomingStream(IReplicatedState? state)
{
    private ulong _last;
    private ulong _acked;
    private bool _hasGap;

    public IReplicatedState? State => state;

    /// <summary>Entries taken into account.</summary>
    public long Received { get; private set; }

    /// <summary>Entries that were not understood.</summary>
    public long Rejected { get; private set; }

    /// <summary>Takes an entry into account. Entries stand each for itself, so that one after a gap is good as well.</summary>
    public void Take(ulong number, ReadOnlySpan<byte> entry)
    {
        _hasGap |= number != _last + 1;
        _last = number;
        if (state is null)
            return;
        if (state.Apply(entry))
            Received++;
        else
            Rejected++;
    }

    /// <summary>Says how far we are, and where something is missing, that it is.</summary>
    public void Say(byte stream, MessageWriter writer)
    {
        if (_hasGap && writer.TryWrite(MessageKind.Again, stream))
            _hasGap = false;
        if (_last != _acked && writer.TryWrite(MessageKind.Ack, stream, _last))
            _acked = _last;
    }
}
