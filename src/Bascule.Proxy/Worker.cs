using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Core.Scheduling;
using Bascule.Linux;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Http1;
using Bascule.Proxy.Reactor;
using Bascule.Proxy.Tcp;
using Bascule.Proxy.Udp;
using Microsoft.Extensions.Logging;

namespace Bascule.Proxy;

/// <summary>
/// One thread of the data plane and everything it owns: its loop, listeners, pools, client connections and UDP sessions. Workers share nothing but the live
/// objects of the snapshot. Every method but <see cref="Start"/> and the posting ones runs on the worker's own thread.
/// </summary>
internal sealed class Worker
{
    private readonly Dictionary<ListenKey, Listener> _listeners = [];
    private readonly Dictionary<(LiveRealServer, int Port), RealServerPool> _pools = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _index;
    private ClientConnection? _connections;
    private int _connectionCount;
    private bool _isDraining;

    public Worker(int index, Limits limits, TimeProvider time, Random random, ILogger logger)
    {
        _index = index;
        Limits = limits;
        Random = random;
        Logger = logger;
        Loop = new(time);
    }

    public EventLoop Loop { get; }

    public Random Random { get; }

    public ILogger Logger { get; }

    /// <summary>Where heads are parsed. Valid until the next parse on this worker, so never over an <c>await</c>.</summary>
    public RequestHead RequestHead { get; } = new();

    /// <inheritdoc cref="RequestHead"/>
    public ResponseHead ResponseHead { get; } = new();

    /// <summary>Of the clients that send datagrams.</summary>
    public UdpSessions Sessions { get; } = new();

    public Limits Limits { get; private set; }

    /// <summary>Its ways to the real servers of the snapshot.</summary>
    public IReadOnlyCollection<RealServerPool> Pools => _pools.Values;

    /// <summary>Where it listens.</summary>
    public IReadOnlyCollection<Listener> Listeners => _listeners.Values;

    /// <summary>Completes when the thread has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>An address in the form that schedulers read.</summary>
    public static ClientAddress AddressOf(in NativeAddress address) => ClientAddress.Of(address.AddressBytes, address.Port);

    /// <summary>Starts the thread.</summary>
    public void Start() => new Thread(Run) { Name = $"worker-{_index}", IsBackground = true }.Start();

    /// <summary>
    /// Makes the snapshot this worker's world. <paramref name="opened"/> are its own sockets for addresses it does not listen on yet; one that
    /// could not be opened is not among them, and not served.
    /// </summary>
    /// <returns>Completes when it is.</returns>
    public Task PostApply(Snapshot snapshot, RoleSet roles, IReadOnlyDictionary<ListenKey, ListenSocket> opened)
    {
        TaskCompletionSource applied = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Post(() =>
        {
            Apply(snapshot, roles, opened);
            applied.SetResult();
        });
        return applied.Task;
    }

    /// <summary>Accepts no more, lets what is under way finish, then ends.</summary>
    public void PostDrain() => Loop.Post(Drain);

    /// <summary>Cuts off what is still under way.</summary>
    public void PostCut() => Loop.Post(Cut);

    /// <summary>Cuts off what is still under way on addresses that are another director's.</summary>
    public void PostCutResting() => Loop.Post(() =>
    {
        foreach (Listener listener in _listeners.Values.Where(l => l.IsResting))
            Interrupt(listener, onlyIdle: false);
    });

    /// <summary>
    /// Whether there is room for one more connection or session. A session that has been idle makes room: who floods with datagrams keeps no
    /// connection out.
    /// </summary>
    public bool MakeRoom() => _connectionCount + Sessions.Count < Limits.ConnectionsPerWorker || Sessions.TryEndOldest();

