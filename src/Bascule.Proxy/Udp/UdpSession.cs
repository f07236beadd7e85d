using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Udp;

/// <summary>
/// Datagrams of one client and the real server that they go to, from a socket of their own: so what comes back on it is for this client. It ends
/// when it was idle for <see cref="Timeouts.Idle"/>. One whose real server has refused stays without a socket, and knows for its successor whom to avoid.
/// </summary>
internal sealed class UdpSession : ReadySource
{
    /// <summary>After so long with the sorry server, real servers that refused are asked again.</summary>
    private const int ForgiveAfterMilliseconds = 10_000;

    /// <summary>How long a director that stops waits for an answer. Who has none by now asks again, or never gets one.</summary>
    private const int AnswerWithinMilliseconds = 1000;

    private readonly Worker _worker;
    private readonly UdpSocket _socket;
    private readonly UdpPeer _peer;
    private readonly SessionHold _hold;
    private readonly IdleTimer _idle;
    private readonly long _begunAt;
    private Route _route;
    private TriedServers _tried;
    private bool _hasAnswered;
    private bool _isRemoved;
    private long _askedAt;
    private bool _awaitsAnswer;
    private bool _endsWithAnswer;

    /// <summary>Begins: takes the socket over, and watches it.</summary>
    /// <param name="choice">Which real server, and who was tried before it.</param>
    /// <exception cref="KernelException">It cannot be watched; the socket is still the caller's.</exception>
    public UdpSession(Worker worker, DatagramListener listener, in UdpKey key, in UdpPeer peer, in UdpChoice choice, UdpSocket socket)
    {
        worker.Loop.Watch(this, socket);
        (_worker, Listener, Key, _peer, _socket) = (worker, listener, key, peer, socket);
        (_route, Chosen, Pool, _hold, _tried) = (listener.Route, choice.Index, choice.Pool, choice.Hold, choice.Tried);
        _begunAt = worker.Loop.Now;
        _idle = new(this);
        IsOpen = true;
        Pool.Live.Opened();
        Pool.Live.BeginActive();
        CountGiven();
        listener.NoteOpened();
        worker.Sessions.Add(this);
    }

    /// <inheritdoc cref="UdpKey"/>
    public UdpKey Key { get; }

    public DatagramListener Listener { get; }

    /// <summary>Of its real server among the virtual server's; <see cref="Scheduler.None"/> for the sorry server.</summary>
    public int Chosen { get; private set; }

    public bool IsSorry => Chosen == Scheduler.None;

    /// <summary>The way to its real server.</summary>
    public RealServerPool Pool { get; }

    /// <summary>Its neighbours among the worker's, by their last datagram.</summary>
    public UdpSession? Newer { get; set; }

    /// <inheritdoc cref="Newer"/>
    public UdpSession? Older { get; set; }

    /// <summary>Its real server has not refused.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Who has refused its datagrams, and has not answered since.</summary>
    public TriedServers Tried => IsSorry && _worker.Loop.Now - _begunAt > ForgiveAfterMilliseconds ? default : _tried;

    /// <summary>
    /// Whether its datagrams go on to the same real server: it has not refused, is still configured, and may be sent anybody. Weight 0 ends no session. Who is
    /// with the sorry server, or with a fallback server while others serve, is scheduled anew.
    /// </summary>
    public bool MayGoOn(Route route)
    {
        if (!IsOpen || IsSorry || (_route != route && !Follow(route)))
            return false;
        return Pool.Live.KeepsClients;
    }

    /// <summary>Its real server was chosen for it, or for a datagram that is scheduled by itself.</summary>
    public void CountGiven()
    {
        Pool.Counters.Connections++;
        Pool.Counters.Requests++;
    }

    /// <summary>Sends datagrams of its client on.</summary>
    public Sending Send(DatagramBatch batch, int first, int count)
    {
        Touch();
        (_askedAt, _awaitsAnswer) = (_worker.Loop.Now, true);
        Sending sending = _socket.Send(batch, first, count);
        Pool.Counters.PacketsIn += sending.Sent;
        Pool.Counters.BytesIn += sending.Bytes;
        return sending;
    }

