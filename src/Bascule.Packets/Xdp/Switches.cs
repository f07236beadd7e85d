using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Linux.Bpf;
using Bascule.Packets.Plan;

namespace Bascule.Packets.Xdp;

/// <summary>What bpf/switches.h is set to before a load: code that nobody's configuration needs is not in the program at all.</summary>
/// <param name="HasAnyPort">Some virtual server takes every port.</param>
/// <param name="HasAnyAddress">Some virtual server takes every address.</param>
/// <param name="HasNat">Some real server is, or was until a moment ago, reached by NAT.</param>
/// <param name="HasProbes">Some checks go through DR or a tunnel.</param>
/// <param name="HasGovernor">The flood governor is on.</param>
/// <param name="Tells">Another director is told of flows; the same for as long as the engine lives.</param>
internal readonly record struct Switches(bool HasAnyPort, bool HasAnyAddress, bool HasNat, bool HasProbes, bool HasGovernor, bool Tells)
{
    /// <summary>What a plan needs.</summary>
    public static Switches For(PacketPlan plan, PacketSettings settings)
    {
        IEnumerable<ServiceKey> services = plan.Services.Keys.Where(key => !key.IsEcho);
        return new(
            services.Any(key => key.Port == 0),
            services.Any(key => key.IsAnyAddress),
            plan.RealServers.Values.Any(realServer => realServer.Method == Method.Nat),
            plan.RealServers.Values.Any(realServer => realServer.Method is Method.Dr or Method.Ipip or Method.Gue or Method.Gre),
            settings.FloodNewFlowsPerSecond > 0,
            Tells: false);
    }

    /// <summary>What virtual servers need as configured, before there is a plan.</summary>
    public static Switches For(IEnumerable<LiveVirtualServer> virtualServers, PacketSettings settings)
    {
        Core.Model.VirtualServer[] configured = [.. virtualServers.Select(v => v.Configured)];
        Forwarding[] ways = [.. configured.SelectMany(v => v.RealServers.Select(r => r.Forwarding).Append(v.Forwarding))];
        return new(
            configured.Any(v => v.Addresses.Any(a => a.IsEveryPort)),
            configured.Any(v => v.Addresses.Any(a => a.IsEveryAddress)),
            ways.Any(way => way is NatForwarding),
            ways.Any(way => way is DirectRouting or TunnelForwarding),
            settings.FloodNewFlowsPerSecond > 0,
            Tells: false);
    }

    /// <summary>Whether a program with these switches does all that <paramref name="needed"/> asks for.</summary>
    public bool Cover(Switches needed) =>
        (HasAnyPort || !needed.HasAnyPort) && (HasAnyAddress || !needed.HasAnyAddress) && (HasNat || !needed.HasNat)
        && (HasProbes || !needed.HasProbes) && (HasGovernor || !needed.HasGovernor) && (Tells || !needed.Tells);

    /// <summary>What covers both.</summary>
    public Switches Or(Switches other) => new(
        HasAnyPort || other.HasAnyPort, HasAnyAddress || other.HasAnyAddress, HasNat || other.HasNat, HasProbes || other.HasProbes, HasGovernor || other.HasGovernor,
        Tells || other.Tells);

    /// <summary>Sets them in an object that is not loaded yet.</summary>
    public void SetIn(BpfObject datapath, FlowHashKey key, bool explaining)
    {
        datapath.SetConstant("explaining", explaining);
        datapath.SetConstant("has_any_port", HasAnyPort);
        datapath.SetConstant("has_any_address", HasAnyAddress);
        datapath.SetConstant("has_nat", HasNat);
        datapath.SetConstant("has_probes", HasProbes);
        datapath.SetConstant("has_governor", HasGovernor);
        datapath.SetConstant("tells", Tells && !explaining);
        datapath.SetConstant("sketch_cells", MapSizes.SketchCells);
        datapath.SetConstant("mark_cells", MapSizes.MarkCells);
        datapath.SetConstant("remembers_services", true); // plans are written so that an id stays good until the next timer tick
        datapath.SetConstant("hash_key", key);
    }
}
