using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// <c>hash</c>: a hash of a part of the request leads to a slot of a Maglev <see cref="HashTable"/>, so that the same content is in the cache of one real
/// server, and a change of the set moves few others' content.
/// </summary>
/// <remarks>
/// <para>
/// The slots are the ring: what a real server cannot take goes to the owner of the next slot, and its neighbours' content elsewhere, since each of
/// its slots has a next one of its own. A request without the part goes by the client's address.
/// </para>
/// <para>
/// With a balance factor f nobody has more than ⌈f/100 × (all active requests + 1) × its weight / all weights⌉ active requests (Mirrokni, Thorup and
/// Zadimoghaddam, "Consistent hashing with bounded loads", 2016): content that everybody wants is shared by several.
/// </para>
/// </remarks>
public sealed class RequestHash : Scheduler
{
    private readonly int[] _homes;
    private readonly FlowHashKey _key;
    private readonly int? _balanceFactor;

    /// <summary>Over these real servers, with the weights that will be in force.</summary>
    public RequestHash(SchedulerFlags flags, ImmutableArray<LiveRealServer> realServers, ReadOnlySpan<int> weights, FlowHashKey key)
        : base(realServers)
    {
        By = flags.Hash ?? new(RequestPart.Uri, Name: null, BalanceFactor: null);
        _homes = HashTable.Place(TableKind.Maglev, HashTable.MembersOf(TableKind.Maglev, realServers, weights).AsSpan(),
            flags.TableSize ?? HashTable.SizeForContent(realServers.Length));
        _key = key;
        _balanceFactor = By.BalanceFactor;
    }

    /// <summary>Which part of a request it goes by.</summary>
    public HashBy By { get; }

    /// <summary>What is put into <see cref="ClientAddress.Content"/> for a request with these bytes as its part.</summary>
    public ulong ContentOf(ReadOnlySpan<byte> part) => ulong.Max(1, FlowHash.Keyed(_key, part));

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        uint hash = client.Content != 0 ? (uint)client.Content : FlowHash.KeyedSource(_key, client, withPort: false);
        int slot = FlowHash.SlotOf(hash, _homes.Length);
        int first = _homes[slot];
        if (first != None && IsUsable(first, tried) && (_balanceFactor is null || RealServers[first].ActiveConnections == 0))
            return first;

        int lastResort = FirstUsable(tried);
        return lastResort == None ? None : Onwards(slot, tried, lastResort);
    }

    /// <summary>The owner of this slot or the next one that can be used and has room; when nobody has room any more, the next that can be used.</summary>
    private int Onwards(int slot, in TriedServers tried, int lastResort)
    {
        Load all = _balanceFactor is null ? default : LoadOf(tried);
        int next = None;
        for (int offset = 0; offset < _homes.Length; offset++)
        {
            int home = _homes[(slot + offset) % _homes.Length];
            if (home == None || !IsUsable(home, tried))
                continue;
            if (HasRoom(RealServers[home], all))
                return home;
            if (next == None)
                next = home;
        }

        return next == None ? lastResort : next;
    }

    private Load LoadOf(in TriedServers tried)
    {
        long active = 0;
        long weight = 0;
        for (int index = 0; index < RealServers.Length; index++)
        {
            if (!IsUsable(index, tried))
                continue;
            active += RealServers[index].ActiveConnections;
            weight += RealServers[index].Weight;
        }

        return new(active, weight);
    }

    // active + 1 ≤ ⌈bound⌉ is active < bound.
    private bool HasRoom(LiveRealServer realServer, Load all) =>
        _balanceFactor is not { } factor || realServer.ActiveConnections * 100L * all.Weight < factor * (all.Active + 1) * realServer.Weight;

    /// <summary>Of all that can be used, together.</summary>
    private readonly record struct Load(long Active, long Weight);
}
