using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Model;

/// <summary>
/// What is happening to one real server of one virtual server. It outlives snapshots: a reload that keeps the real server
/// keeps this object, its connections and its counters. Shared by all workers.
/// </summary>
public sealed class LiveRealServer(RealServer configured, HealthRecord? health, int workers)
{
    /// <summary>A <see cref="Share"/> of the whole weight.</summary>
    public const int WholeShare = 10_000;

    private const int MostWeight = 65_535;

    private readonly Lock _reweighing = new();
    private HealthRecord? _health = health;
    private int _configuredWeight = configured.Weight;
    private int _lastWeight = configured.Weight;
    private int _weight = configured.Weight;
    private volatile AdministrativeState _state;
    private int _share = WholeShare;
    private int _scale = 1;
    private Ejection? _ejection;
    private bool _isFallback = configured.IsFallback;
    private bool _isStandby;
    private bool _isOpened;
    private int _failuresInARow;
    private int _longestFailureRun;
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

    /// <summary>How fast it answers; noted where a scheduler goes by it.</summary>
    public AnswerTime AnswerTime { get; } = new();

    /// <summary>As the file or a command says; what the operator's state, its check and a slow start make of it is <see cref="Weight"/>.</summary>
    public int ConfiguredWeight
    {
        get => Volatile.Read(ref _configuredWeight);
        set
        {
            if (value > 0)
                Volatile.Write(ref _lastWeight, value);
            Volatile.Write(ref _configuredWeight, value);
            Reweigh();
        }
    }

    /// <summary>
    /// The last configured weight above 0; 0 when it never had one. What a quiesced real server still counts with in the table of <c>mh</c>, so that
    /// draining one moves nobody else's clients.
    /// </summary>
    public int LastWeight => Volatile.Read(ref _lastWeight);

    /// <summary>What the operator says, of it or of its virtual server. See <see cref="EffectiveState"/>.</summary>
    public AdministrativeState State
    {
        get => _state;
        set
        {
            _state = value;
            Reweigh();
        }
    }

    /// <summary>What counts: the stricter of what the operator says and what its check's answers wish.</summary>
    public AdministrativeState EffectiveState => AdministrativeStates.StricterOf(State, Health?.Last?.Wish ?? AdministrativeState.Enabled);

    /// <summary>What part of its weight it is given while it starts slowly, 1 to <see cref="WholeShare"/>.</summary>
    public int Share
    {
        get => Volatile.Read(ref _share);
        set
        {
            Volatile.Write(ref _share, int.Clamp(value, 1, WholeShare));
            Reweigh();
        }
    }

    /// <summary>Its answers to clients were so bad that it is given nothing for a while, whatever its check says.</summary>
    public bool IsEjected => Ejection is not null;

    /// <summary>It gets work only while the others cannot serve.</summary>
    public bool IsFallback
    {
        get => Volatile.Read(ref _isFallback);
        internal set => Volatile.Write(ref _isFallback, value);
    }

    /// <summary>
    /// Others serve. A fallback server then gets only whom none of them accepts, and nobody returns to it; a real server that is held back for want of a
    /// quorum gets no new clients.
    /// </summary>
    public bool IsStandby
    {
        get => Volatile.Read(ref _isStandby);
        set => Volatile.Write(ref _isStandby, value);
    }

    /// <summary>Nobody is up, and it is given work all the same: <see cref="Panic.Open"/>.</summary>
    public bool IsOpened
    {
        get => Volatile.Read(ref _isOpened);
        set => Volatile.Write(ref _isOpened, value);
    }

    /// <summary>Why and for how long it is ejected; null: it is not.</summary>
    public Ejection? Ejection
    {
        get => Volatile.Read(ref _ejection);
        set => Volatile.Write(ref _ejection, value);
    }

    /// <summary>What weights are multiplied with, so that there are parts of a small one. 1 to 100.</summary>
    /// <inheritdoc cref="Weights.WeightScale" path="/summary"/>
    internal int WeightScale
    {
        get => Volatile.Read(ref _scale);
        set
        {
            Volatile.Write(ref _scale, value);
            Reweigh();
        }
    }

    /// <summary>The weight in force, as schedulers compare it. 0 takes no new connections.</summary>
    public int Weight => Volatile.Read(ref _weight);

    /// <summary>The weight in force on the file's scale, rounded up.</summary>
    public int RoundedWeight => (Weight + WeightScale - 1) / WeightScale;

    /// <summary>What its weight is, or will be once it has started: without its <see cref="Share"/>, on the file's scale.</summary>
    public int WholeWeight => EffectiveWeight(ConfiguredWeight, EffectiveState, Health?.Last?.Weight, WholeShare);

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

    /// <summary>TCP connections being relayed, HTTP requests being answered, or UDP sessions.</summary>
    public int ActiveConnections => Volatile.Read(ref _active);

    /// <summary>All connections to it: the active ones, and those idle in a pool.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Connections that do no work now: idle in a worker's pool. (IPVS counts those past ESTABLISHED here; a proxy has none.)</summary>
    public int InactiveConnections => int.Max(0, Connections - ActiveConnections);

