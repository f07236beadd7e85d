using System.Globalization;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Client;

/// <summary>The status as a table, in the manner of <c>ipvsadm -L</c>.</summary>
internal sealed class StatusText(TextWriter to, bool colours)
{
    private const string AddressHeading = "RemoteAddress:Port";
    private const string ForwardHeading = "Forward";

    private int _forwardWidth;
    private int _stateWidth;

    public void Write(DirectorStatus status)
    {
        to.WriteLine($"Bascule {status.Version}, process {status.ProcessId}, up {Age(status.Now - status.StartedAt)}, "
            + $"{Count(status.Workers, "worker")}, {status.ConfigurationFile} (snapshot {status.Snapshot})");
        if (status.Roles is { IsEmpty: false } roles)
            to.WriteLine($"Failover: {string.Join(", ", roles.Select(r => $"{r.Role} for {r.Instance}"))} (bascule ha says more)");
        foreach (UnsavedChange change in status.Unsaved)
            to.WriteLine($"Not in the file: {change.Words} (by {change.By}, {Age(status.Now - change.At)} ago; `bascule save` keeps it, the next reload drops it)");
        WriteDatapath(status);
        int width = status.VirtualServers.SelectMany(v => v.RealServers).Select(r => r.Address.Length).Append(AddressHeading.Length).Max();
        to.WriteLine();
        to.WriteLine("Prot LocalAddress:Port Scheduler");
        _stateWidth = status.VirtualServers.SelectMany(v => v.RealServers).Select(r => r.State.ToString().Length).Append(nameof(RealServerState.Quiesced).Length).Max();
        _forwardWidth = status.VirtualServers.SelectMany(v => v.RealServers).Select(r => r.Forwarding.Length).Append(ForwardHeading.Length).Max();
        to.WriteLine($"  -> {AddressHeading.PadRight(width)} {ForwardHeading.PadRight(_forwardWidth)} Weight ActiveConn InActConn {"State".PadRight(_stateWidth)} Why");
        foreach (VirtualServerStatus virtualServer in status.VirtualServers)
            Write(virtualServer, width, status.Now);
        WriteOutcomes(status);
    }

    private void Write(VirtualServerStatus virtualServer, int width, DateTimeOffset now)
    {
        string work = virtualServer.Forwarding == "proxy"
            ? $"{virtualServer.OpenConnections} open, {Count(virtualServer.Requests, Ended(virtualServer.Protocol))} ended"
            : OnDatapath(virtualServer);
        to.WriteLine($"{ListText.Protocol(virtualServer.Protocol),-4} {string.Join(",", virtualServer.Addresses)} {virtualServer.Scheduler}{ListText.Persistent(virtualServer.Persistence)}{ListText.Clients(virtualServer)}  {virtualServer.Name}: {Wanted(virtualServer.Administration, now)}{Quorum(virtualServer.Quorum)}{work}");
        foreach (RealServerStatus realServer in virtualServer.RealServers)
            Write(realServer, width, now);
    }

    private void Write(RealServerStatus realServer, int width, DateTimeOffset now)
    {
        (string name, string colour) = realServer.State switch
        {
            RealServerState.Up => ("up", "\e[32m"),
            RealServerState.Down => ("down", "\e[31m"),
            RealServerState.Maintenance => ("maintenance", "\e[33m"),
            RealServerState.Ejected => ("ejected", "\e[31m"),
            RealServerState.Drain => ("drain", "\e[33m"),
            RealServerState.Quiesced => ("quiesced", "\e[33m"),
            RealServerState.Full => ("full", "\e[33m"),
            RealServerState.Standby => ("standby", "\e[33m"),
            RealServerState.Sorry => ("sorry", "\e[33m"),
        };
        string state = colours ? $"{colour}{name.PadRight(_stateWidth)}\e[0m" : $"{name.PadRight(_stateWidth)}";
        to.WriteLine($"  -> {realServer.Address.PadRight(width)} {realServer.Forwarding.PadRight(_forwardWidth)} {realServer.Weight,-6} "
            + $"{realServer.ActiveConnections,-10} {realServer.InactiveConnections,-9} {state} {Said(realServer.Administration, now)}{(realServer.Trouble is { } trouble ? $"{trouble}; " : "")}{Advised(realServer)}{(realServer.Share < 100 ? $"starts slowly, {realServer.Share} % of its weight; " : "")}{Why(realServer, now)}");
    }

    /// <summary>What its check makes of its weight, which shows rounded; empty where it makes nothing of it.</summary>
    private static string Advised(RealServerStatus realServer) => realServer switch
    {
        { AdvisedPercent: null or 100 } => "",
        { LastCheck.Load: { } load } => string.Create(CultureInfo.InvariantCulture, $"{realServer.AdvisedPercent} % of its weight by its load of {load}; "),
        _ => $"{realServer.AdvisedPercent} % of its weight by its check; ",
    };

