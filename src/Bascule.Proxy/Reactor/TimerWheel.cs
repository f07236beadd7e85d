using System.Numerics;

namespace Bascule.Proxy.Reactor;

/// <summary>Something that has a deadline. It lies in at most one slot of one <see cref="TimerWheel"/>.</summary>
internal abstract class Timed
{
    internal Timed? Previous { get; set; }

    internal Timed? Next { get; set; }

    /// <summary>The slot it lies in; -1 when it lies in none.</summary>
    internal int Slot { get; set; } = -1;

    /// <summary>When that slot comes round, in ticks of the wheel.</summary>
    internal long SlotTick { get; set; }

    /// <summary>In the loop's milliseconds; <see cref="long.MaxValue"/> for none.</summary>
    internal long Deadline { get; set; } = long.MaxValue;

    /// <summary>The deadline has passed. The wheel has let go of it.</summary>
    internal abstract void OnDeadline();
}

/// <summary>
/// The deadlines of one loop. Moving a deadline to a later time only stores a number: the entry stays in its slot and moves on when that
/// comes round. So a busy connection, which sets a deadline for every request, touches the wheel once in a while.
/// </summary>
/// <remarks>
/// Varghese and Lauck, "Hashed and hierarchical timing wheels" (1987), scheme 6. Deadlines are met up to one tick late; those further away
/// than a turn (65 s) are looked at once a turn.
/// </remarks>
internal sealed class TimerWheel
{
    public const int TickMilliseconds = 32;

    private const int Slots = 2048;
    private readonly Timed?[] _slots = new Timed?[Slots];
    private readonly ulong[] _occupied = new ulong[Slots / 64];

    // The next slot to be swept.
    private long _currentTick;

    public TimerWheel(long nowMilliseconds) => _currentTick = nowMilliseconds / TickMilliseconds;

    /// <summary>Sets the deadline.</summary>
    public void Set(Timed timed, long deadline)
    {
        timed.Deadline = deadline;
        long tick = TickOf(deadline);
        if (timed.Slot >= 0)
        {
            if (timed.SlotTick <= tick)
                return;
            Unlink(timed);
        }

        Link(timed, tick);
    }

    /// <summary>Forgets the deadline, and leaves the entry to be swept out when its slot comes round.</summary>
    public static void Clear(Timed timed) => timed.Deadline = long.MaxValue;

    /// <summary>Takes the entry out now: its owner is gone.</summary>
    public void Remove(Timed timed)
    {
        timed.Deadline = long.MaxValue;
        if (timed.Slot >= 0)
            Unlink(timed);
    }

    /// <summary>How long the loop may sleep, in milliseconds; -1 when there is nothing to wait for.</summary>
    public int NextTimeout(long nowMilliseconds)
    {
        int start = (int)(_currentTick % Slots);
        for (int word = 0; word <= _occupied.Length; word++)
        {
            int index = (start / 64 + word) % _occupied.Length;
            ulong bits = _occupied[index];
            if (word == 0)
                bits &= ulong.MaxValue << (start % 64);
            else if (word == _occupied.Length)
                bits &= (1UL << (start % 64)) - 1;
            if (bits == 0)
                continue;
            int slot = index * 64 + BitOperations.TrailingZeroCount(bits);
            long ticks = _currentTick + (slot - start + Slots) % Slots;
            return (int)long.Max(0, (ticks + 1) * TickMilliseconds - nowMilliseconds);
        }

        return -1;
    }

    /// <summary>Fires what has come due.</summary>
    public void Advance(long nowMilliseconds)
    {
        long until = nowMilliseconds / TickMilliseconds;
        if (until - _currentTick > Slots)
            _currentTick = until - Slots; // after a long pause one turn sees every slot
        while (_currentTick < until)
            Sweep((int)(_currentTick++ % Slots), nowMilliseconds);
    }

    private static long TickOf(long deadline) => deadline == long.MaxValue ? long.MaxValue : deadline / TickMilliseconds;

    private void Sweep(int slot, long nowMilliseconds)
    {
        // Linking never uses the slot that is being swept, so this ends whatever the entries do.
        while (_slots[slot] is { } timed)
        {
            Unlink(timed);
            if (timed.Deadline <= nowMilliseconds)
            {
                timed.Deadline = long.MaxValue;
                timed.OnDeadline();
            }
            else if (timed.Deadline != long.MaxValue)
            {
                Link(timed, TickOf(timed.Deadline));
            }
        }
    }

    private void Link(Timed timed, long tick)
    {
        // No further than one turn ahead, and never into the slot being swept, which is the one before the current.
        long at = long.Clamp(tick, _currentTick, _currentTick + Slots - 2);
        int slot = (int)(at % Slots);
        timed.Slot = slot;
        timed.SlotTick = at;
        timed.Previous = null;
        timed.Next = _slots[slot];
        if (timed.Next is not null)
            timed.Next.Previous = timed;
        _slots[slot] = timed;
        _occupied[slot / 64] |= 1UL << (slot % 64);
    }

    private void Unlink(Timed timed)
    {
        if (timed.Previous is null)
            _slots[timed.Slot] = timed.Next;
        else
            timed.Previous.Next = timed.Next;
        if (timed.Next is not null)
            timed.Next.Previous = timed.Previous;
        if (_slots[timed.Slot] is null)
            _occupied[timed.Slot / 64] &= ~(1UL << (timed.Slot % 64));
        timed.Slot = -1;
        timed.Previous = timed.Next = null;
    }
}
