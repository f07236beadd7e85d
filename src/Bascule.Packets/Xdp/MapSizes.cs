using Bascule.Core.Model;
using Bascule.Packets.Plan;

namespace Bascule.Packets.Xdp;

/// <summary>How many entries each map gets; those not named here keep what bpf/maps.h says.</summary>
internal static class MapSizes
{
    /// <summary>Cells of one row of the sketch that bounds sources, a power of two.</summary>
    public const uint SketchCells = 16384;

    /// <summary>
    /// Cells of the marks by which the flood governor knows sources, a power of two. 48 marks each: a flood of a million made-up sources a second
    /// fills a sixth of them before the oldest count no more, so five of six of its SYNs are still told apart. 16 MiB a map, two maps.
    /// </summary>
    public const uint MarkCells = 1 << 20;

    private const uint SketchRows = 4;       // SKETCH_ROWS in bpf/types.h
    private const uint LeastHalfOpen = 8192;
    private const uint MostInterfaces = 4096; // a machine with containers has hundreds, and packets go out of one that is not among them to nobody

    // Bytes, a power of two. Between two looks of the channel's, 50 ms, so many flows and sessions may change: 47,000 and 26,000.
    private const uint ChangedFlows = 1 << 22;
    private const uint ChangedSessions = 1 << 20;

    /// <summary>By the maps' names.</summary>
    public static IReadOnlyDictionary<string, uint> For(PacketSettings settings)
    {
        uint flows = (uint)settings.Flows;
        // A handshake takes a fraction of a second where a connection lasts minutes; a flood evicts the oldest.
        uint halfOpen = uint.Max(flows / 8, LeastHalfOpen);
        return new Dictionary<string, uint>
        {
            ["services4"] = Planner.ServiceCapacity,
            ["services6"] = Planner.ServiceCapacity,
            ["virtual_servers"] = Planner.VirtualServerCapacity,
            ["tables"] = Planner.VirtualServerCapacity,
            ["members"] = Planner.VirtualServerCapacity,
            ["turns"] = Planner.VirtualServerCapacity,
            ["exceptions"] = Planner.VirtualServerCapacity,
            ["virtual_server_traffic"] = Planner.VirtualServerCapacity,
            ["new_flows"] = Planner.VirtualServerCapacity,
            ["real_servers"] = Planner.RealServerCapacity,
            ["loads"] = Planner.RealServerCapacity,
            ["references"] = Planner.RealServerCapacity,
            ["real_server_traffic"] = Planner.RealServerCapacity,
            ["probe_targets"] = Planner.RealServerCapacity,
            ["interfaces"] = MostInterfaces,
            ["flows4"] = flows,
            ["flows6"] = flows,
            ["replies4"] = flows,
            ["replies6"] = flows,
            ["half_open4"] = halfOpen,
            ["half_open6"] = halfOpen,
            ["half_open_replies4"] = halfOpen,
            ["half_open_replies6"] = halfOpen,
            ["sessions"] = halfOpen,
            ["half_open_sessions"] = LeastHalfOpen,
            ["localities"] = LeastHalfOpen,
            ["fragments"] = LeastHalfOpen,
            ["sketch"] = SketchRows * SketchCells,
            ["sources_known"] = MarkCells,
            ["sources_tried"] = MarkCells,
            ["changed_flows"] = ChangedFlows,
            ["changed_sessions"] = ChangedSessions,
        };
    }
}
