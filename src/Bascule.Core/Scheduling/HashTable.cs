using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>How the slots of a table are shared out.</summary>
public enum TableKind
{
    /// <summary><c>mh</c>: each real server fills free slots in an order of its own, in turns; a change of the set moves few others' slots.</summary>
    Maglev,

    /// <summary><c>sh</c>: runs of each real server's weight, in the order of the list, over and over.</summary>
    SourceHash,

    /// <summary><c>dh</c>: one slot after another to each real server in turn, whatever its weight.</summary>
    DestinationHash,
}

/// <summary>A real server of a table.</summary>
/// <param name="Address">What its order in a <see cref="TableKind.Maglev"/> table comes from, so directors with the same real servers have the same table.</param>
/// <param name="Weight">0 to 65535. Its share; 0 gets no slot (except of <see cref="TableKind.DestinationHash"/>).</param>
public readonly record struct TableMember(IPEndPoint Address, int Weight);

/// <summary>
/// The tables of mh, sh and dh as pure functions: which member each slot belongs to (<see cref="Place"/>), and which one serves it when some
/// cannot be used (<see cref="Resolve"/>). The schedulers here and the packet datapath both go by them, so both send a client to the same
/// real server.
/// </summary>
/// <remarks>
/// <para>
/// <b>Maglev</b> (Eisenbud and others, "Maglev: a fast and reliable software network load balancer", NSDI 2016, §3.4). Member i goes through the
/// slots in the order (offset + j × skip) mod size with offset = h1 mod size and skip = h2 mod (size - 1) + 1, h1 and h2 being
/// <see cref="FlowHash.KeyedSource"/> of its address and port under two fixed keys. In round n = 0, 1, 2 … each member in turn takes its first slot
/// that is still free, as long as k × greatest weight ≤ n × its weight, k being how many it has; so everyone with a weight gets a slot.
/// </para>
/// <para>
/// Deviations from IPVS: there a member takes weight / gcd slots at once in each round (shifted right to fit), which may leave
/// small weights without a slot and favours the first of the list in the last round; and the turns go by the order of the list, while here
/// they go by h1, so that who writes the list in another order moves nobody. IPVS's keys and hash are others too.
/// </para>
/// </remarks>
public static class HashTable
{
    /// <summary>The slot is nobody's.</summary>
    public const int None = Scheduler.None;

    /// <summary>Slots of sh and dh, as in IPVS.</summary>
    public const int ShortSize = 256;

    private const int SlotsPerMember = 100; // below that, shares differ by more than a hundredth

    private const int SlotsPerCache = 1000; // so that hardly a hundredth of the others' content moves when one is taken off the list

    // Nothing up the sleeve: fractions of the golden ratio, and of the square roots of 2 and 3.
    private static readonly FlowHashKey OffsetKey = new(0x9E3779B97F4A7C15, 0xF39CC0605CEDC834);
    private static readonly FlowHashKey SkipKey = new(0x6A09E667F3BCC908, 0xBB67AE8584CAA73B);

    /// <summary>The sizes a mh table may have, rising: primes, as IPVS offers them.</summary>
    public static ImmutableArray<int> Sizes { get; } = [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071];

    /// <summary>The size of a mh table unless one is asked for: the least with 100 slots a member, and at least IPVS's 4093.</summary>
    public static int SizeFor(int members) => LeastOf(4093, (long)members * SlotsPerMember);

    /// <summary>
    /// The size of the table of <c>hash</c> unless one is asked for: the least with 1000 slots a member, and at least 16381. The more slots, the fewer
    /// of those who stay change hands when one leaves the list; the kernel has no copy of this table, so it may be large.
    /// </summary>
    public static int SizeForContent(int members) => LeastOf(16381, (long)members * SlotsPerCache);

    /// <summary>The table of a scheduler: its own for mh, sh and dh; the one flows fall back to for all others.</summary>
    public static TableKind KindOf(SchedulerKind scheduler) => scheduler switch
    {
        SchedulerKind.SourceHash => TableKind.SourceHash,
        SchedulerKind.DestinationHash => TableKind.DestinationHash,
        _ => TableKind.Maglev,
    };

    /// <summary>The number of slots of a table of that kind over so many members.</summary>
    public static int SizeOf(TableKind kind, SchedulerFlags flags, int members) =>
        kind == TableKind.Maglev ? flags.TableSize ?? SizeFor(members) : ShortSize;

    /// <summary>
    /// The members of a table over these real servers. For mh, one of weight 0 counts with its last weight above 0, so that quiescing
    /// a real server moves no one else's slots.
    /// </summary>
    /// <param name="weights">Theirs, in the same order.</param>
    public static ImmutableArray<TableMember> MembersOf(TableKind kind, ImmutableArray<LiveRealServer> realServers, ReadOnlySpan<int> weights)
    {
        ImmutableArray<TableMember>.Builder members = ImmutableArray.CreateBuilder<TableMember>(realServers.Length);
        for (int i = 0; i < realServers.Length; i++)
            members.Add(new(realServers[i].Address, weights[i] == 0 && kind == TableKind.Maglev ? realServers[i].LastWeight : weights[i]));
        return members.MoveToImmutable();
    }

