using Bascule.Core.Replication;

namespace Bascule.Packets.Replication;

/// <summary>State that is there when the datapath has started; until then, and where it cannot start, there is none.</summary>
/// <param name="name">What it is called on the wire.</param>
/// <param name="state">The state; null: not yet.</param>
internal sealed class LateState(string name, Func<IReplicatedState?> state) : IReplicatedState
{
    /// <inheritdoc />
    public string Name => name;

    /// <inheritdoc />
    public IEnumerable<ReadOnlyMemory<byte>> Everything() => state()?.Everything() ?? [];

    /// <inheritdoc />
    public bool TakeChanges(Action<ReadOnlyMemory<byte>> take) => state()?.TakeChanges(take) ?? true;

    /// <inheritdoc />
    public bool Apply(ReadOnlySpan<byte> entry) => state()?.Apply(entry) ?? true;
}
