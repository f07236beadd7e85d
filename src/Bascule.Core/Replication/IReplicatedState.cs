namespace Bascule.Core.Replication;

/// <summary>
/// One kind of state that a director keeps in step on its peer, so that a takeover loses nothing of it. Whoever owns the state implements it; the
/// channel between the directors carries the entries and knows nothing of them. Every method is called on the channel's own thread.
/// </summary>
public interface IReplicatedState
{
    /// <summary>What it is called on the wire and in <c>bascule ha</c>: <c>sessions</c>, <c>flows</c> … 1 to 32 letters.</summary>
    string Name { get; }

    /// <summary>Everything there is, for a peer that has just come. May be long: it is read as the channel has room.</summary>
    /// <remarks>An entry is at most <see cref="LongestEntry"/> bytes, and may be thrown away after it was yielded.</remarks>
    IEnumerable<ReadOnlyMemory<byte>> Everything();

    /// <summary>Hands over what changed since the last call.</summary>
    /// <param name="take">Called for each entry.</param>
    /// <returns>False when there was more than could be kept: the channel then sends <see cref="Everything"/> again.</returns>
    bool TakeChanges(Action<ReadOnlyMemory<byte>> take);

    /// <summary>Takes an entry of the peer's into account. Hostile bytes do no harm. What it changes here is not told back to the peer.</summary>
    /// <returns>Whether it was understood.</returns>
    bool Apply(ReadOnlySpan<byte> entry);

    /// <summary>Bytes.</summary>
    const int LongestEntry = 4096;
}
