using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Core.Scheduling;
using Bascule.Packets.Xdp;
using RealServer = Bascule.Packets.Xdp.RealServer;
using VirtualServer = Bascule.Packets.Xdp.VirtualServer;

namespace Bascule.Packets.Plan;

/// <summary>What the sweep found of what is still recorded, by real server id.</summary>
/// <param name="HasFlows">Flows of it are recorded, whether or not they are confirmed.</param>
/// <param name="IsReferred">Anything recorded names it, clients remembered by persistence included.</param>
public sealed record SweepFindings(Func<ushort, bool> HasFlows, Func<ushort, bool> IsReferred);

/// <summary>
/// Decides what the datapath's maps shall hold: from what is configured, who is well, with which weight, and the way to each. Remembers what it
/// decided before, because flows go on: numbers, slots in transition, who went and is not over yet. Pure; used by the engine's thread alone.
/// </summary>
public sealed class Planner
{
    /// <summary>Entries of the maps indexed by a virtual server's id; 0 is nobody's.</summary>
    public const int VirtualServerCapacity = 4096;

    /// <summary>Entries of the maps indexed by a real server's id; 0 is nobody's.</summary>
    public const int RealServerCapacity = 16384;

    /// <summary>Most real servers of one virtual server that counts connections; a hash table has no such bound. MAX_MEMBERS in bpf/types.h.</summary>
    public const int MostMembers = 512;

    private readonly IdBook<(ServiceKey, Shape)> _virtualIds = new(VirtualServerCapacity);
    private readonly IdBook<RealServerKey> _realIds = new(RealServerCapacity);
    private readonly Dictionary<ServiceKey, KeptTable> _tables = [];
    private readonly Dictionary<ServiceKey, Placement> _placed = [];
    private readonly HashSet<ushort> _retired = [];                    // virtual servers that the sweep has yet to let go of
    private readonly List<string> _problems = [];

    /// <summary>The last plan.</summary>
    public PacketPlan Current { get; private set; } = PacketPlan.Empty;

    /// <summary>What could not be planned: too many of something. Sentences.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The numbers of the real servers in the last plan, sorry servers included.</summary>
    public ImmutableDictionary<LiveRealServer, ushort> Ids { get; private set; } = ImmutableDictionary<LiveRealServer, ushort>.Empty;

    /// <summary>The number of a virtual server in the last plan, whether or not its address is ours; null: it has none.</summary>
    public ushort? IdOf(ServiceKey service) => _tables.TryGetValue(service, out KeptTable? kept) ? kept.Id : null;

    /// <summary>How many slots of a virtual server's table record or look up flows.</summary>
    public int Unsettled(ServiceKey service) => _tables.TryGetValue(service, out KeptTable? kept) ? kept.Table.Unsettled : 0;

    /// <summary>Plans anew.</summary>
    /// <param name="virtualServers">Those on the datapath.</param>
    /// <param name="roles">
    /// Packets to an address that is another director's are left to the network stack. All else of its virtual servers is planned as if it were ours, and
    /// flows stay recorded: to take the address over is to write its key.
    /// </param>
    /// <param name="now">Since an arbitrary moment.</param>
    public PacketPlan Next(IEnumerable<LiveVirtualServer> virtualServers, Surroundings surroundings, RoleSet roles, TimeSpan now)
    {
        _problems.Clear();
        Draft draft = new(surroundings, roles, now);
        foreach (LiveVirtualServer virtualServer in virtualServers)
            Add(draft, virtualServer);
        KeepWhatIsNotOver(draft);
        Ids = draft.Ids.ToImmutableDictionary();
        return Current = draft.ToPlan();
    }

