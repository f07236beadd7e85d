using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.Replication;
using Bascule.Core.Roles;
using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Engine;
using Bascule.Packets.Replication;
using Microsoft.Extensions.Logging;

namespace Bascule.Packets;

/// <summary>
/// The kernel's data plane: keeps the XDP datapath in step with the snapshot, with health and weights, and with the ways to the real servers, on a
/// thread of its own. When it stops, or dies, the datapath goes on with what it was last told; the next one adopts it.
/// </summary>
public sealed class PacketEngine : IAsyncDisposable
{
    private static readonly TimeSpan TurnInterval = TimeSpan.FromMilliseconds(100); // a failed check is acted on within this
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5); // a turn takes milliseconds; one that is over never answers
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private const int SweepPauses = 25; // a pause is as long as so many sweeps: to walk full tables takes a tenth of a second, and must not take a processor

    private readonly ConcurrentQueue<Action<DatapathEngine>> _asked = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly TaskCompletionSource<string?> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Snapshot _first;
    private readonly RoleSet _firstRoles;
    private readonly HaSettings? _pair;
    private volatile Replicas? _replicas;
    private readonly Thread _thread;
    private volatile bool _isStopping;
    private Claim? _claim;
    private string? _whyNot;
    private volatile string? _ended;
    private string? _saidLast;

    /// <summary>Makes the engine; nothing is touched yet.</summary>
    /// <param name="settings">Another needs another engine.</param>
    /// <param name="first">What it begins with.</param>
    /// <param name="roles">Whose the addresses are.</param>
    /// <param name="pair">The other directors, for whom flows are kept ready; null: none.</param>
    /// <param name="time">CLOCK_MONOTONIC.</param>
    /// <param name="loggers">Where it speaks.</param>
    public PacketEngine(PacketSettings settings, Snapshot first, RoleSet roles, HaSettings? pair, TimeProvider time, ILoggerFactory loggers)
    {
        (Settings, _first, _firstRoles, _pair, _time) = (settings, first, roles, pair, time);
        _logger = loggers.CreateLogger<PacketEngine>();
        _thread = new(Run) { Name = "packets", IsBackground = true };
    }

    /// <summary>What it was made with; another needs another engine.</summary>
    public PacketSettings Settings { get; }

    /// <summary>What the other director keeps as well; none where there is no other director. Of use from the moment that <see cref="StartAsync"/> has done.</summary>
    public ImmutableArray<IReplicatedState> ReplicatedStates => _pair is { Peers.Count: > 0 }
        ? [new LateState("flows", () => _replicas?.Flows), new LateState("clients", () => _replicas?.Clients)]
        : [];

    /// <summary>Takes the interfaces and the state folder for this daemon alone.</summary>
    /// <returns>Null, or a sentence: another daemon has them. (What else may be wrong, <see cref="StartAsync"/> says.)</returns>
    public string? Claim()
    {
        try
        {
            _claim = Engine.Claim.Take(Settings);
            return null;
        }
        catch (TakenException e)
        {
            return e.Message;
        }
        catch (BpfException e)
        {
            _whyNot = e.Message;
            return null;
        }
    }

    /// <summary>Loads or adopts the datapath, writes its maps and attaches it.</summary>
    /// <returns>Why there is no datapath, as a sentence; null when there is. Everything else of the daemon works on either way.</returns>
    public Task<string?> StartAsync()
    {
        if (_claim is null)
            return Task.FromResult<string?>(_whyNot ?? "it was not claimed");
        _thread.Start();
        return _started.Task;
    }

    /// <summary>Puts the difference into the kernel, within a moment. Callable at any time.</summary>
    public void Apply(Snapshot snapshot, RoleSet roles) => Post(engine => engine.Take(snapshot, roles));

    /// <summary>Stops following. The datapath stays on its interfaces and goes on with what it knows.</summary>
    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        _wake.Set();
        if (_thread.IsAlive)
            await Task.Run(_thread.Join);
        _claim?.Dispose();
        _wake.Dispose();
    }

    /// <summary>What the API asks; each may be called from any thread.</summary>
    public PacketAnswers Answers => field ??= new EngineAnswers(this, _time).Made;

    /// <summary>Why there is no datapath; null when there is.</summary>
    internal string? WhyNot => _started.Task.IsCompletedSuccessfully ? _started.Task.Result ?? _ended : _whyNot ?? "it has not been started yet";

    /// <summary>Ends the engine's work, as after a detach; the daemon goes on without it. On its own thread, before the next turn attaches again.</summary>
    internal void End(string why)
    {
        _ended = why;
        _isStopping = true;
    }

    /// <summary>Asks something on the engine's thread.</summary>
    /// <returns>Its answer; faulted where there is no datapath.</returns>
    internal Task<T> AskAsync<T>(Func<DatapathEngine, T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (WhyNot is { } why)
            return Task.FromException<T>(new BpfException($"the packet datapath is not running: {why}"));
        Post(engine =>
        {
            try
            {
                answer.SetResult(question(engine));
            }
#pragma warning disable CA1031 // whatever it is, it is the asker's
            catch (Exception e)
#pragma warning restore CA1031
            {
                answer.SetException(e);
            }
        });
        return answer.Task.WaitAsync(Patience, _time);
    }

    private void Post(Action<DatapathEngine> action)
    {
        _asked.Enqueue(action);
        _wake.Set();
    }

    private void Run()
    {
        DatapathEngine engine;
        try
        {
            engine = DatapathEngine.Start(Settings, _first, _firstRoles, _pair, _time, _logger, _claim!.Folder);
        }
        catch (Exception e) when (e is KernelException or BpfException)
        {
            _started.SetResult(e.Message);
            return;
        }

        _replicas = engine.Replicas;
        _started.SetResult(null);
        using (engine)
            Follow(engine);
        if (_ended is null)
            Log.LeftRunning(_logger);
    }

    private void Follow(DatapathEngine engine)
    {
        long swept = _time.GetTimestamp();
        TimeSpan pause = SweepInterval;
        while (!_isStopping)
        {
            _wake.WaitOne(TurnInterval);
            Try(() =>
            {
                while (_asked.TryDequeue(out Action<DatapathEngine>? action))
                    action(engine);
                if (_isStopping)
                    return;
                engine.Turn();
                if (_time.GetElapsedTime(swept) < pause)
                    return;
                long begun = _time.GetTimestamp();
                engine.Sweep();
                swept = _time.GetTimestamp();
                TimeSpan enough = _time.GetElapsedTime(begun, swept) * SweepPauses;
                pause = enough > SweepInterval ? enough : SweepInterval;
            });
        }
    }

    // What the kernel refuses now it may take in a moment, and the datapath meanwhile goes on with what it has. No exception may end the daemon's other work.
    private void Try(Action turn)
    {
        try
        {
            turn();
            _saidLast = null;
        }
#pragma warning disable CA1031 // see above
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (_saidLast != e.Message)
                Log.TurnBroke(_logger, e is KernelException or BpfException ? e.Message : e.ToString());
            _saidLast = e.Message;
        }
    }
}
