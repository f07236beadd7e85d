using System.Collections.Immutable;
using Bascule.Core.Api;

namespace Bascule.Client;

/// <summary>In which order <c>bascule top</c> shows real servers.</summary>
internal enum TopOrder
{
    /// <summary>As in the file, below their virtual servers.</summary>
    File,

    /// <summary>The most active connections first.</summary>
    Active,

    /// <summary>The most new connections or requests first.</summary>
    Requests,

    /// <summary>The most bytes, both ways, first.</summary>
    Bytes,

    /// <summary>Those that get no work first.</summary>
    State,
}

/// <summary>A line of <c>bascule top</c>.</summary>
public sealed record TopRow
{
    /// <summary>The virtual server's name.</summary>
    public required string VirtualServer { get; init; }

    /// <summary>The real server; null: the virtual server as a whole.</summary>
    public required string? RealServer { get; init; }

    /// <summary>As <c>bascule status</c> says it; null for a virtual server.</summary>
    public required RealServerState? State { get; init; }

    /// <summary>In force; null for a virtual server.</summary>
    public required int? Weight { get; init; }

    /// <summary>At work now.</summary>
    public required long Active { get; init; }

    /// <summary>Opened in a second.</summary>
    public required double Connections { get; init; }

    /// <summary>TCP connections or HTTP requests given to it in a second.</summary>
    public required double Requests { get; init; }

    /// <summary>Bytes from clients in a second.</summary>
    public required double BytesIn { get; init; }

    /// <summary>Bytes to clients in a second.</summary>
    public required double BytesOut { get; init; }

    /// <summary>Refused, broken off or too late, in a second.</summary>
    public required double Failures { get; init; }
}

/// <summary>What <c>bascule top</c> shows at a moment.</summary>
/// <param name="At">When, UTC.</param>
/// <param name="Seconds">Of how long its rates are; 0: there are none yet.</param>
/// <param name="Rows">Virtual servers, each with its real servers, in the order of the file.</param>
public sealed record TopFrame(DateTimeOffset At, double Seconds, ImmutableArray<TopRow> Rows)
{
    /// <summary>What happened between two looks; of a real server that was not there at the first, since it is.</summary>
    /// <param name="before">Null: this is the first look, and every rate 0.</param>
    public static TopFrame Between(DirectorStatus? before, DirectorStatus now)
    {
        // A daemon that was started in between counts from 0.
        DirectorStatus? same = before?.StartedAt == now.StartedAt ? before : null;
        double seconds = same is null ? 0 : (now.Now - same.Now).TotalSeconds;
        Dictionary<string, VirtualServerStatus> old = same?.VirtualServers.ToDictionary(v => v.Name) ?? [];
        return new(now.Now, seconds, [.. now.VirtualServers.SelectMany(v => RowsOf(old.GetValueOrDefault(v.Name), v, seconds))]);
    }

    private static IEnumerable<TopRow> RowsOf(VirtualServerStatus? before, VirtualServerStatus now, double seconds)
    {
        // The sorry server may be one of the others too.
        Dictionary<string, RealServerStatus> old = before?.RealServers.DistinctBy(r => r.Address).ToDictionary(r => r.Address) ?? [];
        TopRow[] realServers = [.. now.RealServers.Select(r => RowOf(now.Name, old.GetValueOrDefault(r.Address), r, seconds))];
        yield return new()
        {
            VirtualServer = now.Name,
            RealServer = null,
            State = null,
            Weight = null,
            Active = now.OpenConnections,
            Connections = Rate(before?.Connections, now.Connections, seconds),
            Requests = realServers.Sum(r => r.Requests),
            BytesIn = realServers.Sum(r => r.BytesIn),
            BytesOut = realServers.Sum(r => r.BytesOut),
            Failures = realServers.Sum(r => r.Failures),
        };
        foreach (TopRow row in realServers)
            yield return row;
    }

    private static TopRow RowOf(string virtualServer, RealServerStatus? before, RealServerStatus now, double seconds) => new()
    {
        VirtualServer = virtualServer,
        RealServer = now.Address,
        State = now.State,
        Weight = now.Weight,
        Active = now.ActiveConnections,
        Connections = Rate(before?.Connections, now.Connections, seconds),
        Requests = Rate(before?.Requests, now.Requests, seconds),
        BytesIn = Rate(before?.BytesIn, now.BytesIn, seconds),
        BytesOut = Rate(before?.BytesOut, now.BytesOut, seconds),
        Failures = Rate(before?.Failures, now.Failures, seconds),
    };

    // Counters that went back began anew: the real server was taken off and put on again.
    private static double Rate(long? before, long now, double seconds) =>
        before is { } old && now >= old && seconds > 0 ? (now - old) / seconds : 0;
}
