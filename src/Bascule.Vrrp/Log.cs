using Bascule.Core.Roles;
using Microsoft.Extensions.Logging;

namespace Bascule.Vrrp;

/// <summary>What failover says. Events 7000 to 7999.</summary>
internal static partial class Log
{
    [LoggerMessage(7001, LogLevel.Information, "{Instance} is {To} (was {From}): {Why}")]
    public static partial void RoleChanged(ILogger logger, string instance, Role to, Role from, string why);

    [LoggerMessage(7002, LogLevel.Warning, "{Instance} is {To} (was {From}): {Why}")]
    public static partial void HeldBack(ILogger logger, string instance, Role to, Role from, string why);

    [LoggerMessage(7003, LogLevel.Warning, "{Instance} takes no part yet: {Why}")]
    public static partial void NotStarted(ILogger logger, string instance, string why);

    [LoggerMessage(7004, LogLevel.Warning, "{Instance}: {What}")]
    public static partial void AddressTrouble(ILogger logger, string instance, string what);

    [LoggerMessage(7007, LogLevel.Warning, "{Instance}: somebody took an address off its interface; it is back")]
    public static partial void AddressPutBack(ILogger logger, string instance);

    [LoggerMessage(7005, LogLevel.Warning, "The failover thread {What}: {Why}; a busy machine may make it late (bascule ha shows by how much)")]
    public static partial void NotAllowed(ILogger logger, string what, string why);

    [LoggerMessage(7006, LogLevel.Critical, "The failover thread met something that nobody foresaw, and goes on; please report this")]
    public static partial void TurnBroke(ILogger logger, Exception why);

    [LoggerMessage(7040, LogLevel.Information, "{Instance}: {What}")]
    public static partial void HandedOver(ILogger logger, string instance, string what);

    [LoggerMessage(7041, LogLevel.Information, "{Instance} is drained here; connections left: {Open}")]
    public static partial void Drained(ILogger logger, string instance, int open);

    [LoggerMessage(7042, LogLevel.Warning, "{Instance} was handed over, and is Active here again")]
    public static partial void TakenBack(ILogger logger, string instance);

    [LoggerMessage(7043, LogLevel.Warning, "{Instance} was handed over {Seconds} s ago, and {Open} connections are still open: they are cut off")]
    public static partial void CutOff(ILogger logger, string instance, int open, double seconds);

    [LoggerMessage(7044, LogLevel.Information, "{Instance} is being handed over to this director; packets of connections that the other one has go there")]
    public static partial void Relaying(ILogger logger, string instance);

    [LoggerMessage(7045, LogLevel.Warning, "{Instance} is being handed over to this director, which cannot pass packets on to the other one: {Why}")]
    public static partial void CannotRelay(ILogger logger, string instance, string why);

    [LoggerMessage(7046, LogLevel.Error, "A handover met something that nobody foresaw, and goes on; please report this")]
    public static partial void HandoverBroke(ILogger logger, Exception why);

    [LoggerMessage(7020, LogLevel.Error, "Tracking {What} broke off and counts as not well; restart the daemon, and please report this")]
    public static partial void TrackingBroke(ILogger logger, Exception why, string what);
}
