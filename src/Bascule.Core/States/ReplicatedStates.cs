using System.Text.Json;
using Bascule.Core.Replication;

namespace Bascule.Core.States;

/// <summary>What operators said, for the peer: whoever has the addresses after a takeover treats real servers as they were meant to be treated.</summary>
/// <remarks>An entry is an order as JSON, without what it was said over: that is each director's own file. Of two orders about the same the later counts;
/// one that a file has overruled stays overruled wherever it is news.</remarks>
/// <param name="learned">Takes each order of the peer's that was news here.</param>
public sealed class ReplicatedStates(StateBook book, Action<StateOrder> learned) : IReplicatedState
{
    /// <inheritdoc/>
    public string Name => "states";

    /// <inheritdoc/>
    public IEnumerable<ReadOnlyMemory<byte>> Everything() => book.Orders.Select(Entry);

    /// <inheritdoc/>
    public bool TakeChanges(Action<ReadOnlyMemory<byte>> take)
    {
        while (book.TryTakeSaid(out StateOrder? order))
            take(Entry(order));
        return !book.TakeLoss();
    }

    /// <inheritdoc/>
    public bool Apply(ReadOnlySpan<byte> entry)
    {
        if (StateFile.ReadLine(entry) is not { } order)
            return false;
        if (book.Learn(order))
            learned(order);
        return true;
    }

    private static ReadOnlyMemory<byte> Entry(StateOrder order) =>
        JsonSerializer.SerializeToUtf8Bytes(StateLine.Of(order with { Over = null }), StateJson.Lines.StateLine);
}
