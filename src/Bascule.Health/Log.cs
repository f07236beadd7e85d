using System.Net;
using Microsoft.Extensions.Logging;

namespace Bascule.Health;

/// <summary>What the health engine says. Events 4000 to 4999.</summary>
internal static partial class Log
{
    [LoggerMessage(4000, LogLevel.Information, "Real server {RealServer} is up: {Why}")]
    public static partial void RealServerIsUp(ILogger logger, IPEndPoint realServer, string why);

    [LoggerMessage(4001, LogLevel.Warning, "Real server {RealServer} is down: {Why} ({After})")]
    public static partial void RealServerIsDown(ILogger logger, IPEndPoint realServer, string why, string after);

    [LoggerMessage(4002, LogLevel.Error, "The check of real server {RealServer} broke and counts as failed; this is a bug, please report it")]
    public static partial void CheckBroke(ILogger logger, Exception unexpected, IPEndPoint realServer);

    [LoggerMessage(4003, LogLevel.Error, "Real server {RealServer} is not being asked: {Why}; it stays as it was")]
    public static partial void RealServerNotAsked(ILogger logger, IPEndPoint realServer, string why);

    [LoggerMessage(4004, LogLevel.Error, "Something broke among the checks, which go on; this is a bug, please report it")]
    public static partial void ChecksBroke(ILogger logger, Exception unexpected);
}