    /// <summary>A client has been accepted.</summary>
    public void Welcome(ConnectionListener listener, TcpSocket socket, in NativeAddress address)
    {
        Route route = listener.Route;
        route.Counters.Connections++;
        socket.SetNoDelay();
        if (!MakeRoom())
        {
            Refuse(route, socket);
            return;
        }

        ClientConnection connection;
        try
        {
            connection = route.VirtualServer.Configured.Protocol switch
            {
                VirtualServerProtocol.Tcp => new TcpConnection(this, listener, socket, address),
                VirtualServerProtocol.Http => new HttpConnection(this, listener, socket, address),
                VirtualServerProtocol.Udp => throw new InvalidOperationException("Nobody connects to a UDP virtual server."),
            };
        }
        catch (KernelException refused)
        {
            // The system is full, not this worker; for the client it comes to the same.
            listener.WarnCannotAccept(refused.Errno);
            route.Counters.Count(ForwardOutcome.WorkerFull);
            return;
        }

        Link(connection);
        listener.NoteOpened();
        connection.Begin();
    }

    /// <summary>A client connection has ended.</summary>
    public void Farewell(ClientConnection connection)
    {
        Unlink(connection);
        connection.Listener.NoteEnded();
        EndWhenDrained();
    }

    /// <summary>A connection or session has ended; where it was the last one that a stopping director waited for, the thread ends.</summary>
    public void EndWhenDrained()
    {
        if (!_isDraining || _connectionCount > 0 || Sessions.Count > 0)
            return;
        _isDraining = false; // what listeners do at their end may begin sessions and end them
        foreach (Listener listener in _listeners.Values)
            listener.Retire();
        foreach (RealServerPool pool in _pools.Values)
            pool.Retire();
        Loop.Stop();
    }

    /// <summary>Ends connections that a listener accepted, and unless only idle ones are meant, its sessions.</summary>
    public void Interrupt(Listener listener, bool onlyIdle)
    {
        if (!onlyIdle)
            Sessions.EndOf(listener, ForwardOutcome.ShutDown);
        foreach (ClientConnection connection in Connections())
        {
            if (connection.Listener == listener && (connection.IsIdle || !onlyIdle))
                connection.Interrupt();
        }
    }

    private static void Refuse(Route route, TcpSocket socket)
    {
        route.Counters.Count(ForwardOutcome.WorkerFull);
        if (route.VirtualServer.Configured.Protocol == VirtualServerProtocol.Http)
            socket.Send(Responses.For(ForwardOutcome.WorkerFull, Method.Get));
        else
            socket.ResetOnClose();
        socket.Dispose();
    }

    private void Run()
    {
        try
        {
            Loop.Run();
            Sessions.Dispose();
            Loop.Dispose();
            _ended.SetResult();
        }
        catch (Exception fault)
        {
            // A worker that is gone would leave its share of connections hanging; better the process ends and is restarted.
            Log.WorkerFailed(Logger, _index, fault);
            _ended.SetException(fault);
            throw;
        }
    }

    private void Apply(Snapshot snapshot, RoleSet roles, IReadOnlyDictionary<ListenKey, ListenSocket> opened)
    {
        Limits = snapshot.Configuration.Limits;
        TimeSpan patience = snapshot.Configuration.ShutdownTimeout;
        if (snapshot.Configuration.Ha is { } ha && ha.HandoverTimeout > patience)
            patience = ha.HandoverTimeout;
        HashSet<Route> routes = [];
        HashSet<ListenKey> served = [];
        foreach (LiveVirtualServer virtualServer in snapshot.Proxied)
        {
            Route? route = null;
            foreach (ListenAddress place in virtualServer.Configured.Addresses.Where(a => roles.Listens(a.Ip)))
            {
                foreach (ListenKey key in ListenKey.Of(virtualServer.Configured, place))
                {
                    served.Add(key);
                    routes.Add(route = RouteTo(virtualServer, key, ofAnotherPort: route));
                    Serve(key, route, roles.Serves(place.Ip));
                }
            }
        }

        foreach ((ListenKey key, Listener listener) in _listeners.Where(l => !served.Contains(l.Key)).ToArray())
            Close(key, listener);
        HashSet<RealServerPool> wanted = [.. routes.SelectMany(r => r.Pools), .. routes.Select(r => r.SorryServer).OfType<RealServerPool>()];
        foreach (((LiveRealServer, int) key, RealServerPool pool) in _pools.Where(p => !wanted.Contains(p.Value)).ToArray())
        {
            _pools.Remove(key);
            pool.Retire();
        }

        void Serve(ListenKey key, Route route, bool isOurs)
        {
            if (ListenOn(key, route, opened) is not { } listener)
                return;
            if (isOurs)
                listener.Wake();
            else
                listener.BeginRest(patience);
        }
    }

