using System.Net;
using Bascule.Core.Model;
using Bascule.Linux.Bpf;
using Bascule.Packets.Replication;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Engine;

/// <summary>What of the datapath's state the other director keeps as well. Made and told of plans on the engine's thread; the channel's thread asks.</summary>
internal sealed class Replicas : IDisposable
{
    private readonly ValueList<HaInstance> _instances;
    private readonly BpfProgram _takeFlow, _takeSession;
    private volatile ReplicaNames _names = ReplicaNames.None;

    /// <param name="instances">Whose addresses are on which interface.</param>
    /// <param name="maps">The datapath's.</param>
    /// <param name="datapath">The programs.</param>
    /// <param name="now">The datapath's time.</param>
    /// <param name="begun">When the tables began, empty; null: they are an earlier daemon's.</param>
    public Replicas(ValueList<HaInstance> instances, DatapathMaps maps, BpfObject datapath, Func<Ticks> now, Ticks? begun)
    {
        _instances = instances;
        _takeFlow = datapath.Program("take_flow");
        _takeSession = datapath.Program("take_session");
        ReplicaTables tables = new(
            maps.Flows4, maps.Flows6, maps.Sessions, maps.ChangedFlows, maps.ChangedSessions, maps.Untold, _takeFlow, _takeSession);
        Flows = new(tables, () => _names, now, begun);
        Clients = new(tables, () => _names, now);
    }

    /// <summary>Recorded flows.</summary>
    public FlowReplica Flows { get; }

    /// <summary>Clients that persistence remembers.</summary>
    public ClientReplica Clients { get; }

    /// <summary>Takes the numbers of the last plan.</summary>
    public void Follow(DatapathEngine engine)
    {
        Dictionary<IPAddress, VirtualLink> links = [];
        foreach (HaInstance instance in _instances)
        {
            foreach (VirtualAddress address in instance.Addresses)
            {
                if (engine.IndexOf(address.Interface ?? instance.Interface) is { } index)
                    links[address.Address] = new((uint)index, Mac.Of(engine.MacOf(index)));
            }
        }

        _names = ReplicaNames.Of(engine.Snapshot.OnDatapath, engine.Planner, links);
    }

    /// <summary>Ends it: what is asked from now on is answered with nothing.</summary>
    public void Dispose()
    {
        Flows.Dispose();
        Clients.Dispose();
        _takeFlow.Dispose();
        _takeSession.Dispose();
    }
}