    /// <summary>Takes into account what the sweep found: closes windows, settles slots, frees the numbers of those that are over.</summary>
    /// <returns>The plan, changed or not.</returns>
    public PacketPlan AfterSweep(SweepFindings findings, TimeSpan now)
    {
        ImmutableDictionary<ushort, VirtualServerPlan>.Builder virtualServers = Current.VirtualServers.ToBuilder();
        foreach (KeptTable kept in _tables.Values.Where(kept => kept.Table.Unsettled > 0))
        {
            bool hasFlows = Current.RealServers.Any(pair => pair.Value.VirtualServer == kept.Id && findings.HasFlows(pair.Key));
            if (kept.Table.Tick(hasFlows, now))
                virtualServers[kept.Id] = virtualServers[kept.Id] with { Slots = kept.Table.Slots };
        }

        // They were retired before this sweep began: no packet is on its way through their tables any more.
        virtualServers.RemoveRange(_retired);
        foreach (ushort id in _retired)
            _virtualIds.Free(id);
        _retired.Clear();
        ushort[] over = [.. Current.RealServers.Where(pair => pair.Value.Flags.HasFlag(RealServerFlag.Gone)).Select(pair => pair.Key)
            .Where(id => !findings.IsReferred(id) && !_tables.Values.Any(kept => kept.Table.Names(id)))];
        foreach (ushort id in over)
            _realIds.Free(id);
        if (virtualServers.Count == Current.VirtualServers.Count && over.Length == 0 && virtualServers.All(pair => ReferenceEquals(Current.VirtualServers[pair.Key], pair.Value)))
            return Current;
        return Current = Current with { VirtualServers = virtualServers.ToImmutable(), RealServers = Current.RealServers.RemoveRange(over) };
    }

    /// <summary>Takes over what an earlier daemon left in the maps, so that what is configured the same keeps its numbers, slots and flows.</summary>
    /// <param name="left">As read from the maps. Becomes <see cref="Current"/>.</param>
    public void Adopt(PacketPlan left, TimeSpan now)
    {
        Current = left;
        Dictionary<ushort, ServiceKey> services = [];
        foreach ((ServiceKey key, ushort id) in left.Services.Where(pair => !pair.Key.IsEcho))
        {
            if (!left.VirtualServers.TryGetValue(id, out VirtualServerPlan? plan))
                continue;
            services[id] = key;
            Shape shape = Shape.Of(plan.Entry);
            _virtualIds.Adopt((key, shape), id);
            TimeSpan window = TimeSpan.FromSeconds(uint.Max(plan.Entry.TcpTimeout, plan.Entry.UdpTimeout));
            _tables[key] = new(shape, TransitionTable.Adopted(plan.Slots, window, now), id);
        }

        foreach (ushort id in left.VirtualServers.Keys.Where(id => !services.ContainsKey(id)))
        {
            _virtualIds.Reserve(id);
            _retired.Add(id);
        }

        foreach ((ushort id, RealServer entry) in left.RealServers)
        {
            _realIds.Reserve(id);
            if (services.TryGetValue(entry.VirtualServer, out ServiceKey service) && !entry.Flags.HasFlag(RealServerFlag.Gone))
                _realIds.Adopt(EntryForms.KeyOf(service, entry), id);
        }
    }

    private void Add(Draft draft, LiveVirtualServer virtualServer)
    {
        Core.Model.VirtualServer configured = virtualServer.Configured;
        ServiceKey service = EntryForms.ServiceOf(configured);
        Shape shape = ShapeOf(configured, service);
        VirtualServer entry = EntryForms.VirtualServer(configured, shape);
        bool isByTable = entry.Scheduler == Xdp.Scheduler.Table;
        if (configured.RealServers.Count > MostMembers && !isByTable)
        {
            _problems.Add($"{configured.Name} has {configured.RealServers.Count} real servers, the packet datapath takes at most {MostMembers} of one virtual server");
            return;
        }

        if (_virtualIds.Of((service, shape)) is not { } id || RealServers(draft, virtualServer, service, id) is not { } members)
        {
            _problems.Add($"{configured.Name} is not served: the packet datapath takes at most {VirtualServerCapacity - 1} virtual servers and {RealServerCapacity - 1} real servers in all");
            return;
        }

        _retired.Remove(id);
        ImmutableArray<ushort> listed = isByTable ? [.. members.Take(MostMembers)] : members; // whose table decides does not look at the list
        entry = entry with { Members = (uint)listed.Length, Sorry = Sorry(draft, virtualServer, service, id) };
        draft.VirtualServers[id] = new(entry, Slots(draft, virtualServer, service, shape, id, members, entry.Flags.HasFlag(VirtualServerFlag.Stateful)), listed, Prefixes.Of(configured.Packets));
        draft.Planned.Add(service);
        if (!draft.Roles.Listens(service.Address))
            return;
        draft.Services[service] = id;
        draft.Services.TryAdd(EntryForms.EchoOf(service), id);
    }