    /// <summary>Whether it may be sent anybody: its check passes, or nobody asks; it is not in maintenance, and not ejected.</summary>
    public bool IsUp => IsWell || (IsOpened && EffectiveState != AdministrativeState.Maintenance);

    /// <summary>The same, but for <see cref="IsOpened"/>.</summary>
    public bool IsWell => IsOtherwiseUp && !IsEjected;

    /// <summary>Whether it would be up if its answers to clients did not count.</summary>
    public bool IsOtherwiseUp => KeepsConnections && EffectiveState != AdministrativeState.Maintenance;

    /// <summary>Whether what is open to it may go on: its check passes, or nobody asks; whatever an operator wants.</summary>
    public bool KeepsConnections => Health?.IsUp ?? true;

    /// <summary>Whether a scheduler may choose it: up, a weight above 0, not full, and not held back for want of a quorum.</summary>
    public bool TakesConnections => Weight > 0 && !IsFull && IsUp && (IsFallback || !IsStandby);

    /// <summary>Whether those may go on whom it serves already: it may be sent anybody, and is no fallback server while others serve. Want of a quorum moves nobody.</summary>
    public bool KeepsClients => IsUp && !(IsFallback && IsStandby);

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

    /// <summary>Reckons <see cref="Weight"/> anew; to be called when what its check says about the weight, or wishes, has changed.</summary>
    /// <remarks>From any thread. One at a time: otherwise whoever read first could write last, and what has changed meanwhile would be lost.</remarks>
    public void Reweigh()
    {
        lock (_reweighing)
            Volatile.Write(ref _weight, EffectiveWeight(ConfiguredWeight, EffectiveState, Health?.Last?.Weight, Share, WeightScale));
    }

    /// <summary>What a configured weight comes to. Only a state, or an advice of 0, takes a weight above 0 to 0; a small share does not.</summary>
    /// <param name="share">1 to <see cref="WholeShare"/>.</param>
    /// <param name="scale">What everything is multiplied with, see <see cref="Weights.WeightScale"/>.</param>
    public static int EffectiveWeight(int configured, AdministrativeState state, WeightAdvice? advice, int share, int scale = 1)
    {
        if (configured == 0 || state != AdministrativeState.Enabled || advice is { Value: 0 })
            return 0;
        long advised = advice switch
        {
            null => (long)configured * scale,
            { IsPercent: true } percent => (((long)configured * scale * percent.Value) + 99) / 100,
            { } absolute => (long)absolute.Value * scale,
        };
        return (int)long.Clamp(advised * share / WholeShare, 1, MostWeight);
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

    /// <summary>It answered a client well.</summary>
    public void Succeeded()
    {
        if (Volatile.Read(ref _failuresInARow) != 0) // as good as always 0, and then no cache line changes hands
            Volatile.Write(ref _failuresInARow, 0);
    }

    /// <summary>It answered a client badly, or not at all.</summary>
    public void Failed()
    {
        int run = Interlocked.Increment(ref _failuresInARow);
        if (run > Volatile.Read(ref _longestFailureRun))
            Volatile.Write(ref _longestFailureRun, run);
    }

    /// <summary>The most failures in a row, over all workers, since it was asked last.</summary>
    internal int TakeLongestFailureRun() => Interlocked.Exchange(ref _longestFailureRun, 0);

    /// <summary>Whatever failed before does not count any more.</summary>
    internal void ForgetFailures()
    {
        Volatile.Write(ref _failuresInARow, 0);
        Volatile.Write(ref _longestFailureRun, 0);
    }

    /// <summary>A connection to it was opened.</summary>
    public void Opened() => Interlocked.Increment(ref _connections);

    /// <summary>A connection to it was closed.</summary>
    public void Closed() => Interlocked.Decrement(ref _connections);
}

/// <summary>What one worker counted for one real server. Written by that worker alone; others may read a value that is a moment old.</summary>
public sealed class RealServerCounters
{
    /// <summary>Connections opened to it, or UDP sessions begun (datagrams, where each is scheduled by itself), since start.</summary>
    public long Connections { get; set; }

    /// <summary>TCP connections, HTTP requests or UDP sessions given to it, since start.</summary>
    public long Requests { get; set; }

    /// <summary>Times it refused a connection, broke off or answered too late.</summary>
    public long Failures { get; set; }

    /// <summary>TCP connections, HTTP requests and UDP sessions of clients that it answered well: it sent something, and no status of 500 or more, 501 and 505 aside.</summary>
    public long GoodAnswers { get; set; }

    /// <summary>Those it answered badly: no connection; of TCP a break before the client has sent anything; of HTTP a break or silence before an answer, bytes that are none, a status of 500 or more, 501 and 505 aside; of UDP word that nobody listens there (silence is no answer, and not bad either). Of one without a port of its own, only on the port that is checked.</summary>
    public long BadAnswers { get; set; }

    /// <summary>Datagrams sent to it; 0 where connections are carried.</summary>
    public long PacketsIn { get; set; }

    /// <summary>Datagrams received from it; 0 where connections are carried.</summary>
    public long PacketsOut { get; set; }

    /// <summary>Bytes sent to it.</summary>
    public long BytesIn { get; set; }

    /// <summary>Bytes received from it.</summary>
    public long BytesOut { get; set; }
}
