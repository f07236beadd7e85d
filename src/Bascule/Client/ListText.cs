using System.Globalization;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Client;

/// <summary>What <c>bascule list</c> shows of each real server.</summary>
internal enum ListView
{
    /// <summary>Weights and connections.</summary>
    Plain,

    /// <summary>What went through since the start.</summary>
    Stats,

    /// <summary>What goes through in a second.</summary>
    Rate,

    /// <summary>How many connections each may have.</summary>
    Thresholds,

    /// <summary>How many clients are remembered for each.</summary>
    Persistent,
}

/// <summary>Virtual and real servers as tables, in the manner of <c>ipvsadm -L -n</c>.</summary>
internal static class ListText
{
    /// <param name="sessions">For <see cref="ListView.Persistent"/>.</param>
    public static void Write(TextWriter to, IEnumerable<VirtualServerStatus> virtualServers, ListView view, IReadOnlyCollection<SessionCount> sessions)
    {
        Table table = new(view switch
        {
            ListView.Plain => ["  -> RemoteAddress:Port", "Forward", ">Weight", ">ActiveConn", ">InActConn", ""],
            ListView.Stats => ["  -> RemoteAddress:Port", ">Conns", ">InPkts", ">OutPkts", ">InBytes", ">OutBytes"],
            ListView.Rate => ["  -> RemoteAddress:Port", ">CPS", ">InPPS", ">OutPPS", ">InBPS", ">OutBPS"],
            ListView.Thresholds => ["  -> RemoteAddress:Port", ">Uthreshold", ">Lthreshold", ">ActiveConn", ">InActConn"],
            ListView.Persistent => ["  -> RemoteAddress:Port", ">Weight", ">PersistConn", ">ActiveConn", ">InActConn"],
        });
        to.WriteLine("Prot LocalAddress:Port Scheduler Flags");
        foreach (VirtualServerStatus virtualServer in virtualServers)
        {
            string line = $"{Protocol(virtualServer.Protocol),-4} {string.Join(",", virtualServer.Addresses)} {virtualServer.Scheduler}{Flags(virtualServer)}";
            if (view is ListView.Stats or ListView.Rate)
                table.Add([line, .. Numbers(view, virtualServer.Traffic, virtualServer.Rate)]);
            else
                table.Add(line);
            foreach (RealServerStatus realServer in virtualServer.RealServers)
                table.Add([$"  -> {realServer.Address}", .. Cells(realServer, virtualServer, view, sessions)]);
        }

        table.Write(to);
    }

    /// <summary><c>TCP</c></summary>
    public static string Protocol(VirtualServerProtocol protocol) => protocol switch
    {
        VirtualServerProtocol.Tcp => "TCP",
        VirtualServerProtocol.Http => "HTTP",
        VirtualServerProtocol.Udp => "UDP",
    };

    private static string[] Cells(RealServerStatus realServer, VirtualServerStatus virtualServer, ListView view, IReadOnlyCollection<SessionCount> sessions)
    {
        string active = Number(realServer.ActiveConnections);
        string inactive = Number(realServer.InactiveConnections);
        return view switch
        {
            ListView.Plain => [realServer.Forwarding, Number(realServer.Weight), active, inactive, State(realServer)],
            ListView.Stats or ListView.Rate => Numbers(view, realServer.Traffic, realServer.Rate),
            ListView.Thresholds => [Number(realServer.MaxConnections ?? 0), Number(realServer.ResumeConnections ?? 0), active, inactive],
            ListView.Persistent => [Number(realServer.Weight), Clients(realServer, virtualServer, sessions), active, inactive],
        };
    }

    // ipvsadm's columns, and behind them what IPVS has no word for.
    private static string State(RealServerStatus realServer) =>
        realServer.Administration is { State: not AdministrativeState.Enabled } said ? said.State.Word() : "";

    private static string Clients(RealServerStatus realServer, VirtualServerStatus virtualServer, IReadOnlyCollection<SessionCount> sessions) =>
        virtualServer.Persistence is null or { By: "cookie" } ? "-" : Number(sessions.Where(s => s.VirtualServer == virtualServer.Name && s.RealServer == realServer.Address).Sum(s => s.Clients));

    private static string[] Numbers(ListView view, TrafficCount? count, TrafficRate? rate) => view == ListView.Rate
        ? [Rate(rate?.Connections), Rate(rate?.Packets), Rate(rate?.ReplyPackets), Rate(rate?.Bytes), Rate(rate?.ReplyBytes)]
        : [Number(count?.Connections), Number(count?.Packets), Number(count?.ReplyPackets), Number(count?.Bytes), Number(count?.ReplyBytes)];

    private static string Flags(VirtualServerStatus virtualServer)
    {
        string scheduler = virtualServer.SchedulerFlags.IsEmpty ? "" : $" ({string.Join(",", virtualServer.SchedulerFlags)})";
        return $"{scheduler}{Persistent(virtualServer.Persistence)}{(virtualServer.OnePacket ? " ops" : "")}{Clients(virtualServer)}";
    }

    /// <summary><c> proxyProtocol from 10.0.0.0/8 send v2</c>, <c> transparent</c>; empty where nobody tells who clients are, nor is told.</summary>
    public static string Clients(VirtualServerStatus virtualServer)
    {
        string header = virtualServer.ProxyProtocol is not { } p ? ""
            : $" proxyProtocol{(p.From.IsEmpty ? "" : $" from {string.Join(",", p.From)}")}{(p.Send is { } version ? $" send {version}" : "")}";
        return $"{header}{(virtualServer.IsTransparent ? " transparent" : "")}";
    }

    /// <summary><c> persistent 300 mask 24</c>, <c> persistent by cookie BASCULE</c>; empty where the scheduler alone decides.</summary>
    public static string Persistent(PersistenceStatus? persistence)
    {
        if (persistence is not { } p)
            return "";
        string timeout = p.TimeoutSeconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $" {seconds}") : "";
        string mask = p.Mask4 is { } bits and not 32 ? string.Create(CultureInfo.InvariantCulture, $" mask {bits}") : "";
        string mask6 = p.Mask6 is { } bits6 and not 128 ? string.Create(CultureInfo.InvariantCulture, $" mask6 {bits6}") : "";
        return $" persistent{timeout}{mask}{mask6}{(p.Name is { } name ? $" by {p.By} {name}" : "")}";
    }

    // What nobody counts is a dash, not 0.
    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private static string Rate(double? rate) => rate?.ToString("0", CultureInfo.InvariantCulture) ?? "-";
}