    /// <summary>Which member each slot belongs to, whether or not it can be used: its index, or <see cref="None"/> when there is no weight at all.</summary>
    /// <param name="size">From <see cref="SizeOf"/>; a prime above the number of members for <see cref="TableKind.Maglev"/>.</param>
    public static int[] Place(TableKind kind, ReadOnlySpan<TableMember> members, int size)
    {
        int[] homes = new int[size];
        homes.AsSpan().Fill(None);
        switch (kind)
        {
            case TableKind.Maglev:
                PlaceInTurns(homes, members);
                break;
            case TableKind.SourceHash:
                PlaceRuns(homes, members);
                break;
            case TableKind.DestinationHash:
                for (int slot = 0; slot < size && members.Length > 0; slot++)
                    homes[slot] = slot % members.Length;
                break;
        }

        return homes;
    }

    /// <summary>Which member serves each slot now: the one it belongs to if that can be used; else, with a fallback, another; else <see cref="None"/>.</summary>
    /// <param name="homes">From <see cref="Place"/>.</param>
    /// <param name="usable">Of each member.</param>
    /// <param name="fallsBack">
    /// Probes from slot s the slots 2s, 2s + 1, 2s + 2 … (modulo the size) for a member that can be used, as IPVS does with sh-fallback and
    /// mh-fallback; it spreads the clients of a lost real server over the others. One without any slot is a last resort, in the order of the list.
    /// </param>
    public static int[] Resolve(ReadOnlySpan<int> homes, ReadOnlySpan<bool> usable, bool fallsBack)
    {
        int size = homes.Length;
        int lastResort = fallsBack ? usable.IndexOf(true) : None;
        int[] onwards = new int[size]; // the first usable one at or after each slot
        int found = lastResort;
        for (int place = (2 * size) - 1; place >= 0; place--)
        {
            if (IsUsable(homes[place % size], usable))
                found = homes[place % size];
            if (place < size)
                onwards[place] = found;
        }

        int[] serving = new int[size];
        for (int slot = 0; slot < size; slot++)
        {
            if (IsUsable(homes[slot], usable))
                serving[slot] = homes[slot];
            else
                serving[slot] = fallsBack ? onwards[2 * slot % size] : None;
        }

        return serving;
    }

    private static int LeastOf(int least, long wanted)
    {
        foreach (int size in Sizes)
        {
            if (size >= least && size >= wanted)
                return size;
        }

        return Sizes[^1];
    }

    private static bool IsUsable(int member, ReadOnlySpan<bool> usable) => member != None && usable[member];

    private static void PlaceInTurns(int[] homes, ReadOnlySpan<TableMember> members)
    {
        Turn[] turns = TurnsOf(members, homes.Length);
        if (turns.Length == 0)
            return;
        long greatest = turns.Max(t => t.Weight);
        int free = homes.Length;
        for (long round = 0; ; round++)
        {
            foreach (ref Turn turn in turns.AsSpan())
            {
                if (turn.Taken * greatest > round * turn.Weight)
                    continue;
                turn.Take(homes);
                if (--free == 0)
                    return;
            }
        }
    }

    private static Turn[] TurnsOf(ReadOnlySpan<TableMember> members, int size)
    {
        List<(uint Order, Turn Turn)> turns = [];
        for (int member = 0; member < members.Length; member++)
        {
            ClientAddress address = ClientAddress.Of(members[member].Address);
            uint first = FlowHash.KeyedSource(OffsetKey, address, withPort: true);
            uint second = FlowHash.KeyedSource(SkipKey, address, withPort: true);
            if (members[member].Weight > 0)
                turns.Add((first, new(member, members[member].Weight, (int)(first % (uint)size), (int)(second % (uint)(size - 1)) + 1)));
        }

        return [.. turns.OrderBy(t => t.Order).ThenBy(t => t.Turn.Skip).Select(t => t.Turn)];
    }

    private static void PlaceRuns(int[] homes, ReadOnlySpan<TableMember> members)
    {
        int slot = 0;
        for (int member = 0; slot < homes.Length; member = (member + 1) % members.Length)
        {
            if (slot == 0 && !HasWeight(members))
                return;
            int run = int.Min(members[member].Weight, homes.Length - slot);
            homes.AsSpan(slot, run).Fill(member);
            slot += run;
        }
    }

    private static bool HasWeight(ReadOnlySpan<TableMember> members)
    {
        foreach (TableMember member in members)
        {
            if (member.Weight > 0)
                return true;
        }

        return false;
    }

    /// <summary>A member on its way through the slots.</summary>
    private record struct Turn(int Member, long Weight, int Slot, int Skip)
    {
        public long Taken { get; private set; }

        public void Take(int[] homes)
        {
            int slot = Slot;
            while (homes[slot] != None)
            {
                slot += Skip;
                if (slot >= homes.Length)
                    slot -= homes.Length;
            }

            homes[slot] = Member;
            Slot = slot;
            Taken++;
        }
    }
}
