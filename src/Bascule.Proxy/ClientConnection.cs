using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Linux;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;
using Bascule.Proxy.Tcp;

namespace Bascule.Proxy;

/// <summary>
/// One client connection and the story that serves it. What TCP and HTTP have in common: being known to the worker, reaching a
/// real server, ending.
/// </summary>
internal abstract partial class ClientConnection
{
    private TriedServers _tried;
    private RealServerPool? _serving;
    private SessionHold _session;
    private TimeSpan? _askedAt;
    private bool _isJudged;

    protected ClientConnection(Worker worker, ConnectionListener listener, TcpSocket socket, in NativeAddress address)
    {
        Worker = worker;
        Listener = listener;
        Route = listener.Route;
        Address = Worker.AddressOf(address);
        Waiter = new(worker.Loop);
        Client = new(worker.Loop, socket, Waiter);
        FromClient = new(worker.Loop.Buffers);
    }

    /// <summary>Its neighbours among the worker's connections.</summary>
    public ClientConnection? Next { get; set; }

    public ClientConnection? Previous { get; set; }

    public ConnectionListener Listener { get; }

    protected Worker Worker { get; }

    protected Waiter Waiter { get; }

    protected TcpStream Client { get; }

    protected ReceiveBuffer FromClient { get; }

    /// <summary>The client: who is connected, or whom a peer that is believed names.</summary>
    protected ClientAddress Address { get; private set; }

    /// <summary>The virtual server as of the current request (or connection).</summary>
    protected Route Route { get; set; }

    protected RealServerConnection? Server { get; private set; }

    protected bool IsSorry { get; private set; }

    /// <inheritdoc cref="ClientAddress.Content"/>
    protected ulong Content { get; set; }

    /// <summary>What the current request says of its session.</summary>
    protected SessionClaim Claim { get; set; }

    /// <summary>The index of the real server that was chosen last; <see cref="Scheduler.None"/> for the sorry server.</summary>
    protected int Chosen { get; private set; } = Scheduler.None;

    protected Timeouts Timeouts => Route.VirtualServer.Configured.Timeouts;

    /// <summary>Whether nothing would be lost if it were closed now.</summary>
    public abstract bool IsIdle { get; }

    /// <summary>Begins the story. It ends by calling <see cref="Worker.Farewell"/>.</summary>
    public void Begin() => RunAsync().Start(OnFault);

    /// <summary>Ends the wait of the story, which then closes.</summary>
    public void Interrupt() => Waiter.Interrupt();

    /// <summary>The story.</summary>
    protected abstract ReactorTask<bool> ServeAsync();

    /// <summary>Gives back what the protocol holds.</summary>
    protected abstract void Release();

    protected long In(TimeSpan patience) => Worker.Loop.Now + (long)patience.TotalMilliseconds;

    /// <summary>Forgets which real servers failed: a new request begins.</summary>
    protected void BeginTries()
    {
        _tried = default;
        IsSorry = false;
    }

    /// <summary>
    /// Finds a real server that accepts: asks the scheduler, takes an idle connection or opens one, and on failure asks again, never for one that
    /// failed already. When none is left the sorry server answers.
    /// </summary>
    /// <returns><see cref="ForwardOutcome.Completed"/> with <see cref="Server"/> set, or how it ended.</returns>
    protected async ReactorTask<ForwardOutcome> ReachRealServerAsync(bool mayReuse)
    {
        ForwardOutcome outcome = ForwardOutcome.NoRealServer;
        while (Choose(out int index) is { } pool)
        {
            Serve(pool);
            outcome = await ConnectAsync(pool, mayReuse);
            if (outcome is ForwardOutcome.Completed or ForwardOutcome.ClientLeft or ForwardOutcome.ShutDown)
                return outcome;
            Log.RealServerUnreachable(Worker.Logger, pool.Address, Route.VirtualServer.Configured.Name, outcome);
            pool.Counters.Failures++;
            Judge(isGood: false);
            StopServing();
            if (IsSorry)
                return outcome;
            _tried.Add(index);
        }

        return outcome;
    }

    /// <summary>The real server did not answer as it should: it will not be chosen again for this request.</summary>
    protected void CountFailure() => _serving!.Counters.Failures++;

    /// <summary>
    /// The real server answered this connection or request well, or badly: the passive check's evidence. The first word counts. A sorry server is not judged.
    /// </summary>
    protected void Judge(bool isGood)
    {
        if (_isJudged || IsSorry || _serving is not { } pool)
            return;
        _isJudged = true;
        pool.Judge(isGood);
    }

    /// <summary>Adds to what the real server has been sent and has sent.</summary>
    protected void CountBytes(long toServer, long fromServer)
    {
        if (_serving is null)
            return;
        _serving.Counters.BytesIn += toServer;
        _serving.Counters.BytesOut += fromServer;
    }

