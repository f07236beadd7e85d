using Microsoft.Extensions.Logging;

namespace Bascule.Notify;

/// <summary>What telling others comes to. Events 8000 to 8999.</summary>
internal static partial class Log
{
    [LoggerMessage(8000, LogLevel.Error, "{Receiver} was not told that {What}: {Why}")]
    public static partial void NotTold(ILogger logger, string receiver, string what, string why);

    [LoggerMessage(8001, LogLevel.Warning, "{Receiver} is slower than things change: {Dropped} of the oldest notifications were dropped")]
    public static partial void Dropped(ILogger logger, string receiver, long dropped);
}