    // A table that was sized for the number of real servers keeps its size: another one would move every flow.
    private Shape ShapeOf(Core.Model.VirtualServer configured, ServiceKey service)
    {
        Shape shape = Shape.Of(configured);
        return configured.SchedulerFlags.TableSize is null && _tables.TryGetValue(service, out KeptTable? kept) && kept.Shape.Hash == shape.Hash
            ? shape with { Slots = kept.Shape.Slots }
            : shape;
    }

    private ImmutableArray<ushort>? RealServers(Draft draft, LiveVirtualServer virtualServer, ServiceKey service, ushort id)
    {
        ImmutableArray<ushort>.Builder members = ImmutableArray.CreateBuilder<ushort>(virtualServer.RealServers.Length);
        for (int i = 0; i < virtualServer.RealServers.Length; i++)
        {
            LiveRealServer live = virtualServer.RealServers[i];
            Core.Model.RealServer configured = virtualServer.Configured.RealServers[i];
            RealServer entry = EntryForms.RealServer(id, configured.Address, configured.Forwarding, configured.Thresholds, draft.Surroundings);
            if (_realIds.Of(EntryForms.KeyOf(service, entry)) is not { } realServer)
                return null;
            bool isUp = live.IsUp;
            draft.RealServers[realServer] = entry with { Weight = (uint)live.Weight, Flags = entry.Flags | (isUp ? RealServerFlag.Up : 0) };
            draft.Ids[live] = realServer;
            if (entry.Method is Method.Dr or Method.Ipip or Method.Gue or Method.Gre && configured.Address.AddressFamily == service.Address.AddressFamily && !service.IsAnyAddress)
                draft.ProbeTargets[realServer] = service.Address;
            members.Add(realServer);
        }

        return members.ToImmutable();
    }

    private ushort Sorry(Draft draft, LiveVirtualServer virtualServer, ServiceKey service, ushort id)
    {
        if (virtualServer.SorryServer is not { } sorry)
            return SlotTransition.Nobody;
        Forwarding forwarding = virtualServer.Configured.Forwarding;
        RealServer entry = EntryForms.RealServer(id, sorry.Address, forwarding, thresholds: null, draft.Surroundings);
        if (_realIds.Of(EntryForms.KeyOf(service, entry)) is not { } realServer)
            return SlotTransition.Nobody;
        draft.RealServers.TryAdd(realServer, entry with { Weight = 1, Flags = entry.Flags | RealServerFlag.Up });
        draft.Ids[sorry] = realServer;
        return realServer;
    }

    private ImmutableArray<Slot> Slots(Draft draft, LiveVirtualServer virtualServer, ServiceKey service, Shape shape, ushort id, ImmutableArray<ushort> members, bool isStateful)
    {
        ushort[] wanted = WantedSlots(virtualServer, service, shape, members);
        bool wasStateful = _tables.TryGetValue(service, out KeptTable? kept) && Current.VirtualServers[kept.Id].Entry.Flags.HasFlag(VirtualServerFlag.Stateful);
        if (kept is null || kept.Shape != shape)
            _tables[service] = kept = new(shape, TransitionTable.Fresh(wanted), id);
        else
            kept.Table.Change(wanted, draft.IsAlive, WindowOf(virtualServer.Configured), draft.Now);
        if (wasStateful && !isStateful)
            kept.Table.TrackRecorded(draft.Now);
        return kept.Table.Slots;
    }

    /// <summary>Who takes new flows in each slot.</summary>
    /// <remarks>
    /// A real server that is down counts as taken off the list (what keepalived does with IPVS): another takes its slots, and nobody else's move. One of
    /// weight 0 is as in IPVS: without the scheduler's fallback its clients find nobody. The table that counting schedulers fall back to always does.
    /// </remarks>
    private ushort[] WantedSlots(LiveVirtualServer virtualServer, ServiceKey service, Shape shape, ImmutableArray<ushort> members)
    {
        Core.Model.VirtualServer configured = virtualServer.Configured;
        bool findsNobody = configured.Scheduler is SchedulerKind.MaglevHash or SchedulerKind.SourceHash or SchedulerKind.DestinationHash && !configured.SchedulerFlags.Fallback;
        int[] homes = Homes(virtualServer, service, shape);
        int[] serving = HashTable.Resolve(homes, [.. virtualServer.RealServers.Select(r => r.TakesConnections)], fallsBack: true);
        ushort[] wanted = new ushort[serving.Length];
        for (int slot = 0; slot < wanted.Length; slot++)
        {
            bool isQuiesced = homes[slot] != HashTable.None && virtualServer.RealServers[homes[slot]] is { Weight: 0, IsUp: true };
            wanted[slot] = serving[slot] == HashTable.None || (findsNobody && isQuiesced) ? SlotTransition.Nobody : members[serving[slot]];
        }

        return wanted;
    }

