using Bascule.Packets.Xdp;

namespace Bascule.Packets.Plan;

/// <summary>
/// How one slot of a hash table moves from one real server to another without breaking a connection. Every flow is either recorded or belongs
/// to the slot's default (the previous one in transition, else the current one); no step below takes a living real server's flows from it.
/// See docs/design/affinity.md.
/// </summary>
/// <remarks>
/// <code>
/// {A,A}  stable:        nothing is recorded, everyone is A's
/// {B,A}  in transition: SYNs go to B and are recorded; who is not recorded is A's, and is recorded on the way
/// {B,0}  tracked:       recorded flows go where they went; who is not recorded is B's
/// {0,A}  nobody new:    as in transition, but a SYN finds no one
/// </code>
/// </remarks>
public static class SlotTransition
{
    /// <summary>Nobody: no real server has this id.</summary>
    public const ushort Nobody = 0;

    /// <summary>A slot without a past.</summary>
    public static Slot Stable(ushort realServer) => new() { Current = realServer, Previous = realServer };

    /// <summary>Whether packets in the slot need no flow table.</summary>
    public static bool IsStable(Slot slot) => slot.Current == slot.Previous;

    /// <summary>Whether flows are being recorded in it.</summary>
    public static bool IsInTransition(Slot slot) => slot.Previous != Nobody && !IsStable(slot);

    /// <summary>Whose a flow is that nobody recorded.</summary>
    public static ushort DefaultOf(Slot slot) => slot.Previous == Nobody ? slot.Current : slot.Previous;

    /// <summary>The slot when new flows shall go to <paramref name="wanted"/> from now on.</summary>
    /// <param name="lives">Whether a real server still serves the flows it has: its check passes, and it is configured (weight 0 is enough).</param>
    public static Slot Next(Slot now, ushort wanted, Func<ushort, bool> lives)
    {
        ushort owner = DefaultOf(now);
        // With nobody to go to, the owner stays named even if it is down: {0,0} would read as stable, and recorded flows of others would not be looked up.
        if (wanted == Nobody)
            return new() { Current = Nobody, Previous = owner };

        // The owner has it back. What others were given meanwhile is recorded, and must still be looked up.
        if (wanted == owner)
            return IsStable(now) ? now : new() { Current = owner, Previous = Nobody };

        if (owner != Nobody && lives(owner))
            return new() { Current = wanted, Previous = owner };

        // Nobody is left to protect. Where nothing was recorded either, the step is a clean one.
        return IsStable(now) ? Stable(wanted) : new() { Current = wanted, Previous = Nobody };
    }

    /// <summary>The slot when the window is over: whoever was to send a packet has sent one, and so is recorded.</summary>
    public static Slot AfterWindow(Slot now) => IsInTransition(now) && now.Current != Nobody ? new() { Current = now.Current, Previous = Nobody } : now;

    /// <summary>The slot when no recorded flow is left.</summary>
    public static Slot Settled(Slot now) => now.Previous == Nobody ? Stable(now.Current) : now;
}
