using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>What the daemon as a whole tells its operator. The engines have their own.</summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "Serving {VirtualServer}")]
    public static partial void Serving(ILogger logger, string virtualServer);

    [LoggerMessage(1002, LogLevel.Information, "Ready: process {ProcessId}, workers: {Workers}, admin socket: {Socket}")]
    public static partial void Ready(ILogger logger, int processId, int workers, string socket);

    [LoggerMessage(1003, LogLevel.Warning,
        "limits.connectionsPerWorker is held at {Held} instead of {Wanted}: the process may open only {Allowed} files; raise LimitNOFILE (ulimit -Hn), or lower the limit")]
    public static partial void DescriptorsAreFew(ILogger logger, int held, int wanted, ulong allowed);

    [LoggerMessage(1004, LogLevel.Error, "Packet datapath is not available: {Why}; virtual servers with forward nat, dr or tun are not served, the others are")]
    public static partial void DatapathNotAvailable(ILogger logger, string why);

    [LoggerMessage(1005, LogLevel.Warning, "The file has no packets, but a packet datapath is attached from {Folder}: unless another director looks after it, packets for the virtual servers of an earlier file do not come to this one; bascule detach --state {Folder} takes it off")]
    public static partial void DatapathIsLeft(ILogger logger, string folder);

    [LoggerMessage(1006, LogLevel.Warning, "{Warning}")]
    public static partial void ConfigurationWarning(ILogger logger, string warning);

    [LoggerMessage(1010, LogLevel.Information, "Reloaded: {Changes}")]
    public static partial void Reloaded(ILogger logger, string changes);

    [LoggerMessage(1011, LogLevel.Error, "{Problem}")]
    public static partial void ReloadProblem(ILogger logger, string problem);

    [LoggerMessage(1012, LogLevel.Warning, "{Warning}")]
    public static partial void ReloadWarning(ILogger logger, string warning);

    [LoggerMessage(1013, LogLevel.Error, "Not reloaded: the daemon runs on with the configuration it had")]
    public static partial void NotReloaded(ILogger logger);

    [LoggerMessage(1014, LogLevel.Critical, "The reload broke off in the middle; restart the daemon when you can, and please report this")]
    public static partial void ReloadBroke(ILogger logger, Exception why);

    [LoggerMessage(1015, LogLevel.Error, "The address is ours, but nobody listens on it: {Problem}")]
    public static partial void CannotListen(ILogger logger, string problem);

    [LoggerMessage(1016, LogLevel.Error, "Which addresses are ours could not be passed on; please report this")]
    public static partial void RolesBroke(ILogger logger, Exception why);

    [LoggerMessage(1017, LogLevel.Information, "Stopping: handing over first (a second signal ends everything now)")]
    public static partial void HandingOver(ILogger logger);

    [LoggerMessage(1030, LogLevel.Information, "Took configuration {Version}, made on {By} ({Why}): {Changes}")]
    public static partial void TookVersion(ILogger logger, string version, string by, string why, string changes);

    [LoggerMessage(1031, LogLevel.Error, "{Sentence}")]
    public static partial void VersionNotTaken(ILogger logger, string sentence);

    [LoggerMessage(1032, LogLevel.Error, "Configuration conflict: {Sentence}")]
    public static partial void ConfigurationConflict(ILogger logger, string sentence);

    [LoggerMessage(1033, LogLevel.Information, "{Peer} has the same configuration, {Version}")]
    public static partial void ConfigurationInStep(ILogger logger, string peer, string version);

    [LoggerMessage(1034, LogLevel.Error, "Configuration {Version} is in force, but not in the history: {Why}; make room or the folder writable, and reload")]
    public static partial void VersionNotKept(ILogger logger, string version, string why);

    [LoggerMessage(1035, LogLevel.Warning, "{Path} is not what this daemon wrote there, and is passed over in the history of the configuration")]
    public static partial void OddVersion(ILogger logger, string path);

    [LoggerMessage(1036, LogLevel.Error, "The configuration is not shared, though shareConfiguration says so: {Why}")]
    public static partial void NotSharing(ILogger logger, string why);

    [LoggerMessage(1037, LogLevel.Warning, "The key that signs persistence cookies ends with this process, and clients are scheduled anew after a restart: {Why}")]
    public static partial void CookieKeyIsNotKept(ILogger logger, string why);

    [LoggerMessage(1040, LogLevel.Information, "{Target}: {State}, said {By}{Because}")]
    public static partial void StateSaid(ILogger logger, string target, string state, string by, string because);

    [LoggerMessage(1041, LogLevel.Error, "What operators said of real servers is in force, but {File} cannot be written, so a restart forgets it: {Why}")]
    public static partial void StatesNotKept(ILogger logger, string file, string why);

    [LoggerMessage(1042, LogLevel.Error, "{File} is not what this daemon wrote there: it is kept as {File}.unreadable, and every state is as the configuration says")]
    public static partial void OddStateFile(ILogger logger, string file);

    [LoggerMessage(1043, LogLevel.Error, "{File} cannot be read, so every state is as the configuration says; when the first is said anew, it is kept as {File}.unreadable: {Why}")]
    public static partial void NoStateFile(ILogger logger, string file, string why);

    [LoggerMessage(1045, LogLevel.Warning, "Which clients return to which real servers cannot be read from {File}, so they are scheduled anew: {Why}")]
    public static partial void SessionsNotTaken(ILogger logger, string file, string why);

    [LoggerMessage(1046, LogLevel.Warning, "Which clients return to which real servers cannot be kept in {File}, so they will be scheduled anew: {Why}")]
    public static partial void SessionsNotLeft(ILogger logger, string file, string why);

    [LoggerMessage(1050, LogLevel.Warning, "Real server {RealServer} of {VirtualServer} is ejected for {Seconds:0.#} s: {Why}")]
    public static partial void Ejected(ILogger logger, System.Net.IPEndPoint realServer, string virtualServer, double seconds, string why);

    [LoggerMessage(1051, LogLevel.Information, "Real server {RealServer} of {VirtualServer} is not ejected any more: {Why}")]
    public static partial void Readmitted(ILogger logger, System.Net.IPEndPoint realServer, string virtualServer, string why);

    [LoggerMessage(1055, LogLevel.Error, "Weights, ejections and quorums could not be brought up to date, and are tried again: this is a mistake in Bascule; please report it with these lines")]
    public static partial void WeightsFailed(ILogger logger, Exception exception);

    [LoggerMessage(1044, LogLevel.Information, "{By}: {Change}")]
    public static partial void Edited(ILogger logger, string by, string change);

    [LoggerMessage(1052, LogLevel.Information, "{VirtualServer} has its quorum: {Why}")]
    public static partial void QuorumGained(ILogger logger, string virtualServer, string why);

    [LoggerMessage(1053, LogLevel.Warning, "{VirtualServer} has lost its quorum: {Why}")]
    public static partial void QuorumLost(ILogger logger, string virtualServer, string why);

    [LoggerMessage(1054, LogLevel.Warning, "{VirtualServer} is now served by {Who}")]
    public static partial void ServingChanged(ILogger logger, string virtualServer, string who);

    [LoggerMessage(1020, LogLevel.Information, "Stopping: open client connections ({Connections}) may finish within {Seconds} s (a second signal ends them now)")]
    public static partial void Stopping(ILogger logger, long connections, double seconds);

    [LoggerMessage(1021, LogLevel.Information, "Stopped")]
    public static partial void Stopped(ILogger logger);
}