    // Placing a large table takes milliseconds, and most changes are of health: who is placed where stays the same then.
    private int[] Homes(LiveVirtualServer virtualServer, ServiceKey service, Shape shape)
    {
        TableKind kind = HashTable.KindOf(virtualServer.Configured.Scheduler);
        ImmutableArray<TableMember> members = HashTable.MembersOf(kind, virtualServer.RealServers, [.. virtualServer.RealServers.Select(r => r.ConfiguredWeight)]);
        if (_placed.TryGetValue(service, out Placement? placed) && placed.Kind == kind && placed.Homes.Length == shape.Slots && placed.Members.SequenceEqual(members))
            return placed.Homes;
        int[] homes = HashTable.Place(kind, members.AsSpan(), shape.Slots);
        _placed[service] = new(kind, members, homes);
        return homes;
    }

    private static TimeSpan WindowOf(Core.Model.VirtualServer configured) => configured.Protocol switch
    {
        VirtualServerProtocol.Tcp or VirtualServerProtocol.Http => configured.Packets.FlowTimeouts.Established,
        VirtualServerProtocol.Udp => configured.Packets.FlowTimeouts.Udp,
    };

    // Who is not configured any more stays until the sweep says that nothing names it: a packet may just now be on its way through the old tables.
    private void KeepWhatIsNotOver(Draft draft)
    {
        foreach ((ushort id, VirtualServerPlan plan) in Current.VirtualServers.Where(pair => !draft.VirtualServers.ContainsKey(pair.Key)))
        {
            draft.VirtualServers[id] = plan;
            _retired.Add(id);
        }

        foreach ((ushort id, RealServer entry) in Current.RealServers.Where(pair => !draft.RealServers.ContainsKey(pair.Key)))
            draft.RealServers[id] = entry with { Weight = 0, Flags = (entry.Flags | RealServerFlag.Gone) & ~RealServerFlag.Up };
        foreach (ServiceKey service in _tables.Keys.Where(service => !draft.Planned.Contains(service)).ToList())
        {
            _tables.Remove(service);
            _placed.Remove(service);
        }
    }

    /// <param name="Id">Of the virtual server it belongs to.</param>
    private sealed record KeptTable(Shape Shape, TransitionTable Table, ushort Id);

    private sealed record Placement(TableKind Kind, ImmutableArray<TableMember> Members, int[] Homes);

    /// <summary>A plan in the making.</summary>
    private sealed class Draft(Surroundings surroundings, RoleSet roles, TimeSpan now)
    {
        public Surroundings Surroundings { get; } = surroundings;

        public RoleSet Roles { get; } = roles;

        public TimeSpan Now { get; } = now;

        public HashSet<ServiceKey> Planned { get; } = [];

        public Dictionary<ServiceKey, ushort> Services { get; } = [];

        public Dictionary<ushort, VirtualServerPlan> VirtualServers { get; } = [];

        public Dictionary<ushort, RealServer> RealServers { get; } = [];

        public Dictionary<ushort, IPAddress> ProbeTargets { get; } = [];

        public Dictionary<LiveRealServer, ushort> Ids { get; } = [];

        public bool IsAlive(ushort id) => RealServers.TryGetValue(id, out RealServer entry) && entry.Flags.HasFlag(RealServerFlag.Up);

        public PacketPlan ToPlan() => new()
        {
            Services = Services.ToImmutableDictionary(),
            VirtualServers = VirtualServers.ToImmutableDictionary(),
            RealServers = RealServers.ToImmutableDictionary(),
            ProbeTargets = ProbeTargets.ToImmutableDictionary(),
        };
    }
}
