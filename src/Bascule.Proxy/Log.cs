using System.Net;
using Bascule.Core.Model;
using Bascule.Linux;
using Microsoft.Extensions.Logging;

namespace Bascule.Proxy;

/// <summary>What the proxy says. Nothing per connection or request, except where one failed and somebody may want to know why.</summary>
internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Debug, "Real server {RealServer} of {VirtualServer} could not be reached: {Outcome}")]
    public static partial void RealServerUnreachable(ILogger logger, IPEndPoint realServer, string virtualServer, ForwardOutcome outcome);

    [LoggerMessage(3002, LogLevel.Error, "A connection of {VirtualServer} was cut off by a fault in Bascule; please report it")]
    public static partial void StoryFailed(ILogger logger, string virtualServer, Exception fault);

    [LoggerMessage(3003, LogLevel.Warning, "{VirtualServer} cannot accept connections ({Error}): they wait in the kernel; raise the limit of open files")]
    public static partial void CannotAccept(ILogger logger, string virtualServer, Errno error);

    [LoggerMessage(3004, LogLevel.Critical, "Worker {Worker} failed; its connections are lost")]
    public static partial void WorkerFailed(ILogger logger, int worker, Exception fault);

    [LoggerMessage(3005, LogLevel.Warning, "{VirtualServer} cannot open a socket for a UDP session ({Error}): for each new one that which is idle longest ends; raise the limit of open files, or widen net.ipv4.ip_local_port_range")]
    public static partial void CannotOpenSession(ILogger logger, string virtualServer, Errno error);

    [LoggerMessage(3006, LogLevel.Warning, "{VirtualServer} closed a connection from {Peer}, which is listed in proxyProtocol.from: it {Why}. Have it send the PROXY protocol, or take it off the list")]
    public static partial void NoProxyHeader(ILogger logger, string virtualServer, IPAddress peer, string why);

    [LoggerMessage(3007, LogLevel.Error, "What real servers answer to clients' addresses (`transparent`) may not come back to this director: {What} could not be set up or removed: {Why}")]
    public static partial void ReturnPathFailed(ILogger logger, string what, string why);
}
