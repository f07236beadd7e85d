using System.Globalization;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Commands;

/// <summary>One virtual server in one line, for <c>check</c> and the daemon's log.</summary>
internal static class Summary
{
    /// <summary><c>web: http on 192.0.2.10:80, wlc over 2 real servers, check http /healthz every 2s, sorry server 10.0.0.99:8080</c></summary>
    public static string Of(VirtualServer virtualServer)
    {
        int count = virtualServer.RealServers.Count;
        string protocol = virtualServer.Protocol switch { VirtualServerProtocol.Tcp => "tcp", VirtualServerProtocol.Http => "http", VirtualServerProtocol.Udp => "udp" };
        string sorry = virtualServer.SorryServer is { } address ? $", sorry server {address}" : "";
        int own = virtualServer.RealServers.Count(r => r.Check is not null);
        string others = own > 0 ? $" ({own} with a check of {(own == 1 ? "its" : "their")} own)" : "";
        return $"{virtualServer.Name}: {protocol} on {string.Join(", ", virtualServer.Addresses)}, {StatusReader.ShortName(virtualServer.Scheduler)} over {count} real "
            + $"{(count == 1 ? "server" : "servers")}, {Of(virtualServer.Check)}{others}{sorry}";
    }

    private static string Of(Check? check) => check switch
    {
        null => "no check",
        OffCheck => "check off: every real server counts as down",
        _ => $"check {check.Words} every {Seconds(check.Interval)}",
    };

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + "s";
}
