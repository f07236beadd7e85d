using System.Collections.Immutable;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Plan;

/// <summary>
/// The hash table of one virtual server through its changes: what each slot holds, and until when it has to hold it. Pure; the engine writes
/// <see cref="Slots"/> to the kernel whenever a method says that they changed.
/// </summary>
public sealed class TransitionTable
{
    private readonly long[] _until; // of each slot that is not stable, in milliseconds

    private TransitionTable(ImmutableArray<Slot> slots, long until)
    {
        Slots = slots;
        _until = new long[slots.Length];
        Array.Fill(_until, until);
    }

    /// <summary>As they shall stand in the kernel.</summary>
    public ImmutableArray<Slot> Slots { get; private set; }

    /// <summary>How many slots record flows or look them up.</summary>
    public int Unsettled => Slots.Count(slot => !SlotTransition.IsStable(slot));

    /// <summary>The table of a virtual server that has no past.</summary>
    public static TransitionTable Fresh(IEnumerable<ushort> wanted) => new([.. wanted.Select(SlotTransition.Stable)], until: 0);

    /// <summary>The table as an earlier daemon left it. How long ago its transitions began is not known, so their time begins again.</summary>
    public static TransitionTable Adopted(ImmutableArray<Slot> slots, TimeSpan window, TimeSpan now) => new(slots, Milliseconds(now + window));

    /// <summary>Has recorded flows looked up in every slot: until now all of them were recorded, and those that were go on where they are.</summary>
    public void TrackRecorded(TimeSpan now)
    {
        Slots = [.. Slots.Select(slot => SlotTransition.IsStable(slot) && slot.Current != SlotTransition.Nobody ? slot with { Previous = SlotTransition.Nobody } : slot)];
        for (int i = 0; i < _until.Length; i++)
            _until[i] = long.Max(_until[i], Milliseconds(now + HalfOpen));
    }

    /// <summary>Moves each slot towards what is wanted.</summary>
    /// <param name="wanted">As many as there are slots; <see cref="SlotTransition.Nobody"/> where nobody can be.</param>
    /// <param name="lives">See <see cref="SlotTransition.Next"/>.</param>
    /// <param name="window">How long a flow may be silent and still be one: the longest timeout of a flow of this virtual server.</param>
    /// <returns>Whether a slot changed.</returns>
    public bool Change(ReadOnlySpan<ushort> wanted, Func<ushort, bool> lives, TimeSpan window, TimeSpan now)
    {
        ImmutableArray<Slot>.Builder? next = null;
        for (int i = 0; i < wanted.Length; i++)
        {
            Slot before = Slots[i];
            Slot after = SlotTransition.Next(before, wanted[i], lives);
            if (before == after)
                continue;
            (next ??= Slots.ToBuilder())[i] = after;
            // A second change inside the window does not lengthen it: the owner is the same, and those given flows since are recorded.
            bool begins = SlotTransition.IsInTransition(after) && !SlotTransition.IsInTransition(before);
            _until[i] = long.Max(_until[i], Milliseconds(now + (begins ? window : HalfOpen)));
        }

        return Take(next);
    }

    /// <summary>Closes windows that are over, and lets go of slots that need no flow table any more.</summary>
    /// <param name="hasRecordedFlows">Whether the sweep still finds flows that were recorded for this virtual server.</param>
    /// <returns>Whether a slot changed.</returns>
    public bool Tick(bool hasRecordedFlows, TimeSpan now)
    {
        ImmutableArray<Slot>.Builder? next = null;
        for (int i = 0; i < Slots.Length; i++)
        {
            Slot before = Slots[i];
            if (SlotTransition.IsStable(before) || Milliseconds(now) < _until[i])
                continue;
            Slot after = SlotTransition.AfterWindow(before);
            if (!hasRecordedFlows)
                after = SlotTransition.Settled(after);
            if (before != after)
                (next ??= Slots.ToBuilder())[i] = after;
        }

        return Take(next);
    }

    /// <summary>
    /// A SYN that was given to a real server is remembered for its answer at most so long (IPVS's SYN_SENT). Only the sweep's count tells that
    /// recorded flows are over, and it does not count these.
    /// </summary>
    public static TimeSpan HalfOpen { get; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether some slot still names it.</summary>
    public bool Names(ushort realServer) => Slots.Any(slot => slot.Current == realServer || slot.Previous == realServer);

    private bool Take(ImmutableArray<Slot>.Builder? next)
    {
        if (next is null)
            return false;
        Slots = next.ToImmutable();
        return true;
    }

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
