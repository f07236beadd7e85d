using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Api;
using Bascule.Core.Replication;
using Bascule.Replication.Wire;
using Microsoft.Extensions.Logging;

namespace Bascule.Replication;

/// <summary>
/// Keeps state in step on the peers. One thread, "replication", calls every <see cref="IReplicatedState"/> and decides what is said; sockets are read
/// and written beside it, and never make it wait.
/// </summary>
public sealed class ReplicationEngine : IAsyncDisposable
{
    /// <summary>Between two collections of changes.</summary>
    private static readonly TimeSpan ChangesEvery = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan HeartEvery = TimeSpan.FromSeconds(1);

    /// <summary>A peer that says nothing for so long is gone, whatever TCP says.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);

    private readonly ImmutableArray<IReplicatedState> _states;
    private readonly ImmutableArray<PeerChannel> _channels;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly IPEndPoint _listenAt;
    private readonly Welcome _welcome;
    private readonly CancellationTokenSource _stopping = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Thread _thread;
    private readonly List<Task> _tasks = [];
    private readonly ConcurrentDictionary<Connection, Task> _connections = new();
    private ITimer? _timer;
    private long _lastChanges;
    private long _lastHeart;
    private uint _lastQuestion;

    /// <summary>Opens nothing yet.</summary>
    /// <param name="node">This director's name.</param>
    /// <param name="listenAt">Where peers are waited for whose names come before ours; the address any of IPv6 is everywhere.</param>
    public ReplicationEngine(string node, IEnumerable<ReplicationPeer> peers, IPEndPoint listenAt, IEnumerable<IReplicatedState> states, TimeProvider time, Random random, ILogger log)
    {
        _states = [.. states];
        _time = time;
        _random = random;
        _log = log;
        _listenAt = listenAt;
        _channels = [.. peers.Select(p => new PeerChannel(p, node, log))];
        _welcome = new([.. _channels.Where(c => !c.Dials)], (channel, socket, secrets) => Bring(channel, socket, secrets, weDialled: false), time, log);
        _thread = new(Run) { Name = "replication", IsBackground = true };
    }

    /// <summary>Answers the questions of a peer, named first; one of each peer at a time. An empty answer says: not now.</summary>
    public Func<string, byte[], Task<byte[]>> Answer { get; init; } = (_, _) => Task.FromResult<byte[]>([]);

    /// <summary>The channel to a peer has just been opened.</summary>
    public Action<string> Opened { get; init; } = _ => { };

    /// <summary>Where peers are waited for; null while they are not.</summary>
    internal IPEndPoint? ListensAt => _welcome.At;

    internal long Rejected(Rejection what) => _welcome.Rejected(what);

    /// <summary>Starts to look for the peers.</summary>
    public void Start()
    {
        _lastChanges = _lastHeart = _time.GetTimestamp();
        _thread.Start();
        _timer = _time.CreateTimer(_ => _wake.Set(), null, ChangesEvery, ChangesEvery);
        if (_channels.Any(c => !c.Dials))
            _tasks.Add(_welcome.RunAsync(_listenAt, _stopping.Token));
        _tasks.AddRange(_channels.Where(c => c.Dials)
            .Select(c => new Dialer(c, (socket, secrets) => Bring(c, socket, secrets, weDialled: true), _time, new(_random.Next())))
            .Select(d => d.RunAsync(_stopping.Token)));
    }

    /// <summary>How the channel to a peer stands; null when there is no such peer.</summary>
    public ChannelStatus? Status(string peer) => Find(peer)?.Status();

    /// <summary>Asks a peer.</summary>
    /// <returns>Its answer; null when there is no channel to it, or none within <paramref name="patience"/>.</returns>
    public async Task<byte[]?> AskAsync(string peer, byte[] question, TimeSpan patience)
    {
        if (Find(peer) is not { } channel)
            return null;
        uint id = Interlocked.Increment(ref _lastQuestion);
        Task<byte[]?> answer = channel.Await(id);
        Post(() =>
        {
            if (channel.Current is { WhyClosed: null } connection)
                connection.Exchange.Ask(id, question);
            else
                channel.Answered(id, null);
        });
        using CancellationTokenSource late = new(patience, _time);
        using CancellationTokenRegistration _ = late.Token.Register(() => channel.Answered(id, null));
        return await answer;
    }

