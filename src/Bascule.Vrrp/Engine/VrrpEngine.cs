using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Process;
using Bascule.Vrrp.Handover;
using Bascule.Vrrp.Track;
using Microsoft.Extensions.Logging;

namespace Bascule.Vrrp.Engine;

/// <summary>Among whom failover works.</summary>
/// <param name="Node">This director's name.</param>
/// <param name="Secrets">The keys that the settings name.</param>
/// <param name="Board">Where it publishes which addresses are ours.</param>
/// <param name="Snapshot">Whose real servers decide where virtual servers are tracked.</param>
public sealed record FailoverSetting(string Node, IReadOnlyDictionary<SecretSource, byte[]> Secrets, RoleBoard Board, Func<Snapshot> Snapshot);

/// <summary>
/// Decides which virtual addresses are this director's, on a thread of its own, and puts them on the interfaces. What it decides is on the
/// <see cref="FailoverSetting.Board"/>; every change is told to <see cref="Changed"/>.
/// </summary>
public sealed class VrrpEngine : IAsyncDisposable
{
    private const int NewsKept = 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2); // a letter is read at once

    private readonly Channel<News> _news = Channel.CreateBounded<News>(new BoundedChannelOptions(NewsKept) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    private readonly ConcurrentQueue<Action<FailoverLoop>> _mailbox = new();
    private readonly TaskCompletionSource<FailoverLoop> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WakeUp _wake = new();
    private readonly FailoverSetting _setting;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PeerTalk _talk;
    private readonly TrackWatch _tracking;
    private readonly Thread _thread;
    private Task _telling = Task.CompletedTask;
    private volatile bool _isRealtime;
    private volatile bool _isLocked;

    /// <summary>Makes the engine; nothing is touched yet.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="setting">Among whom it works.</param>
    /// <param name="time">Whose timestamps count while the machine sleeps: <see cref="BootTime"/>.</param>
    /// <param name="random">Tells this life from others.</param>
    /// <param name="logger">Takes a line per change of role.</param>
    public VrrpEngine(HaSettings settings, FailoverSetting setting, TimeProvider time, Random random, ILogger<VrrpEngine> logger)
    {
        (Settings, _setting, _time, _logger) = (settings, setting, time, logger);
        _talk = new(settings, setting.Node, setting.Secrets, random, FailoverLoop.FirstPeerToken);
        _tracking = new(settings.Instances.SelectMany(i => i.Track), setting.Snapshot, Tell, time, logger);
        _thread = new(Run) { Name = "failover", IsBackground = true };
    }

    /// <summary>What it works with.</summary>
    public HaSettings Settings { get; private set; }

    /// <summary>Called for every change of role, in their order, on a thread that may take its time.</summary>
    public event Action<RoleChange>? Changed;

    /// <summary>A peer says something else of a handover.</summary>
    internal event Action? PeerSpoke;

    /// <summary>Opens the sockets and starts, as Backup, in the network namespace of the calling thread. To be disposed of even when this fails.</summary>
    /// <exception cref="KernelException">There is no netlink here, or another program has the port of the heartbeats.</exception>
    public async Task StartAsync()
    {
        _thread.Start();
        _tracking.Start(); // before anything is awaited: its thread belongs in this namespace too
        await _opened.Task;
        _telling = TellAsync();
    }

    /// <summary>
    /// Takes up what can be changed without a change of role: priority (but for 255), preempt and its delay, and what others do with the settings. The
    /// next decision counts with them.
    /// </summary>
    /// <returns>False, and nothing is changed, where something else differs: that needs another start.</returns>
    public bool TryApply(HaSettings wanted)
    {
        if (!Fixed(wanted).Equals(Fixed(Settings)))
            return false;
        Settings = wanted;
        Post(loop =>
        {
            foreach (HaInstance instance in wanted.Instances)
                loop.Find(instance.Name)!.Change(instance);
        });
        return true;
    }

    /// <summary>How things stand. Any thread.</summary>
    public async Task<HaStatus> StatusAsync()
    {
        FailoverLoop loop = await _opened.Task;
        try
        {
            ImmutableArray<PeerStatus> peers = await AskAsync(_ => StatusMaker.Of(Settings, _talk.Peers, _time));
            return StatusMaker.Make(_setting.Node, loop, peers, [], _time, _isRealtime, _isLocked);
        }
        catch (TimeoutException)
        {
            return StatusMaker.Make(_setting.Node, loop, [], [$"the failover thread has not answered for {Words.Of(Patience)}; what follows is what it left before"], _time, _isRealtime, _isLocked);
        }
    }

    /// <summary>What this director is for each instance. Any thread; empty before the start.</summary>
    public ImmutableArray<InstanceRole> Roles => _opened.Task.IsCompletedSuccessfully ? [.. _opened.Task.Result.Instances.Select(i => new InstanceRole(i.Configured.Name, i.Role))] : [];

    /// <summary>Lets another director take over.</summary>
    /// <param name="instance">Its name; null: all.</param>
    /// <returns>Those that were Active, by name.</returns>
    /// <exception cref="TimeoutException">The failover thread did not answer.</exception>
    public Task<string[]> HandOverAsync(string? instance) => AskAsync(loop =>
    {
        Instance[] active = [.. loop.Instances.Where(i => i.Role == Role.Active && (instance is null || i.Configured.Name == instance))];
        TimeSpan now = loop.Now;
        Array.ForEach(active, i => i.HandOver(now));
        return active.Select(i => i.Configured.Name).ToArray();
    });

    /// <summary>Has heartbeats say something else of a handover, from this moment on.</summary>
    internal void Say(string instance, HandoverWord word) => Post(loop => loop.SayAtOnce(instance, word));

    /// <summary>Has packets of open connections let in when the addresses are given away, or no more.</summary>
    internal void Drain(string instance, bool isDraining) => Post(loop =>
    {
        if (isDraining)
            loop.Find(instance)!.BeginDraining();
        else
            loop.Find(instance)!.EndDraining();
    });

    /// <summary>What peers say of a handover of an instance, and whose advertisement was heard last; null: nobody's.</summary>
    internal (HandoverWord Word, bool IsHeard, IPAddress? Peer) Heard(string instance)
    {
        FailoverLoop loop = _opened.Task.Result;
        Instance found = loop.Find(instance)!;
        return (found.HandoverWords.Latest, found.HandoverWords.AreRecent(loop.Now), found.Heard?.Address);
    }

    /// <summary>Says goodbye for everything that is Active, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_thread.IsAlive)
        {
            Post(loop => loop.Stop());
            await Task.Run(_thread.Join);
        }

        await _tracking.DisposeAsync();
        _news.Writer.TryComplete();
        await _telling;
        _wake.Dispose();
    }

    /// <summary>Asks something on the failover thread.</summary>
    /// <exception cref="TimeoutException">It did not answer.</exception>
    internal Task<T> AskAsync<T>(Func<FailoverLoop, T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(loop => answer.SetResult(question(loop)));
        return answer.Task.WaitAsync(Patience, _time);
    }

    private void Post(Action<FailoverLoop> letter)
    {
        _mailbox.Enqueue(letter);
        _wake.Signal();
    }

    private void Run()
    {
        try
        {
            WarmUp.Run();
            using FailoverLoop loop = new(Settings, _talk, _setting, _time, _news.Writer, _mailbox, _wake);
            AskForPriority(loop);
            loop.Open();
            _opened.SetResult(loop);
            loop.Run();
        }
        catch (KernelException e) when (!_opened.Task.IsCompleted)
        {
            _opened.SetException(e);
        }
    }

    private void AskForPriority(FailoverLoop loop)
    {
        if (Settings.RealtimePriority == 0)
            return;
        _isRealtime = RealtimeThread.TryRaise(Settings.RealtimePriority, out Errno error);
        if (!_isRealtime)
            loop.Say(new NotAllowed("has no real-time priority (it takes CAP_SYS_NICE or LimitRTPRIO)", error));
        _isLocked = RealtimeThread.TryLockMemory(out error);
        if (!_isLocked)
            loop.Say(new NotAllowed("has no locked memory (it takes CAP_IPC_LOCK or LimitMEMLOCK)", error));
    }

    // What cannot be changed while it runs, and nothing else.
    private static HaSettings Fixed(HaSettings settings) => settings with
    {
        BackupCheckInterval = TimeSpan.Zero,
        HandoverTimeout = TimeSpan.Zero,
        Instances = [.. settings.Instances.Select(i => i with { Priority = i.Priority == Advertisement.Owner ? i.Priority : (byte)1, Preempts = true, PreemptDelay = TimeSpan.Zero })],
    };

    private void Tell(Tracked tracked, TrackedState state) => Post(loop =>
    {
        foreach (Instance instance in loop.Instances)
            instance.Hear(tracked, state, loop.Now);
    });

    private async Task TellAsync()
    {
        await foreach (News news in _news.Reader.ReadAllAsync())
        {
            try
            {
                Tell(news);
            }
#pragma warning disable CA1031 // who is told of a change must not keep the next from being told
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.TurnBroke(_logger, e);
            }
        }
    }

    private void Tell(News news)
    {
        switch (news)
        {
            case RoleChanged { Change: var t }:
                if (t.To == Role.Initialize && t.Reason != TransitionReason.Stopped)
                    Log.HeldBack(_logger, t.Instance, t.To, t.From, t.Why);
                else
                    Log.RoleChanged(_logger, t.Instance, t.To, t.From, t.Why);
                Changed?.Invoke(t);
                break;
            case NotStarted { Instance: var instance, Why: var why }:
                Log.NotStarted(_logger, instance, why);
                break;
            case AddressTrouble { Instance: var instance, What: var what }:
                Log.AddressTrouble(_logger, instance, what);
                break;
            case AddressPutBack { Instance: var instance }:
                Log.AddressPutBack(_logger, instance);
                break;
            case NotAllowed { What: var what, Error: var error }:
                Log.NotAllowed(_logger, what, error.ToString());
                break;
            case HandoverWordHeard:
                PeerSpoke?.Invoke();
                break;
            case TurnBroke { Why: var e }:
                Log.TurnBroke(_logger, e);
                break;
        }
    }
}
