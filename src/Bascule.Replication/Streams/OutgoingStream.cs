using System.Buffers.Binary;
using Bascule.Core.Replication;

namespace Bascule.Replication.Streams;

/// <summary>One kind of our state on its way to one peer: everything once, each change, and everything again when a change was lost.</summary>
/// <remarks>
/// What is sent is in the order in which it was read here. An entry of the bulk that was read before a change of it goes before the change, so a
/// change during the bulk is not lost.
/// </remarks>
internal sealed class OutgoingStream(IReplicatedState state, byte number, MessageWriter writer) : IDisposable
{
    private IEnumerator<ReadOnlyMemory<byte>>? _bulk;
    private bool _wantsBulk = true;
    private bool _endIsToBeSaid;
    private ulong _sent;
    private ulong _acked;
    private ulong? _bulkEnd;

    public IReplicatedState State => state;

    /// <summary>Entries sent.</summary>
    public long Sent => (long)_sent;

    /// <summary>Times everything was sent.</summary>
    public long Bulks { get; private set; }

    /// <summary>Whether the peer said that it has a use for this kind.</summary>
    public bool IsWanted { get; set; }

    /// <summary>Whether the peer has taken everything into account, and no change was lost since.</summary>
    public bool IsInStep => IsWanted && !_wantsBulk && _bulk is null && !_endIsToBeSaid && _acked >= _bulkEnd;

    /// <summary>A change was lost: everything is sent again, after the bulk that is on its way.</summary>
    public void LoseStep() => _wantsBulk = true;

    /// <summary>Sends a change, or, when the peer is too slow for it, makes a note that one was lost.</summary>
    public void Offer(ReadOnlySpan<byte> entry)
    {
        if (IsWanted && !TrySend(entry))
            LoseStep();
    }

    /// <summary>The peer has taken everything up to this number into account.</summary>
    /// <returns>False when it was never sent.</returns>
    public bool TryAck(ulong upTo)
    {
        if (upTo > _sent)
            return false;
        _acked = ulong.Max(_acked, upTo);
        return true;
    }

    /// <summary>Goes on with the bulk, as far as there is room. Half of the outbox is left to changes: else each bulk would lose some, and be followed by the next.</summary>
    public void GoOn(Outbox outbox)
    {
        if (!IsWanted)
            return;
        while (outbox.Room > Outbox.Capacity / 2)
        {
            if (_endIsToBeSaid)
                SayEnd();
            else if (_bulk is not null)
                StepBulk();
            else if (!_wantsBulk || !TryBegin())
                return;
        }
    }

    public void Dispose() => _bulk?.Dispose();

    private bool TryBegin()
    {
        if (!writer.TryWrite(MessageKind.BulkBegin, number))
            return false;
        _wantsBulk = false;
        _bulkEnd = null;
        Bulks++;
        _bulk = state.Everything().GetEnumerator();
        return true;
    }

    private void StepBulk()
    {
        if (!_bulk!.MoveNext())
        {
            _bulk.Dispose();
            _bulk = null;
            _bulkEnd = _sent;
            _endIsToBeSaid = true;
            return;
        }

        if (!TrySend(_bulk.Current.Span))
            LoseStep();
    }

    private void SayEnd() => _endIsToBeSaid = !writer.TryWrite(MessageKind.BulkEnd, number);

    private bool TrySend(ReadOnlySpan<byte> entry)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(entry.Length, IReplicatedState.LongestEntry);
        Span<byte> body = writer.TryBegin(MessageKind.Entry, 9 + entry.Length);
        if (body.IsEmpty)
            return false;
        body[0] = number;
        BinaryPrimitives.WriteUInt64BigEndian(body[1..], ++_sent);
        entry.CopyTo(body[9..]);
        return true;
    }
}
