using System.Collections.Concurrent;
using System.Threading.Channels;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Process;
using Microsoft.Extensions.Logging;

namespace Bascule.Vrrp.Engine;

/// <summary>
/// Decides which virtual addresses are this director's, on a thread of its own, and puts them on the interfaces. What it decides is on the
/// <see cref="RoleBoard"/>; every change is told to <see cref="Changed"/>.
/// </summary>
public sealed class VrrpEngine : IAsyncDisposable
{
    private const int NewsKept = 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5); // a letter is read at once; one that is not never will be

    private readonly Channel<News> _news = Channel.CreateBounded<News>(new BoundedChannelOptions(NewsKept) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    private readonly ConcurrentQueue<Action<FailoverLoop>> _mailbox = new();
    private readonly TaskCompletionSource<FailoverLoop> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WakeUp _wake = new();
    private readonly string _node;
    private readonly RoleBoard _board;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private Task _telling = Task.CompletedTask;
    private volatile bool _isRealtime;
    private volatile bool _isLocked;

    /// <summary>Makes the engine; nothing is touched yet.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="node">This director's name.</param>
    /// <param name="board">Where it publishes.</param>
    /// <param name="time">Whose timestamps count while the machine sleeps: <see cref="BootTime"/>.</param>
    /// <param name="logger">Takes a line per change of role.</param>
    public VrrpEngine(HaSettings settings, string node, RoleBoard board, TimeProvider time, ILogger<VrrpEngine> logger)
    {
        (Settings, _node, _board, _time, _logger) = (settings, node, board, time, logger);
        _thread = new(Run) { Name = "failover", IsBackground = true };
    }

    /// <summary>What it works with.</summary>
    public HaSettings Settings { get; }

    /// <summary>Called for every change of role, in their order, on a thread that may take its time.</summary>
    public event Action<Transition>? Changed;

    /// <summary>Opens the sockets and starts, as Backup, in the network namespace of the calling thread.</summary>
    /// <exception cref="KernelException">There is no netlink or no epoll here.</exception>
    public async Task StartAsync()
    {
        _thread.Start();
        await _opened.Task;
        _telling = TellAsync();
    }

    /// <summary>How things stand. Any thread.</summary>
    public HaStatus Status() => StatusMaker.Make(_node, _opened.Task.Result, _time, _isRealtime, _isLocked);

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

    /// <summary>Says goodbye for everything that is Active, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_thread.IsAlive)
        {
            Post(loop => loop.Stop());
            await Task.Run(_thread.Join);
        }

        _news.Writer.TryComplete();
        await _telling;
        _wake.Dispose();
    }

    private Task<T> AskAsync<T>(Func<FailoverLoop, T> question)
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
            using FailoverLoop loop = new(Settings, _board, _time, _news.Writer, _mailbox, _wake);
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

    private async Task TellAsync()
    {
        await foreach (News news in _news.Reader.ReadAllAsync())
            Tell(news);
    }

    private void Tell(News news)
    {
        switch (news)
        {
            case RoleChanged { Transition: var t }:
                if (t.To == Role.Initialize && t.Reason != TransitionReason.Stopped)
                    Log.HeldBack(_logger, t.Instance, t.To, t.From, t.Why);
                else
                    Log.RoleChanged(_logger, t.Instance, t.To, t.From, t.Why);
                Changed?.Invoke(t);
                break;
            case NotStarted { Instance: var instance, Why: var why }:
                Log.NotStarted(_logger, instance, why);
                break;
            case AddressesNotTaken { Instance: var instance, Interface: var name, Error: var error }:
                Log.AddressesNotTaken(_logger, instance, name, error.ToString());
                break;
            case NotAllowed { What: var what, Error: var error }:
                Log.NotAllowed(_logger, what, error.ToString());
                break;
            case TurnBroke { Why: var e }:
                Log.TurnBroke(_logger, e);
                break;
        }
    }
}
