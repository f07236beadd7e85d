using Microsoft.Extensions.Logging;

namespace Bascule.Packets;

/// <summary>What the packet datapath tells its operator.</summary>
internal static partial class Log
{
    [LoggerMessage(6001, LogLevel.Information, "Packet datapath on {Interface}: {Place} ({Why})")]
    public static partial void Attached(ILogger logger, string @interface, string place, string why);

    [LoggerMessage(6002, LogLevel.Error, "Packet datapath is not on {Interface}: {Why}")]
    public static partial void NotAttached(ILogger logger, string @interface, string why);

    [LoggerMessage(6003, LogLevel.Warning, "{Note}")]
    public static partial void Note(ILogger logger, string note);

    [LoggerMessage(6004, LogLevel.Information, "Packet datapath: going on with what an earlier daemon left in {Folder}")]
    public static partial void Adopted(ILogger logger, string folder);

    [LoggerMessage(6005, LogLevel.Information, "Packet datapath stays on its interfaces: established and new flows go on with the last state (`bascule detach` takes it off)")]
    public static partial void LeftRunning(ILogger logger);

    [LoggerMessage(6010, LogLevel.Error, "Packet datapath: {Why}; trying again")]
    public static partial void TurnBroke(ILogger logger, string why);

    [LoggerMessage(6011, LogLevel.Warning, "Real server {RealServer}: no route to it from here; packets for it are dropped")]
    public static partial void NoRoute(ILogger logger, System.Net.IPAddress realServer);

    [LoggerMessage(6012, LogLevel.Warning, "Real server {RealServer}: its next hop does not answer ARP or neighbour discovery; packets for it are dropped")]
    public static partial void NoNeighbour(ILogger logger, System.Net.IPAddress realServer);

    [LoggerMessage(6013, LogLevel.Information, "Real server {RealServer}: next hop {Mac} on interface {Interface}")]
    public static partial void Resolved(ILogger logger, System.Net.IPAddress realServer, string mac, int @interface);

    [LoggerMessage(6014, LogLevel.Warning, "{VirtualServer}: nobody answers for {Address} here; unless a router sends it to this machine: ip addr add {Address}/{Bits} dev {Interface}")]
    public static partial void AddressIsNotOurs(ILogger logger, string virtualServer, System.Net.IPAddress address, int bits, string @interface);
}
