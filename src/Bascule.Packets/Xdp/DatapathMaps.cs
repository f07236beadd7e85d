using Bascule.Linux.Bpf;

namespace Bascule.Packets.Xdp;

/// <summary>The pinned maps that user space reads or writes; who does what is said in bpf/maps.h.</summary>
internal sealed class DatapathMaps : IDisposable
{
    private readonly List<IDisposable> _open = [];

    /// <summary>Opens them all.</summary>
    /// <exception cref="BpfException">One is laid out otherwise.</exception>
    public DatapathMaps(StateFolder folder)
    {
        Services4 = Open<Service4, uint>(folder, "services4");
        Services6 = Open<Service6, uint>(folder, "services6");
        VirtualServers = Open<uint, VirtualServer>(folder, "virtual_servers");
        RealServers = Open<uint, RealServer>(folder, "real_servers");
        Tables = Open<uint, uint>(folder, "tables");
        Members = Open<uint, uint>(folder, "members");
        Prefixes4 = Open<Prefix4, uint>(folder, "prefixes4");
        Prefixes6 = Open<Prefix6, uint>(folder, "prefixes6");
        ProbeTargets = Open<uint, Address>(folder, "probe_targets");
        Interfaces = Open<uint, uint>(folder, "interfaces");
        Runtime = Open<uint, Runtime>(folder, "runtime");
        Loads = Open<uint, Load>(folder, "loads");
        Flows4 = Open<Tuple4, Flow>(folder, "flows4");
        Flows6 = Open<Tuple6, Flow>(folder, "flows6");
        HalfOpen4 = Open<Tuple4, Flow>(folder, "half_open4");
        HalfOpen6 = Open<Tuple6, Flow>(folder, "half_open6");
        Sessions = Open<Client, Session>(folder, "sessions");
        Swept = Open<uint, Sweep>(folder, "swept");
        References = Open<uint, References>(folder, "references");
        VirtualServerTraffic = OpenPerProcessor<uint, Traffic>(folder, "virtual_server_traffic");
        RealServerTraffic = OpenPerProcessor<uint, Traffic>(folder, "real_server_traffic");
        Drops = OpenPerProcessor<uint, ulong>(folder, "drops");
        Explanations = OpenPerProcessor<uint, Explanation>(folder, "explanations");
        Untold = Open<uint, ulong>(folder, "untold");
        ChangedFlows = Keep(BpfMap.OpenPinned(folder.Map("changed_flows")));
        ChangedSessions = Keep(BpfMap.OpenPinned(folder.Map("changed_sessions")));
        Captured = Keep(BpfMap.OpenPinned(folder.Map("captured")));
    }

    public BpfMap<Service4, uint> Services4 { get; }

    public BpfMap<Service6, uint> Services6 { get; }

    public BpfMap<uint, VirtualServer> VirtualServers { get; }

    public BpfMap<uint, RealServer> RealServers { get; }

    /// <summary>Inner maps of <see cref="Slot"/>.</summary>
    public BpfMap<uint, uint> Tables { get; }

    /// <summary>Inner maps of real server ids.</summary>
    public BpfMap<uint, uint> Members { get; }

    public BpfMap<Prefix4, uint> Prefixes4 { get; }

    public BpfMap<Prefix6, uint> Prefixes6 { get; }

    public BpfMap<uint, Address> ProbeTargets { get; }

    public BpfMap<uint, uint> Interfaces { get; }

    public BpfMap<uint, Runtime> Runtime { get; }

    public BpfMap<uint, Load> Loads { get; }

    public BpfMap<Tuple4, Flow> Flows4 { get; }

    public BpfMap<Tuple6, Flow> Flows6 { get; }

    public BpfMap<Tuple4, Flow> HalfOpen4 { get; }

    public BpfMap<Tuple6, Flow> HalfOpen6 { get; }

    public BpfMap<Client, Session> Sessions { get; }

    public BpfMap<uint, Sweep> Swept { get; }

    public BpfMap<uint, References> References { get; }

    public PerProcessorMap<uint, Traffic> VirtualServerTraffic { get; }

    public PerProcessorMap<uint, Traffic> RealServerTraffic { get; }

    public PerProcessorMap<uint, ulong> Drops { get; }

    public PerProcessorMap<uint, Explanation> Explanations { get; }

    /// <summary>By <c>enum untold</c>: changes that the rings had no room for.</summary>
    public BpfMap<uint, ulong> Untold { get; }

    public BpfMap ChangedFlows { get; }

    public BpfMap ChangedSessions { get; }

    public BpfMap Captured { get; }

    public void Dispose() => _open.ForEach(map => map.Dispose());

    private BpfMap<TKey, TValue> Open<TKey, TValue>(StateFolder folder, string name)
        where TKey : unmanaged
        where TValue : unmanaged => Keep(BpfMap.OpenPinned<TKey, TValue>(folder.Map(name)));

    private PerProcessorMap<TKey, TValue> OpenPerProcessor<TKey, TValue>(StateFolder folder, string name)
        where TKey : unmanaged
        where TValue : unmanaged => Keep(BpfMap.OpenPinnedPerProcessor<TKey, TValue>(folder.Map(name)));

    private T Keep<T>(T map)
        where T : IDisposable
    {
        _open.Add(map);
        return map;
    }
}
