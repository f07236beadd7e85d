using Microsoft.Extensions.Logging;

namespace Bascule.Vrrp;

/// <summary>What failover says. Events 7000 to 7999.</summary>
internal static partial class Log
{
    [LoggerMessage(7020, LogLevel.Error, "Tracking {What} broke off and counts as not well; restart the daemon, and please report this")]
    public static partial void TrackingBroke(ILogger logger, Exception why, string what);
}