    /// <summary>The request or connection is over; the connection to the real server goes back to its pool or is closed.</summary>
    protected void LeaveServer(bool reusable, bool reset = false)
    {
        if (Server is { } server)
        {
            if (reusable && Route.IsPersonal)
                Keep(server);
            else if (reusable)
                _serving!.Return(server, Worker.Limits.PooledPerRealServer);
            else
                server.Close(reset);
        }

        Server = null;
        StopServing();
    }

    /// <summary>From now on the real server is waited for. Only noted where the scheduler goes by it.</summary>
    protected void BeginAnswerTime() => _askedAt = Route.VirtualServer.Scheduler.GoesByTime ? Worker.Loop.ReadClock() : null;

    /// <summary>It has answered, or was waited for in vain.</summary>
    protected void EndAnswerTime()
    {
        if (_askedAt is not { } began)
            return;
        TimeSpan now = Worker.Loop.ReadClock();
        _serving!.Live.AnswerTime.Note(now - began, now);
        _askedAt = null;
    }

    private RealServerPool? Choose(out int index)
    {
        index = _tried.Count < TriedServers.Capacity
            ? Route.VirtualServer.Pick(Asker(), Claim, _tried, Worker.Random, out _session)
            : Scheduler.None;
        Chosen = index;
        bool isNone = index == Scheduler.None;
        IsSorry = isNone && Route.SorryServer is not null;
        return isNone ? Route.SorryServer : Route.Pools[index];
    }

    private ClientAddress Asker()
    {
        ClientAddress source = Address with { Content = Content };
        return Route.VirtualServer.Scheduler.GoesByDestination ? source.To(Destination) : source;
    }

    private void Serve(RealServerPool pool)
    {
        _serving = pool;
        _isJudged = false;
        pool.Live.BeginActive();
        pool.Counters.Requests++;
    }

    private void StopServing()
    {
        _serving?.Live.EndActive();
        _serving = null;
        _askedAt = null;
        _session.Release();
        _session = default;
    }

    private async ReactorTask<ForwardOutcome> ConnectAsync(RealServerPool pool, bool mayReuse)
    {
        if (mayReuse && (Route.IsPersonal ? TakeKept(pool) : pool.Take(Waiter)) is { } idle)
        {
            Server = idle;
            return ForwardOutcome.Completed;
        }

        BeginAnswerTime();
        if (pool.BeginConnect(Waiter, Source(pool), out bool isOurs) is not { } connection)
        {
            _isJudged = isOurs; // nobody is ejected because this director has run out of something
            return ForwardOutcome.RealServerRefused;
        }

        Wakening wakening = await Waiter.UntilEither(connection.Stream, Interest.Write, Client, Interest.Failure, In(Timeouts.Connect));
        ForwardOutcome outcome = wakening switch
        {
            Wakening.Interrupted => ForwardOutcome.ShutDown,
            Wakening.TimedOut => ForwardOutcome.RealServerTimedOut,
            Wakening.Ready when connection.Stream.IsBroken => ForwardOutcome.RealServerRefused,
            Wakening.Ready when !connection.Stream.CanWrite => ForwardOutcome.ClientLeft,
            Wakening.Ready => connection.Stream.Socket.TakeError() == Errno.None ? ForwardOutcome.Completed : ForwardOutcome.RealServerRefused,
        };
        // Of HTTP the answer counts, not the connection; but a connection that took too long is no answer either.
        if (outcome == ForwardOutcome.RealServerTimedOut || (outcome == ForwardOutcome.Completed && Route.VirtualServer.Configured.Protocol == VirtualServerProtocol.Tcp))
            EndAnswerTime();
        _askedAt = null;
        if (outcome != ForwardOutcome.Completed)
        {
            connection.Close(reset: true);
            return outcome;
        }

        connection.Established();
        if (!SendProxyHeader(connection.Stream))
        {
            connection.Close(reset: true);
            return ForwardOutcome.RealServerRefused;
        }

        Server = connection;
        return ForwardOutcome.Completed;
    }

    private async ReactorTask<bool> RunAsync()
    {
        bool politely = Route.Believed?.Contain(Address) == true ? await ReadProxyHeaderAsync() && await ServeAsync() : await ServeAsync();
        End(reset: !politely);
        return true;
    }

    private void OnFault(Exception fault)
    {
        Log.StoryFailed(Worker.Logger, Route.VirtualServer.Configured.Name, fault);
        End(reset: true);
    }

    private void End(bool reset)
    {
        LeaveServer(reusable: false, reset);
        _kept?.Close();
        Release();
        FromClient.Release();
        Client.Close(reset);
        Waiter.Retire();
        Worker.Farewell(this);
    }
}