    /// <summary>How much is alive of how much must be.</summary>
    private static string Quorum(QuorumStatus? quorum) => quorum switch
    {
        null => "",
        { Has: null } => $"quorum {quorum.LiveWeight}/{quorum.Up} so far; ",
        { Has: true } => $"quorum {quorum.LiveWeight}/{quorum.Up}; ",
        { Has: false } => $"quorum {quorum.LiveWeight}/{quorum.Up}, lost; ",
    };

    private static string Wanted(AdministrationStatus? administration, DateTimeOffset now) => administration switch
    {
        null or { State: AdministrativeState.Enabled } => "",
        _ => $"{administration.State.Word()} {Said(administration, now)}",
    };

    /// <summary>Who wants it, since when and why, with what divides it from what follows; empty where nobody wants anything but that it works.</summary>
    private static string Said(AdministrationStatus? administration, DateTimeOffset now) => administration switch
    {
        null or { State: AdministrativeState.Enabled } => "",
        { Source: AdministrationSource.File } => $"by the file{OfWhole(administration)}; ",
        { Source: AdministrationSource.Check } => "by its own wish; ",
        { Source: AdministrationSource.Command } =>
            $"by {administration.By}{OfWhole(administration)}, {Age(now - (administration.At ?? now))} ago{(administration.Why is { } why ? $": {why}" : "")}; ",
    };

    private static string OfWhole(AdministrationStatus administration) => administration.OfVirtualServer ? " for the whole virtual server" : "";

    private static string Ended(VirtualServerProtocol protocol) => protocol switch
    {
        VirtualServerProtocol.Tcp => "connection",
        VirtualServerProtocol.Http => "request",
        VirtualServerProtocol.Udp => "session",
    };

    private static string OnDatapath(VirtualServerStatus virtualServer)
    {
        if (virtualServer.Traffic is not { } traffic)
            return "the packet datapath does not run";
        string sofar = $"{virtualServer.OpenConnections} active, {Count(traffic.Connections, virtualServer.Protocol == VirtualServerProtocol.Udp ? "flow" : "connection")}, "
            + $"{Count(traffic.Packets ?? 0, "packet")}, {Bytes(traffic.Bytes)} so far";
        return virtualServer.Rate is { Packets: { } packets } rate
            ? string.Create(CultureInfo.InvariantCulture, $"{sofar}; now {packets:0} packets, {rate.Connections:0} new and {Bytes(rate.Bytes)} a second")
            : sofar;
    }

    private void WriteDatapath(DirectorStatus status)
    {
        if (status.Packets is not { } packets)
            return;
        foreach (InterfaceStatus each in packets.Interfaces)
            to.WriteLine($"Datapath on {each.Name}: {(each.Attached is { } mode ? Attached(mode) : "not attached")} ({each.Why})");
        to.WriteLine($"Flows recorded: {packets.Flows} (at most {packets.FlowsAtMost} of each address family)");
        foreach ((DropReason reason, long count) in packets.Drops)
            to.WriteLine($"Dropped {Count(count, "packet")}: {PacketWords.Of(reason)}");
    }

    private static string Attached(AttachMode mode) => mode switch
    {
        AttachMode.Native => "native XDP",
        AttachMode.Generic => "generic XDP",
        AttachMode.Tcx => "tcx",
        AttachMode.Auto => "attached",
    };

    /// <summary><c>512 B</c>, <c>1.5 kB</c>, <c>20.3 GB</c>: thousands, as links are measured.</summary>
    public static string Bytes(double bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        int unit = 0;
        for (; bytes >= 1000 && unit < units.Length - 1; unit++)
            bytes /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 ? Math.Round(bytes) : Math.Round(bytes, 1)):0.#} {units[unit]}");
    }

    /// <summary>The last check's answer, how long ago it came, and since when the real server is in its state.</summary>
    public static string Why(RealServerStatus realServer, DateTimeOffset now) => realServer switch
    {
        { State: RealServerState.Ejected, Ejection: { } ejection } => $"{ejection.Why}; since {Age(now - ejection.Since)}, for another {Age(ejection.Until - now)}",
        { Since: null } => "not checked",
        { NotAsked: { } why, Since: { } since } => $"not asked: {why}; as it was for {Age(now - since)}",
        { LastCheck: null } => "waits for its first check",
        { LastCheck: var check, Since: { } since } => $"{check.Why}{Wrote(check.Output)}, {Age(now - check.At)} ago; since {Age(now - since)}{(check.Warning is { } warning ? $"; {warning}" : "")}",
    };

    /// <summary>The beginning of what a program wrote, on one line; the whole is in <c>--json</c>.</summary>
    private static string Wrote(string? output)
    {
        const int Longest = 80;
        if (output is null)
            return "";
        string line = string.Concat(output.Take(Longest).Select(c => c is '\n' or '\t' ? ' ' : c));
        return $" \"{line}{(output.Length > Longest ? "…" : "")}\"";
    }

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