    /// <summary>Closes everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
            _wake.Set();
            _thread.Join();
        }

        await Task.WhenAll(_tasks);
        foreach (Connection connection in _connections.Keys)
            connection.Close("this director stops");
        await Task.WhenAll(_connections.Values);
    }

    private PeerChannel? Find(string peer) => _channels.FirstOrDefault(c => c.Peer.Name == peer);

    private void Post(Action action)
    {
        _posted.Enqueue(action);
        _wake.Set();
    }

    private Connection Bring(PeerChannel channel, Socket socket, ChannelSecrets secrets, bool weDialled)
    {
        (RecordKey send, RecordKey receive) = weDialled ? (secrets.FromDialer, secrets.FromListener) : (secrets.FromListener, secrets.FromDialer);
        Connection connection = new(socket, send, receive, _states, _time, () => _wake.Set(), (from, id, question) => Asked(channel, from, id, question), channel.Answered);
        _connections[connection] = connection.RunAsync();
        _ = connection.Closed.ContinueWith(_ => _connections.TryRemove(connection, out Task? _), TaskScheduler.Default);
        channel.Bring(connection);
        _wake.Set();
        return connection;
    }

    private void Run()
    {
        while (!_stopping.IsCancellationRequested)
        {
            _wake.WaitOne();
            try
            {
                Turn();
            }
            catch (Exception e)
            {
                // A state of ours did what it must not. The director goes on; the peers get everything again.
                Log.Broke(_log, e);
                foreach (PeerChannel channel in _channels)
                    channel.Current?.Close("a mistake of ours broke it off");
            }
        }
    }

    private void Turn()
    {
        while (_posted.TryDequeue(out Action? action))
            action();
        foreach (PeerChannel channel in _channels)
        {
            if (channel.Settle())
                Opened(channel.Peer.Name);
            if (channel.Current is { } connection && !connection.TakeRecords() && connection.Silence > LongestSilence)
                connection.Close($"nothing was heard for {LongestSilence.TotalSeconds} s");
        }

        TakeChanges();
        bool withHeart = IsDue(ref _lastHeart, HeartEvery);
        foreach (PeerChannel channel in _channels)
        {
            if (channel.Current is not { WhyClosed: null } connection)
                continue;
            connection.Exchange.GoOn(withHeart);
            channel.NoteStatus(connection.Exchange.Status());
        }
    }

    private void TakeChanges()
    {
        if (!_channels.Any(c => c.Current is not null) || !IsDue(ref _lastChanges, ChangesEvery))
            return;
        for (int state = 0; state < _states.Length; state++)
        {
            int number = state;
            bool isWhole = _states[state].TakeChanges(entry => Tell(connection => connection.Exchange.Offer(number, entry.Span)));
            if (!isWhole)
                Tell(connection => connection.Exchange.LoseStep(number));
        }
    }

    private void Tell(Action<Connection> tell)
    {
        foreach (PeerChannel channel in _channels)
        {
            if (channel.Current is { WhyClosed: null } connection)
                tell(connection);
        }
    }

    private void Asked(PeerChannel channel, Connection connection, uint id, byte[] question)
    {
        if (!channel.TryBeginAnswer())
        {
            connection.Exchange.Answer(id, []);
            return;
        }

        _ = Task.Run(async () =>
        {
            byte[] answer = [];
            try
            {
                answer = await Answer(channel.Peer.Name, question);
            }
            catch (Exception e)
            {
                Log.Broke(_log, e);
            }

            channel.EndAnswer();
            Post(() => connection.Exchange.Answer(id, answer));
        });
    }

    private bool IsDue(ref long last, TimeSpan every)
    {
        long now = _time.GetTimestamp();
        if (_time.GetElapsedTime(last, now) < every)
            return false;
        last = now;
        return true;
    }
}
