using System.Net;
using Bascule.Core.Health;

namespace Bascule.Core.Model;

/// <summary>
/// What is happening to one real server of one virtual server. It outlives snapshots: a reload that keeps the real server
/// keeps this object, its connections and its counters. Shared by all workers.
/// </summary>
public sealed class LiveRealServer(RealServer configured, HealthRecord? health, int workers)
{
    private HealthRecord? _health = health;
    private int _weight = configured.Weight;
    private int _lastWeight = configured.Weight;
    private ConnectionThresholds? _thresholds = configured.Thresholds;
    private bool _isFull;
    private int _active;
    private int _connections;

    /// <summary>Where the director connects.</summary>
    public IPEndPoint Address { get; } = configured.Address;

    /// <summary>The answers to its check; null when it is not checked, and so counts as up.</summary>
    public HealthRecord? Health
    {
        get => Volatile.Read(ref _health);
        internal set => Volatile.Write(ref _health, value);
    }

    /// <summary>What each worker counted; a worker writes only its own.</summary>
    public RealServerCounters[] Counters { get; } = [.. Enumerable.Range(0, workers).Select(_ => new RealServerCounters())];

    /// <summary>The weight in force. 0 takes no new connections.</summary>
    public int Weight
    {
        get => Volatile.Read(ref _weight);
        set
        {
            if (value > 0)
                Volatile.Write(ref _lastWeight, value);
            Volatile.Write(ref _weight, value);
        }
    }

    /// <summary>The last weight above 0 that was in force; 0 when it never had one. What a quiesced real server still counts with in the table of <c>mh</c>.</summary>
    public int LastWeight => Volatile.Read(ref _lastWeight);

    /// <summary>The thresholds in force; null: none.</summary>
    public ConnectionThresholds? Thresholds
    {
        get => Volatile.Read(ref _thresholds);
        internal set
        {
            Volatile.Write(ref _thresholds, value);
            Volatile.Write(ref _isFull, value is not null && ActiveConnections >= (IsFull ? value.Lower : value.Upper));
        }
    }

    /// <summary>
    /// It has reached its upper threshold with active connections, and has not come below the lower one since. (IPVS counts inactive ones too;
    /// here those idle in a pool are what the next request is given, and must not keep it out.)
    /// </summary>
    public bool IsFull => Volatile.Read(ref _isFull);

    /// <summary>TCP connections being relayed, or HTTP requests being answered.</summary>
    public int ActiveConnections => Volatile.Read(ref _active);

    /// <summary>All connections to it: the active ones, and those idle in a pool.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Connections that do no work now: idle in a worker's pool. (IPVS counts those past ESTABLISHED here; a proxy has none.)</summary>
    public int InactiveConnections => int.Max(0, Connections - ActiveConnections);

    /// <summary>Whether its check passes, or nobody asks.</summary>
    public bool IsUp => Health?.IsUp ?? true;

    /// <summary>Whether a scheduler may choose it: up, a weight above 0, and not full.</summary>
    public bool TakesConnections => Weight > 0 && !IsFull && IsUp;

    /// <summary>
    /// The load as IPVS weighs it: active × 256 + active + inactive.
    /// </summary>
    public long Overhead
    {
        get
        {
            int active = ActiveConnections;
            return ((long)active << 8) + int.Max(active, Connections);
        }
    }

    // The only writes that workers share. An exact count across workers is what "least connections" promises; each costs one
    // uncontended atomic add where a count per worker would send every worker's first connection to the same real server.

    /// <summary>A connection or request was given to it.</summary>
    public void BeginActive()
    {
        int now = Interlocked.Increment(ref _active);
        if (Thresholds is { } bounds && now >= bounds.Upper)
            Volatile.Write(ref _isFull, true);
    }

    /// <summary>It has finished.</summary>
    /// <remarks>Whoever makes it full ends a connection later, so it cannot stay full for good however workers interleave.</remarks>
    public void EndActive()
    {
        int now = Interlocked.Decrement(ref _active);
        if (Thresholds is { } bounds && now < bounds.Lower)
            Volatile.Write(ref _isFull, false);
    }

    /// <summary>A connection to it was opened.</summary>
    public void Opened() => Interlocked.Increment(ref _connections);

    /// <summary>A connection to it was closed.</summary>
    public void Closed() => Interlocked.Decrement(ref _connections);
}

/// <summary>What one worker counted for one real server. Written by that worker alone; others may read a value that is a moment old.</summary>
public sealed class RealServerCounters
{
    /// <summary>Connections opened to it, since start.</summary>
    public long Connections { get; set; }

    /// <summary>TCP connections or HTTP requests given to it, since start.</summary>
    public long Requests { get; set; }

    /// <summary>Times it refused a connection, broke off or answered too late.</summary>
    public long Failures { get; set; }

    /// <summary>Bytes sent to it.</summary>
    public long BytesIn { get; set; }

    /// <summary>Bytes received from it.</summary>
    public long BytesOut { get; set; }
}
