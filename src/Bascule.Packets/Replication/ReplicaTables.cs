using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Replication;

/// <summary>What replication needs of the datapath. bpf/maps.h says who writes and who reads.</summary>
/// <param name="Flows4">Flows of IPv4.</param>
/// <param name="Flows6">Flows of IPv6.</param>
/// <param name="Sessions">Persistence.</param>
/// <param name="ChangedFlows">The ring of changed flows.</param>
/// <param name="ChangedSessions">The ring of changed sessions.</param>
/// <param name="Untold">What found no room in them.</param>
/// <param name="TakeFlow">bpf/follow.h: take_flow.</param>
/// <param name="TakeSession">bpf/follow.h: take_session.</param>
internal sealed record ReplicaTables(
    BpfMap<Tuple4, Flow> Flows4, BpfMap<Tuple6, Flow> Flows6, BpfMap<Client, Session> Sessions, BpfMap ChangedFlows, BpfMap ChangedSessions,
    BpfMap<uint, ulong> Untold, BpfProgram TakeFlow, BpfProgram TakeSession);