    private Listener? ListenOn(ListenKey key, Route route, IReadOnlyDictionary<ListenKey, ListenSocket> opened)
    {
        if (_listeners.TryGetValue(key, out Listener? listener))
        {
            listener.Redirect(route);
            return listener;
        }

        listener = opened.GetValueOrDefault(key) switch
        {
            TcpListenSocket tcp => new ConnectionListener(this, key.Address, tcp, route),
            UdpListenSocket udp => new DatagramListener(this, key.Address, udp, route),
            _ => null,
        };
        if (listener is null)
            return null;
        _listeners.Add(key, listener);
        listener.Open();
        return listener;
    }

    private void Close(ListenKey key, Listener listener)
    {
        _listeners.Remove(key);
        listener.Retire();
        Interrupt(listener, onlyIdle: true);
    }

    /// <summary>The one of another port, where every port has the same; the one it had, where nothing has changed; else a new one.</summary>
    private Route RouteTo(LiveVirtualServer virtualServer, ListenKey key, Route? ofAnotherPort)
    {
        if (ofAnotherPort is { IsOfEveryPort: true })
            return ofAnotherPort;
        if (_listeners.GetValueOrDefault(key)?.Route is { } before && before.VirtualServer == virtualServer)
            return before;
        RealServerPool[] pools = [.. virtualServer.RealServers.Select(r => PoolOf(r, key.Address.Port, virtualServer))];
        RealServerPool? sorry = virtualServer.SorryServer is { } live ? PoolOf(live, key.Address.Port, virtualServer) : null;
        return new(virtualServer, pools, sorry, virtualServer.Counters[_index]);
    }

    private RealServerPool PoolOf(LiveRealServer live, int clientsPort, LiveVirtualServer virtualServer)
    {
        int port = live.Address.Port == 0 ? clientsPort : live.Address.Port;
        if (!_pools.TryGetValue((live, port), out RealServerPool? pool))
            _pools.Add((live, port), pool = new(Loop, live, port, live.Counters[_index]));
        pool.KeepFor = virtualServer.Configured.Timeouts.Pool;
        pool.IsJudged = port == virtualServer.Configured.CheckedAt(live.Address).Port;
        return pool;
    }

    private void Drain()
    {
        foreach (Listener listener in _listeners.Values)
        {
            listener.Drain();
            Interrupt(listener, onlyIdle: true);
        }

        _isDraining = true; // only now: the last connection may have ended while some listener still had clients waiting
        EndWhenDrained();
    }

    private void Cut()
    {
        Sessions.EndAll(ForwardOutcome.ShutDown);
        foreach (ClientConnection connection in Connections())
            connection.Interrupt();
    }

    // A copy, since a connection that is interrupted takes itself off the list at once.
    private List<ClientConnection> Connections()
    {
        List<ClientConnection> connections = new(_connectionCount);
        for (ClientConnection? connection = _connections; connection is not null; connection = connection.Next)
            connections.Add(connection);
        return connections;
    }

    private void Link(ClientConnection connection)
    {
        connection.Next = _connections;
        if (_connections is not null)
            _connections.Previous = connection;
        _connections = connection;
        _connectionCount++;
    }

    private void Unlink(ClientConnection connection)
    {
        if (connection.Previous is null)
            _connections = connection.Next;
        else
            connection.Previous.Next = connection.Next;
        if (connection.Next is not null)
            connection.Next.Previous = connection.Previous;
        connection.Next = connection.Previous = null;
        _connectionCount--;
    }
}
