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

    /// <summary>Entries of each map of services: every address with every port of its ranges, and each address once more for echo requests.</summary>
    public const int ServiceCapacity = 65_536;

    /// <summary>Most real servers of one virtual server that counts connections; a hash table has no such bound. MAX_MEMBERS in bpf/types.h.</summary>
    public const int MostMembers = 512;

    private readonly OwnerBook _owners = new();
    private readonly IdBook<(int Owner, Shape)> _virtualIds = new(VirtualServerCapacity);
    private readonly IdBook<(int Owner, IPAddress, int Port, Method)> _realIds = new(RealServerCapacity);
    private readonly Dictionary<int, KeptTable> _tables = []; // by owner, as the next
    private readonly Dictionary<int, Placement> _placed = [];
    private readonly HashSet<ushort> _retired = [];                    // virtual servers that the sweep has yet to let go of
    private readonly List<string> _problems = [];

    /// <summary>The last plan.</summary>
    public PacketPlan Current { get; private set; } = PacketPlan.Empty;

    /// <summary>What could not be planned: too many of something. Sentences.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The numbers of the real servers in the last plan, sorry servers included.</summary>
    public ImmutableDictionary<LiveRealServer, ushort> Ids { get; private set; } = ImmutableDictionary<LiveRealServer, ushort>.Empty;

    /// <summary>Who has the key, see <see cref="OwnerBook"/>; null: no virtual server of the last plan.</summary>
    public int? OwnerOf(ServiceKey service) => _owners.Find(service) is { } owner && _tables.ContainsKey(owner) ? owner : null;

    /// <summary>Whether the owner is a virtual server of the last plan.</summary>
    public bool IsPlanned(int owner) => _tables.ContainsKey(owner);

    /// <summary>The number of a virtual server in the last plan, whether or not its addresses are ours; null: it has none.</summary>
    public ushort? IdOf(ServiceKey service) => OwnerOf(service) is { } owner ? _tables[owner].Id : null;

    /// <summary>How many slots of a virtual server's table record or look up flows.</summary>
    public int Unsettled(ServiceKey service) => OwnerOf(service) is { } owner ? _tables[owner].Table.Unsettled : 0;

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
        LiveVirtualServer[] all = [.. virtualServers];
        Dictionary<string, ServiceKey[]> services = all.ToDictionary(v => v.Configured.Name, v => EntryForms.ServicesOf(v.Configured).ToArray());
        Dictionary<string, int> owners = _owners.Of(services);
        foreach (LiveVirtualServer virtualServer in all)
            Add(draft, virtualServer, services[virtualServer.Configured.Name], owners[virtualServer.Configured.Name]);
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
        if (_retired.Count > 0)
        {
            HashSet<int> named = [.. _tables.Keys, .. _virtualIds.Bearers.Select(bearer => bearer.Owner)];
            _owners.Keep(named.Contains);
        }

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
        Dictionary<ushort, int> owners = [];
        foreach (IGrouping<ushort, ServiceKey> services in left.Services.Where(pair => !pair.Key.IsEcho).GroupBy(pair => pair.Value, pair => pair.Key))
        {
            ushort id = services.Key;
            if (!left.VirtualServers.TryGetValue(id, out VirtualServerPlan? plan))
                continue;
            int owner = owners[id] = _owners.Adopt(services);
            Shape shape = Shape.Of(plan.Entry);
            _virtualIds.Adopt((owner, shape), id);
            TimeSpan window = TimeSpan.FromSeconds(uint.Max(plan.Entry.TcpTimeout, plan.Entry.UdpTimeout));
            _tables[owner] = new(shape, TransitionTable.Adopted(plan.Slots, window, now), id);
        }

        foreach (ushort id in left.VirtualServers.Keys.Where(id => !owners.ContainsKey(id)))
        {
            _virtualIds.Reserve(id);
            _retired.Add(id);
        }

        foreach ((ushort id, RealServer entry) in left.RealServers)
        {
            _realIds.Reserve(id);
            if (owners.TryGetValue(entry.VirtualServer, out int owner) && !entry.Flags.HasFlag(RealServerFlag.Gone))
                _realIds.Adopt(KeyOf(owner, entry), id);
        }
    }

    private void Add(Draft draft, LiveVirtualServer virtualServer, ServiceKey[] services, int owner)
    {
        Core.Model.VirtualServer configured = virtualServer.Configured;
        Shape shape = ShapeOf(configured, owner);
        VirtualServer entry = EntryForms.VirtualServer(configured, shape);
        bool isByTable = entry.Scheduler == Xdp.Scheduler.Table;
        if (configured.RealServers.Count > MostMembers && !isByTable)
        {
            _problems.Add($"{configured.Name} has {configured.RealServers.Count} real servers, the packet datapath takes at most {MostMembers} of one virtual server");
            return;
        }

        if (draft.ServiceCount + services.Length + configured.Addresses.Count > ServiceCapacity)
        {
            _problems.Add($"{configured.Name} is not served: the packet datapath takes at most {ServiceCapacity} addresses with ports in all");
            return;
        }

        if (_virtualIds.Of((owner, shape)) is not { } id || RealServers(draft, virtualServer, owner, id) is not { } members)
        {
            _problems.Add($"{configured.Name} is not served: the packet datapath takes at most {VirtualServerCapacity - 1} virtual servers and {RealServerCapacity - 1} real servers in all");
            return;
        }

        _retired.Remove(id);
        Func<LiveRealServer, bool> serves = TierOf(virtualServer);
        ImmutableArray<ushort> serving = [.. members.Where((_, i) => serves(virtualServer.RealServers[i]))];
        ImmutableArray<ushort> listed = isByTable ? [.. serving.Take(MostMembers)] : serving; // whose table decides does not look at the list
        entry = entry with { Members = (uint)listed.Length, Sorry = Sorry(draft, virtualServer, owner, id) };
        draft.VirtualServers[id] = new(entry, Slots(draft, virtualServer, owner, shape, id, members, entry.Flags.HasFlag(VirtualServerFlag.Stateful)), listed, Prefixes.Of(configured.Packets));
        draft.Planned.Add(owner);
        draft.ServiceCount += services.Length + configured.Addresses.Count;
        foreach (ServiceKey service in services.Where(s => draft.Roles.Listens(s.Address)))
        {
            draft.Services[service] = id;
            draft.Services.TryAdd(EntryForms.EchoOf(service), id);
        }
    }

    private static (int, IPAddress, int, Method) KeyOf(int owner, RealServer entry) => (owner, EntryForms.AddressOf(entry), EntryForms.PortOf(entry), entry.Method);

    // A table that was sized for the number of real servers keeps its size: another one would move every flow.
    private Shape ShapeOf(Core.Model.VirtualServer configured, int owner)
    {
        Shape shape = Shape.Of(configured);
        return configured.SchedulerFlags.TableSize is null && _tables.TryGetValue(owner, out KeptTable? kept) && kept.Shape.Hash == shape.Hash
            ? shape with { Slots = kept.Shape.Slots }
            : shape;
    }

    private ImmutableArray<ushort>? RealServers(Draft draft, LiveVirtualServer virtualServer, int owner, ushort id)
    {
        ImmutableArray<ushort>.Builder members = ImmutableArray.CreateBuilder<ushort>(virtualServer.RealServers.Length);
        Func<LiveRealServer, bool> serves = TierOf(virtualServer);
        for (int i = 0; i < virtualServer.RealServers.Length; i++)
        {
            LiveRealServer live = virtualServer.RealServers[i];
            Core.Model.RealServer configured = virtualServer.Configured.RealServers[i];
            RealServer entry = EntryForms.RealServer(id, configured.Address, configured.Forwarding, configured.Thresholds, draft.Surroundings);
            if (_realIds.Of(KeyOf(owner, entry)) is not { } realServer)
                return null;
            draft.RealServers[realServer] = entry with { Weight = (uint)(serves(live) ? live.Weight : 0), Flags = entry.Flags | FlagsOf(live) };
            draft.Ids[live] = realServer;
            ListenAddress? probed = virtualServer.Configured.Addresses.FirstOrDefault(a => a.Family == configured.Address.AddressFamily && !a.IsEveryAddress);
            if (entry.Method is Method.Dr or Method.Ipip or Method.Gue or Method.Gre && probed is not null)
                draft.ProbeTargets[realServer] = probed.Ip;
            members.Add(realServer);
        }

        return members.ToImmutable();
    }

    // What is open to one in maintenance goes on as long as its check passes.
    private static RealServerFlag FlagsOf(LiveRealServer live) =>
        live.EffectiveState == AdministrativeState.Maintenance ? RealServerFlag.Maintenance | (live.KeepsConnections ? RealServerFlag.Up : 0)
        : live.IsUp ? RealServerFlag.Up : RealServerFlag.None;

    private ushort Sorry(Draft draft, LiveVirtualServer virtualServer, int owner, ushort id)
    {
        if (virtualServer.SorryServer is not { } sorry)
            return SlotTransition.Nobody;
        Forwarding forwarding = virtualServer.Configured.Forwarding;
        RealServer entry = EntryForms.RealServer(id, sorry.Address, forwarding, thresholds: null, draft.Surroundings);
        if (_realIds.Of(KeyOf(owner, entry)) is not { } realServer)
            return SlotTransition.Nobody;
        draft.RealServers.TryAdd(realServer, entry with { Weight = 1, Flags = entry.Flags | RealServerFlag.Up });
        draft.Ids[sorry] = realServer;
        return realServer;
    }

    private ImmutableArray<Slot> Slots(Draft draft, LiveVirtualServer virtualServer, int owner, Shape shape, ushort id, ImmutableArray<ushort> members, bool isStateful)
    {
        ushort[] wanted = WantedSlots(virtualServer, owner, shape, members);
        bool wasStateful = _tables.TryGetValue(owner, out KeptTable? kept) && Current.VirtualServers[kept.Id].Entry.Flags.HasFlag(VirtualServerFlag.Stateful);
        if (kept is null || kept.Shape != shape)
            _tables[owner] = kept = new(shape, TransitionTable.Fresh(wanted), id);
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
    private ushort[] WantedSlots(LiveVirtualServer virtualServer, int owner, Shape shape, ImmutableArray<ushort> members)
    {
        Core.Model.VirtualServer configured = virtualServer.Configured;
        bool findsNobody = configured.Scheduler is SchedulerKind.MaglevHash or SchedulerKind.SourceHash or SchedulerKind.DestinationHash && !configured.SchedulerFlags.Fallback;
        int[] homes = Homes(virtualServer, owner, shape);
        Func<LiveRealServer, bool> serves = TierOf(virtualServer);
        int[] serving = HashTable.Resolve(homes, [.. virtualServer.RealServers.Select(r => r.TakesConnections && serves(r))], fallsBack: true);
        ushort[] wanted = new ushort[serving.Length];
        for (int slot = 0; slot < wanted.Length; slot++)
        {
            bool isQuiesced = homes[slot] != HashTable.None && virtualServer.RealServers[homes[slot]] is { Weight: 0, IsUp: true };
            wanted[slot] = serving[slot] == HashTable.None || (findsNobody && isQuiesced) ? SlotTransition.Nobody : members[serving[slot]];
        }

        return wanted;
    }

    /// <summary>Who gets new flows: the real servers, or the fallback servers while none of those can. Nobody but a sorry server where no quorum holds them back.</summary>
    private static Func<LiveRealServer, bool> TierOf(LiveVirtualServer virtualServer) => virtualServer.Standing.Serving switch
    {
        Serving.Main or Serving.Nobody => live => !live.IsFallback,
        Serving.Fallback => live => live.IsFallback,
        Serving.Everybody => _ => true,
        Serving.Sorry => live => !live.IsFallback && !live.IsStandby,
    };

    // Placing a large table takes milliseconds, and most changes are of health: who is placed where stays the same then.
    private int[] Homes(LiveVirtualServer virtualServer, int owner, Shape shape)
    {
        TableKind kind = HashTable.KindOf(virtualServer.Configured.Scheduler);
        ImmutableArray<TableMember> members = HashTable.MembersOf(kind, virtualServer.RealServers, [.. virtualServer.RealServers.Select(r => r.ConfiguredWeight)]);
        if (_placed.TryGetValue(owner, out Placement? placed) && placed.Kind == kind && placed.Homes.Length == shape.Slots && placed.Members.SequenceEqual(members))
            return placed.Homes;
        int[] homes = HashTable.Place(kind, members.AsSpan(), shape.Slots);
        _placed[owner] = new(kind, members, homes);
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
        foreach (int owner in _tables.Keys.Where(owner => !draft.Planned.Contains(owner)).ToList())
        {
            _tables.Remove(owner);
            _placed.Remove(owner);
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

        /// <summary>Owners.</summary>
        public HashSet<int> Planned { get; } = [];

        /// <summary>Entries that services would take if every address were ours.</summary>
        public int ServiceCount { get; set; }

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
