using System.Net;
using System.Net.Sockets;
using Bascule.Kernel.Tests.Flows;
using Bascule.Packets.Plan;
using Bascule.Packets.Replication;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Replication;

/// <summary>A datapath, and what keeps it in step with another one.</summary>
internal sealed class Director : IDisposable
{
    private readonly Dictionary<IPAddress, VirtualLink> _links = [];

    /// <param name="farm">Its datapath. From now on it is this one's.</param>
    /// <param name="knowsLink">Whether it knows on which interface the virtual address is.</param>
    public Director(Farm farm, bool knowsLink = true)
    {
        Farm = farm;
        if (knowsLink)
            _links[IPAddress.Parse(farm.IsIpv6 ? Farm.Address6 : Farm.Address)] = new((uint)Datapath.LoopbackIndex, Mac.Parse(PacketBuilder.DirectorMac));
        Datapath datapath = farm.Datapath;
        ReplicaTables tables = new(
            datapath.Map<Tuple4, Flow>("flows4"), datapath.Map<Tuple6, Flow>("flows6"), datapath.Map<Client, Session>("sessions"),
            datapath.AnyMap("changed_flows"), datapath.AnyMap("changed_sessions"), datapath.Map<uint, ulong>("untold"),
            datapath.Program("take_flow"), datapath.Program("take_session"));
        ReplicaNames names = Names();
        Flows = new(tables, () => names, Now, Now());
        Clients = new(tables, () => names, Now);
    }

    public Farm Farm { get; }

    public FlowReplica Flows { get; }

    public ClientReplica Clients { get; }

    /// <summary>What changed here since the last call, as it goes to the other one.</summary>
    public List<byte[]> Changes()
    {
        List<byte[]> entries = [];
        Assert.True(Flows.TakeChanges(entry => entries.Add(entry.ToArray())));
        return entries;
    }

    /// <summary>Tells the other one everything.</summary>
    public void TellEverything(Director other)
    {
        Assert.All(Flows.Everything(), entry => Assert.True(other.Flows.Apply(entry.Span)));
        Assert.All(Clients.Everything(), entry => Assert.True(other.Clients.Apply(entry.Span)));
    }

    /// <summary>Tells the other one what changed.</summary>
    public void TellChanges(Director other)
    {
        Assert.True(Flows.TakeChanges(entry => Assert.True(other.Flows.Apply(entry.Span))));
        Assert.True(Clients.TakeChanges(entry => Assert.True(other.Clients.Apply(entry.Span))));
    }

    /// <summary>In one way or the other.</summary>
    public void Tell(Director other, bool everything)
    {
        if (everything)
            TellEverything(other);
        else
            TellChanges(other);
    }

    /// <summary>The datapath's time.</summary>
    public static Ticks Now() => new((uint)((ulong)(TimeProvider.System.GetElapsedTime(0).Ticks * 100) >> 20));

    public void Dispose()
    {
        Flows.Dispose();
        Clients.Dispose();
        Farm.Dispose();
    }

    private ReplicaNames Names()
    {
        ServiceKey service = new(IPAddress.Parse(Farm.IsIpv6 ? Farm.Address6 : Farm.Address), Farm.Port, (byte)Farm.Protocol);
        Dictionary<RealServerKey, KnownRealServer> realServers = [];
        foreach ((uint id, RealServer entry) in Farm.Datapath.Map<uint, RealServer>("real_servers").Entries().Where(pair => pair.Value.Flags.HasFlag(RealServerFlag.Valid)))
            realServers[new(service, entry.Address.ToAddress(entry.Family == 4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6), entry.Method == Method.Nat ? entry.Port.Value : 0, entry.Method)] = new((ushort)id, entry);
        return new(realServers, _links);
    }
}
