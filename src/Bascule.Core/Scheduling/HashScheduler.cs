using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// <c>mh</c>, <c>sh</c> and <c>dh</c>: by a hash of the client's address (mh, sh) or of the address it asked for (dh), which leads to a slot of a
/// <see cref="HashTable"/>. Keeps nothing per client, and sends the same client to the same real server again.
/// </summary>
/// <remarks>
/// <para>
/// A connection whose slot's real server cannot be used is refused, as in IPVS, unless the scheduler falls back; on the proxy it always
/// does. A connection that failed on its real server (something is in <see cref="TriedServers"/>) goes to another in any case: IPVS has no second try.
/// </para>
/// <para>
/// The weights are those at construction: only a reload moves clients. With sh a weight of 0 gets no slot (IPVS gives it one and refuses the clients
/// that hash to it), and weights that add up to more than 256 leave those at the end of the list short, as in IPVS.
/// </para>
/// </remarks>
public sealed class HashScheduler : Scheduler
{
    private readonly int[] _homes;
    private readonly TableKind _kind;
    private readonly FlowHashKey _key;
    private readonly bool _withPort;
    private readonly bool _fallsBack;

    /// <summary>Over these real servers, with the weights that will be in force.</summary>
    public HashScheduler(TableKind kind, SchedulerFlags flags, ImmutableArray<LiveRealServer> realServers, ReadOnlySpan<int> weights, FlowHashKey key)
        : base(realServers)
    {
        _homes = HashTable.Place(kind, HashTable.MembersOf(kind, realServers, weights).AsSpan(), HashTable.SizeOf(kind, flags, realServers.Length));
        _kind = kind;
        _key = key;
        _withPort = flags.Port;
        _fallsBack = flags.Fallback;
    }

    /// <inheritdoc/>
    public override bool GoesByDestination => _kind == TableKind.DestinationHash;

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        int slot = FlowHash.SlotOf(HashOf(client), _homes.Length);
        if (IsUsableHome(slot, tried))
            return _homes[slot];
        if (!_fallsBack && tried.Count == 0)
            return None;
        int lastResort = FirstUsable(tried);
        if (lastResort == None)
            return None; // without a walk through the whole table

        for (int offset = 0; offset < _homes.Length; offset++)
        {
            int probed = (slot + slot + offset) % _homes.Length;
            if (IsUsableHome(probed, tried))
                return _homes[probed];
        }

        return lastResort;
    }

    private uint HashOf(in ClientAddress client) => _kind switch
    {
        TableKind.Maglev => FlowHash.KeyedSource(_key, client, _withPort),
        TableKind.SourceHash => FlowHash.Source(client, _withPort),
        TableKind.DestinationHash => FlowHash.Destination(client),
    };

    private bool IsUsableHome(int slot, in TriedServers tried) => _homes[slot] != None && IsUsable(_homes[slot], tried);
}
