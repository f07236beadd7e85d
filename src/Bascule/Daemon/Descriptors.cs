using Bascule.Core.Model;

namespace Bascule.Daemon;

/// <summary>
/// How many connections the process can hold with the files that it may open. A full worker says so to the next client; a process without descriptors
/// can neither reach a real server nor ask one how it is.
/// </summary>
internal static class Descriptors
{
    /// <summary>Kept for the log, the runtime, the admin socket, peers and the datapath's maps.</summary>
    private const long OfTheProcess = 300;

    /// <summary>Its epoll set, its mailbox, and what it may open to look something up.</summary>
    private const long OfAWorker = 4;

    /// <summary>A client's connection, and the one to a real server beside it.</summary>
    private const long OfAClient = 2;

    /// <summary>
    /// The most for checks, as a part of all: tens of thousands are spread over their interval and never out at once, and a check that finds no descriptor
    /// is made later and takes nobody out.
    /// </summary>
    private const int ForChecks = 4;

    /// <summary>The connections of one worker: those of the limit, or fewer where there are not descriptors for so many, at least one.</summary>
    /// <param name="allowed">What the process may open. getrlimit(2), RLIMIT_NOFILE.</param>
    public static int ConnectionsPerWorker(Configuration configuration, int workers, ulong allowed)
    {
        long left = long.CreateSaturating(allowed) - BesideClients(configuration, workers, allowed);
        return (int)long.Clamp(left / (OfAClient * workers), 1, configuration.Limits.ConnectionsPerWorker);
    }

    /// <summary>What is open when no client is there: every worker listens at every address, and checks may be asking at the same time.</summary>
    public static long BesideClients(Configuration configuration, int workers, ulong allowed) =>
        OfTheProcess + (workers * (OfAWorker + Listeners(configuration))) + long.Min(Checks(configuration), long.CreateSaturating(allowed) / ForChecks);

    private static long Listeners(Configuration configuration) => configuration.VirtualServers.Where(v => v.IsProxied).Sum(v => v.Addresses.Sum(a => (long)a.Ports));

    // Virtual servers that ask the same question of the same real server share the answer.
    private static long Checks(Configuration configuration) => configuration.VirtualServers
        .SelectMany(v => v.RealServers.Select(r => (Check: v.CheckOf(r), At: v.CheckedAt(r.Address))))
        .Distinct()
        .SelectMany(asked => asked.Check?.Questions() ?? [])
        .Sum(Of);

    private static long Of(Check question) => question switch
    {
        OnCheck or OffCheck => 0,
        ScriptCheck => 3, // what it writes, what it complains of, and the process
        _ => 1,
    };
}
