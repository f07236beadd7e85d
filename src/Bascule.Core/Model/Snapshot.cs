using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Core.Weights;

namespace Bascule.Core.Model;

/// <summary>The whole world an engine works from: what is configured and the live objects it is about. Immutable; replaced whole.</summary>
public sealed class Snapshot
{
    private readonly Lazy<Dictionary<HealthRecord, List<Place>>> _places;

    private Snapshot(long version, Configuration configuration, int workers, ImmutableArray<LiveVirtualServer> virtualServers)
    {
        Version = version;
        Configuration = configuration;
        Workers = workers;
        VirtualServers = virtualServers;
        _places = new(FindPlaces);
    }

    /// <summary>1 for the first, one more for each that followed.</summary>
    public long Version { get; }

    /// <summary>As meant by the file.</summary>
    public Configuration Configuration { get; }

    /// <summary>Worker threads; fixed for the life of the daemon.</summary>
    public int Workers { get; }

    /// <summary>In the order of the file.</summary>
    public ImmutableArray<LiveVirtualServer> VirtualServers { get; }

    /// <summary>Those the proxy carries.</summary>
    public IEnumerable<LiveVirtualServer> Proxied => VirtualServers.Where(v => v.Configured.IsProxied);

    /// <summary>Those the packet datapath carries.</summary>
    public IEnumerable<LiveVirtualServer> OnDatapath => VirtualServers.Where(v => !v.Configured.IsProxied);

    /// <summary>Every record that some virtual server reads.</summary>
    public IReadOnlyCollection<HealthRecord> HealthRecords => _places.Value.Keys;

    /// <summary>Every real server that goes by a record; none when nobody reads it. Does not look at the others, however many there are.</summary>
    public IReadOnlyList<Place> PlacesOf(HealthRecord record) => _places.Value.GetValueOrDefault(record) ?? [];

    /// <summary>The first snapshot.</summary>
    public static Snapshot First(Configuration configuration, int workers, HealthBoard health) =>
        Build(1, configuration, workers, health, before: null);

    /// <summary>
    /// The snapshot that follows this one. What did not change keeps its live object: an equal virtual server wholly, and in a
    /// changed one each real server of the same address (with its connections, counters and health).
    /// </summary>
    public Snapshot Next(Configuration configuration, HealthBoard health) =>
        Build(Version + 1, configuration, Workers, health, before: this);

    private static Snapshot Build(long version, Configuration configuration, int workers, HealthBoard health, Snapshot? before)
    {
        FlowHashKey key = configuration.Packets?.HashKey is GivenHashKey given ? given.Key : default;
        Dictionary<string, LiveVirtualServer> known = before?.VirtualServers.ToDictionary(v => v.Configured.Name) ?? [];
        return new(version, configuration, workers,
        [
            .. configuration.VirtualServers.Select(wanted =>
                known.GetValueOrDefault(wanted.Name) is { } same && same.Configured == wanted
                    ? same
                    : Build(wanted, key, configuration.CookieKey, workers, health, known.GetValueOrDefault(wanted.Name))),
        ]);
    }

    private static LiveVirtualServer Build(VirtualServer wanted, FlowHashKey key, CookieKey cookieKey, int workers, HealthBoard health, LiveVirtualServer? before)
    {
        Dictionary<IPEndPoint, LiveRealServer> known = before?.RealServers.ToDictionary(r => r.Address) ?? [];
        ImmutableArray<HealthRecord?> records =
            [.. wanted.RealServers.Select(r => health.Find(wanted.CheckOf(r), wanted.CheckedAt(r.Address), WasUp(known.GetValueOrDefault(r.Address)), WayOf(wanted, r)))];
        int scale = WeightScale.Of(wanted);
        ImmutableArray<LiveRealServer> realServers =
            [.. wanted.RealServers.Zip(records, (r, record) => known.GetValueOrDefault(r.Address) ?? new(r, record, workers) { WeightScale = scale })];
        LiveRealServer? sorry = wanted.SorryServer is not { } address ? null
            : before?.SorryServer is { } old && old.Address.Equals(address) ? old
            : new(new(address, 1), health: null, workers);
        VirtualServerCounters[] counters = before?.Counters ?? [.. Enumerable.Range(0, workers).Select(_ => new VirtualServerCounters())];
        // A proxy can always try another real server; the datapath refuses as IPVS does unless told to fall back.
        SchedulerFlags flags = wanted.IsProxied ? wanted.SchedulerFlags with { Fallback = true } : wanted.SchedulerFlags;
        int main = wanted.RealServers.Count(r => !r.IsFallback);
        Scheduler scheduler = SchedulerOver(..main);
        ClientSessions? sessions = wanted.Persistence is RememberedPersistence persistence ? new(TableOf(before, persistence) ?? new(health.Time), persistence, realServers) : null;
        CookieSessions? cookies = wanted.Persistence is CookiePersistence cookie ? new(cookie, cookieKey, realServers, health.Time) : null;
        return new(wanted, scheduler, sessions, cookies, realServers, records, sorry, counters) { FallbackScheduler = main < realServers.Length ? SchedulerOver(main..) : null };

        Scheduler SchedulerOver(Range range) =>
            Scheduler.Create(wanted.Scheduler, flags, realServers[range], [.. wanted.RealServers.Select(r => r.Weight).Take(range)], key, health.Time);
    }

