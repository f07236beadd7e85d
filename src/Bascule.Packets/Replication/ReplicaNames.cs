using System.Collections.Frozen;
using System.Net;
using Bascule.Core.Model;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;
using RealServer = Bascule.Packets.Xdp.RealServer;

namespace Bascule.Packets.Replication;

/// <summary>A real server of ours.</summary>
/// <param name="Id">Its number here.</param>
/// <param name="Entry">Its entry here.</param>
internal readonly record struct KnownRealServer(ushort Id, RealServer Entry);

/// <summary>The interface that a virtual address is on.</summary>
/// <param name="Index">The kernel's number.</param>
/// <param name="Mac">Its own.</param>
internal readonly record struct VirtualLink(uint Index, Mac Mac);

/// <summary>Which numbers stand here for what both directors know by the same name. Immutable.</summary>
internal sealed class ReplicaNames
{
    private readonly FrozenDictionary<ushort, RealServerKey> _keys;
    private readonly FrozenDictionary<RealServerKey, KnownRealServer> _realServers;
    private readonly FrozenDictionary<IPAddress, VirtualLink> _links;
    private readonly FrozenDictionary<ServiceKey, ServiceKey> _firsts;

    /// <param name="realServers">Who has which number, named by the first key of its virtual server.</param>
    /// <param name="links">By virtual address.</param>
    /// <param name="firsts">Of virtual servers with several keys, the first, by each of them; null: there are none.</param>
    public ReplicaNames(
        IReadOnlyDictionary<RealServerKey, KnownRealServer> realServers, IReadOnlyDictionary<IPAddress, VirtualLink> links, IReadOnlyDictionary<ServiceKey, ServiceKey>? firsts = null)
    {
        _realServers = realServers.ToFrozenDictionary();
        _keys = realServers.ToFrozenDictionary(pair => pair.Value.Id, pair => pair.Key);
        _links = links.ToFrozenDictionary();
        _firsts = firsts?.ToFrozenDictionary() ?? FrozenDictionary<ServiceKey, ServiceKey>.Empty;
    }

    /// <summary>Nobody is known.</summary>
    public static ReplicaNames None { get; } = new(FrozenDictionary<RealServerKey, KnownRealServer>.Empty, FrozenDictionary<IPAddress, VirtualLink>.Empty);

    /// <summary>From what is configured, whether or not its address is ours at the moment. One that is off the list takes no flow with it anywhere.</summary>
    public static ReplicaNames Of(IEnumerable<LiveVirtualServer> virtualServers, Planner planner, IReadOnlyDictionary<IPAddress, VirtualLink> links)
    {
        Dictionary<RealServerKey, KnownRealServer> realServers = [];
        Dictionary<ServiceKey, ServiceKey> firsts = [];
        foreach (LiveVirtualServer virtualServer in virtualServers)
        {
            ServiceKey service = EntryForms.ServiceOf(virtualServer.Configured);
            ServiceKey[] all = [.. EntryForms.ServicesOf(virtualServer.Configured)];
            foreach (ServiceKey one in all.Length > 1 ? all : [])
                firsts[one] = service;
            foreach (LiveRealServer live in virtualServer.RealServers.Append(virtualServer.SorryServer).OfType<LiveRealServer>())
            {
                if (planner.Ids.TryGetValue(live, out ushort id) && planner.Current.RealServers.TryGetValue(id, out RealServer entry))
                    realServers.TryAdd(EntryForms.KeyOf(service, entry), new(id, entry));
            }
        }

        return new(realServers, links, firsts);
    }

    /// <summary>Who bears the number; null: nobody that the other director could know.</summary>
    public RealServerKey? KeyOf(ushort realServer) => _keys.TryGetValue(realServer, out RealServerKey key) ? key : null;

    /// <summary>Its number and entry here, by whichever of its virtual server's keys; null: there is none.</summary>
    public KnownRealServer? Find(RealServerKey key) =>
        _realServers.TryGetValue(_firsts.TryGetValue(key.Service, out ServiceKey first) ? key with { Service = first } : key, out KnownRealServer found) ? found : null;

    /// <summary>By which of its keys a virtual server was found for this destination: the narrowest, as bpf/service.h looks.</summary>
    /// <param name="first">The first of its keys; the only one, where it has no other.</param>
    public ServiceKey KeyFor(IPAddress destination, int port, ServiceKey first)
    {
        if (!_firsts.ContainsKey(first))
            return first;
        ServiceKey exact = new(destination, port, first.Protocol);
        return _firsts.ContainsKey(exact) ? exact : _firsts.ContainsKey(exact with { Port = 0 }) ? exact with { Port = 0 } : exact with { Address = exact.IsIpv4 ? IPAddress.Any : IPAddress.IPv6Any };
    }

    /// <summary>Where the virtual address is; null: no instance has it.</summary>
    public VirtualLink? LinkOf(IPAddress virtualAddress) => _links.TryGetValue(virtualAddress, out VirtualLink link) ? link : null;
}
