using Microsoft.Extensions.Logging;

namespace Bascule.Replication;

/// <summary>What the state channel tells its operator: one line per change.</summary>
internal static partial class Log
{
    [LoggerMessage(7001, LogLevel.Information, "State channel with {Peer} is open, over {Address}: what is known here follows there, and the other way round")]
    public static partial void Opened(ILogger logger, string peer, string address);

    [LoggerMessage(7002, LogLevel.Warning, "State channel with {Peer} is closed: {Why}")]
    public static partial void Closed(ILogger logger, string peer, string why);

    [LoggerMessage(7003, LogLevel.Warning, "No state channel with {Peer}: {Why}")]
    public static partial void NotOpened(ILogger logger, string peer, string why);

    [LoggerMessage(7004, LogLevel.Error, "No state channel: {Why}; it is tried again")]
    public static partial void NotListening(ILogger logger, string why);

    [LoggerMessage(7005, LogLevel.Error, "The state channel broke off by a mistake of ours, and is opened again; please report this")]
    public static partial void Broke(ILogger logger, Exception why);
}