    /// <summary>What is known goes on being known, as long as clients are known by the same thing.</summary>
    private static SessionTable? TableOf(LiveVirtualServer? before, RememberedPersistence persistence) =>
        before?.Sessions is { } sessions && sessions.IsBySource == persistence is SourcePersistence ? sessions.Table : null;

    // Of several virtual addresses one is enough: the way to the real server is the same.
    private static IPEndPoint? WayOf(VirtualServer wanted, RealServer realServer) =>
        realServer.Forwarding is not (DirectRouting or TunnelForwarding) ? null
        : (wanted.Addresses.FirstOrDefault(a => a.Family == realServer.Address.AddressFamily) ?? wanted.Addresses[0]).First;

    private Dictionary<HealthRecord, List<Place>> FindPlaces()
    {
        Dictionary<HealthRecord, List<Place>> places = [];
        for (int i = 0; i < VirtualServers.Length; i++)
        {
            ImmutableArray<HealthRecord?> records = VirtualServers[i].HealthRecords;
            for (int j = 0; j < records.Length; j++)
            {
                if (records[j] is not { } record)
                    continue;
                if (!places.TryGetValue(record, out List<Place>? those))
                    places[record] = those = new(1);
                those.Add(new(i, j));
            }
        }

        return places;
    }

    private static bool WasUp(LiveRealServer? before) => before is not null && (before.Health?.IsUp ?? true);

    /// <summary>
    /// Puts the configured weights, thresholds and checks into force. Apart from building, so that a snapshot that is never published changes nothing.
    /// </summary>
    internal void PutInForce()
    {
        foreach (LiveVirtualServer virtualServer in VirtualServers)
        {
            int scale = WeightScale.Of(virtualServer.Configured);
            for (int i = 0; i < virtualServer.RealServers.Length; i++)
            {
                virtualServer.RealServers[i].WeightScale = scale;
                virtualServer.RealServers[i].ConfiguredWeight = virtualServer.Configured.RealServers[i].Weight;
                virtualServer.RealServers[i].IsFallback = virtualServer.Configured.RealServers[i].IsFallback;
                virtualServer.RealServers[i].Thresholds = virtualServer.Configured.RealServers[i].Thresholds;
                virtualServer.RealServers[i].Health = virtualServer.HealthRecords[i];
            }
        }
    }
}

/// <summary>One real server of a snapshot.</summary>
/// <param name="VirtualServer">Index into <see cref="Snapshot.VirtualServers"/>.</param>
/// <param name="RealServer">Index into its <see cref="LiveVirtualServer.RealServers"/>.</param>
public readonly record struct Place(int VirtualServer, int RealServer);

/// <summary>Where the current snapshot is published. One writer replaces it whole; readers never wait.</summary>
public sealed class SnapshotHolder(Snapshot first)
{
    private Snapshot _current = first;

    /// <summary>Read it once per decision and keep it: two reads may be two different worlds.</summary>
    public Snapshot Current => Volatile.Read(ref _current);

    /// <summary>Makes it the world.</summary>
    public void Publish(Snapshot next)
    {
        next.PutInForce();
        Volatile.Write(ref _current, next);
    }
}