    /// <summary>The real server, or the network for it, has said that nobody takes datagrams there.</summary>
    public void Refuse()
    {
        Log.RealServerUnreachable(_worker.Logger, Pool.Address, Listener.Route.VirtualServer.Configured.Name, ForwardOutcome.RealServerRefused);
        Pool.Counters.Failures++;
        if (!IsSorry)
        {
            Pool.Judge(isGood: false);
            _tried.Add(Chosen);
        }

        Listener.Route.Counters.Count(ForwardOutcome.RealServerRefused);
        Close();
        if (Key.Towards is not null || _endsWithAnswer)
            Remove(); // its next datagram is chosen for without it, or there is none
    }

    /// <summary>Ends it; a refused one has been counted.</summary>
    public void End(ForwardOutcome outcome)
    {
        if (IsOpen)
        {
            Listener.Route.Counters.Count(outcome == ForwardOutcome.Completed && IsSorry ? ForwardOutcome.CompletedBySorryServer : outcome);
            Close();
        }

        Remove();
    }

    /// <summary>Ends it now, or with the answer to what was asked a moment ago.</summary>
    public void EndWhenAnswered()
    {
        long until = _askedAt + AnswerWithinMilliseconds;
        if (!IsOpen || !_awaitsAnswer || until <= _worker.Loop.Now)
        {
            End(ForwardOutcome.Completed);
            return;
        }

        _endsWithAnswer = true;
        _worker.Loop.Timers.Set(_idle, until);
    }

    internal override void OnReady(Readiness readiness)
    {
        DatagramBatch batch = _worker.Sessions.Batch;
        IoResult received = _socket.Receive(batch);
        if (received.Count > 0)
            Answer(batch);
        else if (received.IsError && received.Error != Errno.Interrupted && !received.Error.IsOurs())
            Refuse();
    }

    private void Answer(DatagramBatch batch)
    {
        Touch();
        Pool.Counters.PacketsOut += batch.Count;
        Pool.Counters.BytesOut += batch.Bytes;
        if (!_hasAnswered && !IsSorry)
        {
            Pool.Judge(isGood: true);
            _tried = default;
        }

        _hasAnswered = true;
        _awaitsAnswer = false;
        Listener.Answer(batch, _peer);
        if (_endsWithAnswer)
            End(ForwardOutcome.Completed);
    }

    /// <summary>A reload has made another route of it; false when the real server is not on it any more.</summary>
    private bool Follow(Route route)
    {
        int index = Array.IndexOf(route.Pools, Pool);
        if (index < 0)
            return false;
        (_route, Chosen, _tried) = (route, index, default);
        return true;
    }

    private void Touch()
    {
        _worker.Sessions.Touch(this);
        _worker.Loop.Timers.Set(_idle, _worker.Loop.Now + (long)_route.VirtualServer.Configured.Timeouts.Idle.TotalMilliseconds);
    }

    private void Close()
    {
        IsOpen = false;
        _worker.Loop.Forget(this);
        _socket.Dispose();
        Pool.Live.EndActive();
        Pool.Live.Closed();
        _hold.Release();
    }

    // Once: whoever takes over from one that has refused ends it, and it may have ended itself.
    private void Remove()
    {
        if (_isRemoved)
            return;
        _isRemoved = true;
        _worker.Loop.Timers.Remove(_idle);
        _worker.Sessions.Remove(this);
        Listener.NoteEnded();
        _worker.EndWhenDrained();
    }

    private sealed class IdleTimer(UdpSession session) : Timed
    {
        internal override void OnDeadline() => session.End(ForwardOutcome.Completed);
    }
}

/// <summary>Where answers go.</summary>
/// <param name="client">To whom.</param>
/// <param name="asked">From which address of this machine; only where the listener has every address.</param>
internal readonly struct UdpPeer(in NativeAddress client, in NativeAddress asked)
{
    public readonly NativeAddress Client = client;

    public readonly NativeAddress Asked = asked;
}

/// <summary>A real server that was chosen.</summary>
/// <param name="pool">The way to it.</param>
/// <param name="index">Of the virtual server's; <see cref="Scheduler.None"/> for the sorry server.</param>
/// <param name="hold">To be released when the session ends.</param>
/// <param name="tried">Who was not chosen, for having refused.</param>
internal readonly struct UdpChoice(RealServerPool pool, int index, SessionHold hold, in TriedServers tried)
{
    public readonly RealServerPool Pool = pool;

    public readonly int Index = index;

    public readonly SessionHold Hold = hold;

    public readonly TriedServers Tried = tried;
}
