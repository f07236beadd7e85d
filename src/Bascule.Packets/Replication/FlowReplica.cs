using System.Net;
using System.Net.Sockets;
using Bascule.Core.Replication;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Replication;

/// <summary>
/// Recorded flows, kept in step with the other director's, so that it goes on with them: NAT, persistence, schedulers that count. The kernel's side is in
/// bpf/tell.h and bpf/follow.h.
/// </summary>
/// <param name="tables">The datapath's maps.</param>
/// <param name="names">Who has which number, at the moment.</param>
/// <param name="now">The datapath's time.</param>
/// <param name="begun">
/// When our tables began, empty; null: they are an earlier daemon's. What the other director only has from us, and was seen since, and is not in our
/// tables, is over: we knew it.
/// </param>
internal sealed class FlowReplica(ReplicaTables tables, Func<ReplicaNames> names, Func<Ticks> now, Ticks? begun) : IReplicatedState, IDisposable
{
    private readonly ChangeRing<FlowChange> _ring = new(tables.ChangedFlows, tables.Untold, 0); // UNTOLD_FLOWS
    private readonly byte[] _room = new byte[FlowEntry.Longest];
    private readonly Lock _using = new(); // the engine may end while the channel asks
    private bool _isClosed;

    /// <inheritdoc />
    public string Name => "flows";

    /// <inheritdoc />
    public IEnumerable<ReadOnlyMemory<byte>> Everything() =>
        tables.Flows4.Batches().SelectMany(batch => batch).Select(pair => new FlowChange { Client = Wide(pair.Key), Flow = pair.Value, Family = 4 })
            .Concat(tables.Flows6.Batches().SelectMany(batch => batch).Select(pair => new FlowChange { Client = pair.Key, Flow = pair.Value, Family = 6 }))
            .Where(change => !change.Flow.Flags.HasFlag(FlowFlag.Ended))
            .Select(Encode).Where(entry => !entry.IsEmpty);

    /// <inheritdoc />
    public bool TakeChanges(Action<ReadOnlyMemory<byte>> take)
    {
        lock (_using)
        {
            return _isClosed || _ring.Take(change =>
            {
                if (Encode(change) is { IsEmpty: false } entry)
                    take(entry);
            });
        }
    }

    /// <inheritdoc />
    public bool Apply(ReadOnlySpan<byte> entry)
    {
        if (!FlowEntry.TryRead(entry, out FlowEntry told))
            return false;
        lock (_using)
        {
            if (!_isClosed && names().Find(told.RealServer) is { } realServer && Translate(told, realServer) is { } change && !IsKnownToBeOver(change))
                tables.TakeFlow.Call(ref change);
        }

        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_using)
        {
            _isClosed = true;
            _ring.Dispose();
        }
    }

    private ReadOnlyMemory<byte> Encode(FlowChange change)
    {
        ReplicaNames current = names();
        if (current.KeyOf(change.Flow.RealServer) is not { } key)
            return default;
        Flow flow = change.Flow;
        FlowEntry entry = new(
            change.Client, (byte)change.Family, flow.State, MarksOf(flow.Flags) | FlowEntry.MarksOf(current.KeyFor(DestinationOf(change), change.Client.DestinationPort.Value, key.Service)), flow.Seen.MillisecondsBefore(now()),
            flow.NatPort.Value, ClientMacOf(change, current), key);
        return _room.AsMemory(0, entry.Write(_room));
    }

    // Of another interface than the virtual address's, the other director could not tell on which of its own that MAC would be.
    private static Mac ClientMacOf(FlowChange change, ReplicaNames current) =>
        current.LinkOf(DestinationOf(change)) is { } link && link.Index == change.Flow.ClientInterface ? change.Flow.ClientMac : default;

    private static FlowMarks MarksOf(FlowFlag flags) =>
        (flags.HasFlag(FlowFlag.Ended) ? FlowMarks.Ended : 0)
        | (flags.HasFlag(FlowFlag.Exception) ? FlowMarks.Exception : 0)
        | (flags.HasFlag(FlowFlag.Followed) ? FlowMarks.Followed : 0);

    /// <summary>In our numbers and our time; null: it cannot be ours.</summary>
    private FlowChange? Translate(FlowEntry told, KnownRealServer realServer)
    {
        RealServer entry = realServer.Entry;
        bool isNat = entry.Method == Method.Nat, isFull = isNat && entry.Flags.HasFlag(RealServerFlag.FullNat);
        bool hasItsPort = isFull ? told.NatPort >= entry.PoolFirst && told.NatPort <= entry.PoolLast : told.NatPort == 0;
        if (!hasItsPort || (isNat && entry.Family != told.Family))
            return null;
        FlowChange change = new()
        {
            Client = told.Client,
            Family = told.Family,
            Flow = new()
            {
                Seen = now().Before(told.Age),
                RealServer = realServer.Id,
                VirtualServer = entry.VirtualServer,
                State = told.State,
                Flags = FlagsOf(told.Marks) | (isNat ? FlowFlag.Replies : 0),
                NatPort = told.NatPort,
            },
        };
        if (told.ClientMac != default && names().LinkOf(DestinationOf(change)) is { } link)
            (change.Flow.ClientMac, change.Flow.DirectorMac, change.Flow.ClientInterface) = (told.ClientMac, link.Mac, link.Index);
        return change;
    }

    private static FlowFlag FlagsOf(FlowMarks marks) =>
        (marks.HasFlag(FlowMarks.Ended) ? FlowFlag.Ended : 0)
        | (marks.HasFlag(FlowMarks.Exception) ? FlowFlag.Exception : 0)
        | (marks.HasFlag(FlowMarks.Followed) ? FlowFlag.Followed : 0);

    private bool IsKnownToBeOver(FlowChange change) =>
        change.Flow.Flags.HasFlag(FlowFlag.Followed) && (begun is not { } since || change.Flow.Seen.IsAfter(since)) && !IsRecorded(change);

    private bool IsRecorded(FlowChange change) => change.Family == 4
        ? tables.Flows4.TryGet(Narrow(change.Client), out _)
        : tables.Flows6.TryGet(change.Client, out _);

    private static IPAddress DestinationOf(FlowChange change) =>
        change.Client.Destination.ToAddress(change.Family == 4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);

    private static Tuple6 Wide(Tuple4 key) => new()
    {
        Source = Address.Of(key.Source.ToAddress()),
        Destination = Address.Of(key.Destination.ToAddress()),
        SourcePort = key.SourcePort,
        DestinationPort = key.DestinationPort,
        Protocol = key.Protocol,
    };

    private static Tuple4 Narrow(Tuple6 key) => new()
    {
        Source = Wire32.Of(key.Source.ToAddress(AddressFamily.InterNetwork)),
        Destination = Wire32.Of(key.Destination.ToAddress(AddressFamily.InterNetwork)),
        SourcePort = key.SourcePort,
        DestinationPort = key.DestinationPort,
        Protocol = key.Protocol,
    };
}
