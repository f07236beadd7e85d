using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Linux.Bpf;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Engine;

/// <summary>Reads the datapath's counters into the API's records. The engine's thread alone.</summary>
internal sealed class Reporter(DatapathEngine engine)
{
    // What virtual servers counted under numbers they no longer have, and who has which; by owner.
    private readonly Dictionary<int, TrafficCount> _before = [];
    private readonly Dictionary<ushort, int> _owners = [];

    /// <summary>Everything, now.</summary>
    public PacketReport Read()
    {
        engine.Maps.Swept.TryGet(0, out Sweep swept);
        PacketSettings settings = engine.Settings;
        PacketStatus status = new()
        {
            Interfaces = [.. settings.Interfaces.Select(name => engine.Attachments.FirstOrDefault(a => a.Interface == name)).OfType<AttachmentStatus>().Select(Read)],
            Flows = (long)swept.Flows4 + swept.Flows6,
            FlowsAtMost = engine.Maps.Flows4.Shape.Entries,
            Drops = Drops(),
            StateFolder = settings.StateFolder,
        };
        return new(status, engine.Snapshot.OnDatapath.ToImmutableDictionary(v => v.Configured.Name, Read));
    }

    /// <summary>Keeps what was counted under a number that is about to be given up.</summary>
    public void GivesUp(ushort virtualServer)
    {
        if (_owners.Remove(virtualServer, out int owner))
            _before[owner] = _before.GetValueOrDefault(owner, TrafficCount.None) + Count(engine.Maps.VirtualServerTraffic, virtualServer);
    }

    /// <summary>Remembers whose numbers these are.</summary>
    public void Follows(PacketPlan plan)
    {
        foreach ((ServiceKey service, ushort id) in plan.Services.Where(pair => !pair.Key.IsEcho))
        {
            if (engine.Planner.OwnerOf(service) is { } owner)
                _owners[id] = owner;
        }

        foreach (int gone in _before.Keys.Where(owner => !engine.Planner.IsPlanned(owner)).ToList())
            _before.Remove(gone);
    }

    private PacketTraffic Read(LiveVirtualServer virtualServer)
    {
        int owner = engine.Planner.OwnerOf(EntryForms.ServiceOf(virtualServer.Configured)) ?? 0; // 0: nobody's
        TrafficCount count = _owners.Where(pair => pair.Value == owner)
            .Aggregate(_before.GetValueOrDefault(owner, TrafficCount.None), (sum, pair) => sum + Count(engine.Maps.VirtualServerTraffic, pair.Key));
        IEnumerable<LiveRealServer> realServers = virtualServer.RealServers;
        if (virtualServer.SorryServer is { } sorry && virtualServer.RealServers.All(r => !r.Address.Equals(sorry.Address)))
            realServers = realServers.Append(sorry);
        return new(count, realServers.ToImmutableDictionary(r => r.Address, Read));
    }

    private RealServerTraffic Read(LiveRealServer realServer)
    {
        if (!engine.Planner.Ids.TryGetValue(realServer, out ushort id))
            return new(TrafficCount.None, 0, 0, IsFull: false, "the packet datapath has no room for it");
        engine.Maps.Loads.TryGet(id, out Load load);
        return new(Count(engine.Maps.RealServerTraffic, id), load.Active, load.Inactive, load.Overloaded != 0, Trouble(id, realServer.Address.Address));
    }

    private string? Trouble(ushort id, IPAddress address)
    {
        if (!engine.Planner.Current.RealServers.TryGetValue(id, out Xdp.RealServer entry) || entry.Method == Method.Local || entry.Flags.HasFlag(RealServerFlag.Neighbour))
            return null;
        return engine.Surroundings.NextHops.ContainsKey(address)
            ? $"its next hop does not answer {(entry.Family == 4 ? "ARP" : "neighbour discovery")}"
            : $"no route to {address}";
    }

    private ImmutableSortedDictionary<DropReason, long> Drops() =>
        Enum.GetValues<DropReason>()
            .Select(reason => KeyValuePair.Create(reason, engine.Maps.Drops.Get((uint)reason).Aggregate(0L, (sum, more) => sum + (long)more)))
            .Where(pair => pair.Value > 0)
            .ToImmutableSortedDictionary();

    private static TrafficCount Count(PerProcessorMap<uint, Traffic> map, ushort id) =>
        map.Get(id).Aggregate(TrafficCount.None, (sum, t) => sum + new TrafficCount((long)t.Connections, (long)t.Packets, (long)t.Bytes, (long)t.ReplyPackets, (long)t.ReplyBytes));

    private static InterfaceStatus Read(AttachmentStatus attached) => new()
    {
        Name = attached.Interface,
        Attached = attached.Point is { } point ? ModeOf(point) : null,
        Why = attached.Why,
    };

    private static AttachMode ModeOf(AttachPoint point) => point switch
    {
        AttachPoint.XdpNative => AttachMode.Native,
        AttachPoint.XdpGeneric => AttachMode.Generic,
        AttachPoint.TcxIngress or AttachPoint.TcxEgress => AttachMode.Tcx,
    };
}
