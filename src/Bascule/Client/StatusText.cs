using System.Globalization;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Client;

/// <summary>The status as a table, in the manner of <c>ipvsadm -L</c>.</summary>
internal sealed class StatusText(TextWriter to, bool colours)
{
    private const string AddressHeading = "RemoteAddress:Port";

    public void Write(DirectorStatus status)
    {
        to.WriteLine($"Bascule {status.Version}, process {status.ProcessId}, up {Age(status.Now - status.StartedAt)}, "
            + $"{Count(status.Workers, "worker")}, {status.ConfigurationFile} (snapshot {status.Snapshot})");
        int width = status.VirtualServers.SelectMany(v => v.RealServers).Select(r => r.Address.Length).Append(AddressHeading.Length).Max();
        to.WriteLine();
        to.WriteLine("Prot LocalAddress:Port Scheduler");
        to.WriteLine($"  -> {AddressHeading.PadRight(width)} Forward Weight ActiveConn InActConn State    Why");
        foreach (VirtualServerStatus virtualServer in status.VirtualServers)
            Write(virtualServer, width, status.Now);
        WriteOutcomes(status);
    }

    private void Write(VirtualServerStatus virtualServer, int width, DateTimeOffset now)
    {
        string protocol = virtualServer.Protocol switch { VirtualServerProtocol.Tcp => "TCP", VirtualServerProtocol.Http => "HTTP", VirtualServerProtocol.Udp => "UDP" };
        string requests = virtualServer.Protocol switch { VirtualServerProtocol.Tcp => "connection", VirtualServerProtocol.Http => "request", VirtualServerProtocol.Udp => "flow" };
        to.WriteLine($"{protocol,-4} {virtualServer.Address} {virtualServer.Scheduler}  "
            + $"{virtualServer.Name}: {virtualServer.OpenConnections} open, {Count(virtualServer.Requests, requests)} ended");
        foreach (RealServerStatus realServer in virtualServer.RealServers)
            Write(realServer, width, now);
    }

    private void Write(RealServerStatus realServer, int width, DateTimeOffset now)
    {
        (string name, string colour) = realServer.State switch
        {
            RealServerState.Up => ("up", "\e[32m"),
            RealServerState.Down => ("down", "\e[31m"),
            RealServerState.Quiesced => ("quiesced", "\e[33m"),
            RealServerState.Full => ("full", "\e[33m"),
            RealServerState.Sorry => ("sorry", "\e[33m"),
        };
        string state = colours ? $"{colour}{name,-8}\e[0m" : $"{name,-8}";
        to.WriteLine($"  -> {realServer.Address.PadRight(width)} {realServer.Forwarding,-7} {realServer.Weight,-6} "
            + $"{realServer.ActiveConnections,-10} {realServer.InactiveConnections,-9} {state} {Why(realServer, now)}");
    }

    /// <summary>The last check's answer, how long ago it came, and since when the real server is in its state.</summary>
    public static string Why(RealServerStatus realServer, DateTimeOffset now) => realServer switch
    {
        { Since: null } => "not checked",
        { LastCheck: null } => "waits for its first check",
        { LastCheck: var check, Since: { } since } => $"{check.Why}, {Age(now - check.At)} ago; since {Age(now - since)}",
    };

    private void WriteOutcomes(DirectorStatus status)
    {
        string[] totals =
        [
            .. status.VirtualServers.SelectMany(v => v.Outcomes)
                .GroupBy(o => o.Key, o => o.Value)
                .OrderBy(g => g.Key)
                .Select(g => $"{g.Key} {g.Sum()}"),
        ];
        if (totals.Length == 0)
            return;
        to.WriteLine();
        to.WriteLine($"Ended: {string.Join(", ", totals)}");
    }

    /// <summary>Its two largest units: <c>14s</c>, <c>3m 12s</c>, <c>2h 3m</c>, <c>5d 2h</c>.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => $"{int.Max(0, (int)age.TotalSeconds)}s",
        { TotalHours: < 1 } => $"{age.Minutes}m {age.Seconds}s",
        { TotalDays: < 1 } => $"{age.Hours}h {age.Minutes}m",
        _ => $"{age.Days}d {age.Hours}h",
    };

    private static string Count(long number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");
}
