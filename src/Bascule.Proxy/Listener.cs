using System.Net;
using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Http1;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy;

/// <summary>
/// A virtual server as one worker serves it on one port: its live objects, and this worker's pools and counters for them. Ports of one virtual
/// server share everything but the pools of real servers that keep the client's port.
/// </summary>
internal sealed class Route(LiveVirtualServer virtualServer, RealServerPool[] pools, RealServerPool? sorryServer, VirtualServerCounters counters)
{
    public LiveVirtualServer VirtualServer { get; } = virtualServer;

    /// <summary>In the order of <see cref="LiveVirtualServer.RealServers"/>.</summary>
    public RealServerPool[] Pools { get; } = pools;

    public RealServerPool? SorryServer { get; } = sorryServer;

    public VirtualServerCounters Counters { get; } = counters;

    /// <summary>Finds what a request is scheduled by; null where it is not by a part of it.</summary>
    public RequestKey? Key { get; } = virtualServer.Scheduler is RequestHash hash ? new(hash) : null;
}

/// <summary>
/// One worker's listening socket for one address. A reload that keeps the address keeps this object, and only changes its
/// <see cref="Route"/>.
/// </summary>
internal sealed class Listener(Worker worker, IPEndPoint address, TcpListenSocket socket, Route route) : ReadySource, IDisposable
{
    /// <summary>Accepted in one go; then other sources have their turn.</summary>
    private const int AcceptsPerTurn = 64;

    private const int WarnEveryMilliseconds = 10_000;

    private readonly Resumption _resumption = new(worker, socket);
    private Rest? _rest;
    private long _nextWarning;

    /// <summary>The address every client of it asks for; null where it listens on every address, and so each connection has its own.</summary>
    public ClientAddress? Destination { get; } = address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any) ? null : ClientAddress.Of(address);

    /// <summary>Where clients connect, as text: stands in for the Host that an HTTP/1.0 request may lack.</summary>
    public byte[] Authority { get; } = Encoding.ASCII.GetBytes(address.ToString());

    /// <summary>What its next connection or request goes by.</summary>
    public Route Route { get; private set; } = route;

    /// <summary>Closed: no longer configured, or the director is stopping.</summary>
    public bool IsRetired { get; private set; }

    /// <summary>Open, but its address is another director's.</summary>
    public bool IsResting => _rest is not null;

    /// <summary>Connections end after the request they are in: it is retired, or rests.</summary>
    public bool EndsConnections => IsRetired || IsResting;

    /// <summary>Connections accepted here that are still open.</summary>
    public long OpenConnections { get; private set; }

    public void Open() => worker.Loop.Watch(this, socket);

    /// <summary>Takes what already waits, so that nobody who got through is reset, then closes.</summary>
    public void Retire()
    {
        if (IsRetired)
            return;
        IsRetired = true;
        AcceptWaiting(ProxyEngine.Backlog + 1); // no more can have waited; who goes on coming must not keep it open
        worker.Loop.Timers.Remove(_resumption);
        Wake();
        worker.Loop.Forget(this);
        Dispose();
    }

    /// <summary>
    /// Its address is another director's from now on. Connections end after the request they are in, and are cut off after
    /// <paramref name="patience"/>. Who still comes, because he has not heard of the other director, is served.
    /// </summary>
    public void BeginRest(TimeSpan patience)
    {
        if (EndsConnections)
            return;
        _rest = new(worker, this, worker.Loop.Now + (long)patience.TotalMilliseconds);
        _rest.Begin();
    }

    /// <summary>Its address is ours again: everything as usual.</summary>
    public void Wake()
    {
        if (_rest is not null)
            worker.Loop.Timers.Remove(_rest);
        _rest = null;
    }

    public void Dispose() => socket.Dispose();

    /// <summary>One more is open.</summary>
    public void NoteOpened()
    {
        OpenConnections++;
        Route.Counters.OpenConnections++;
    }

    /// <summary>One of them has ended.</summary>
    public void NoteEnded()
    {
        OpenConnections--;
        Route.Counters.OpenConnections--;
    }

    /// <summary>From now on it serves another virtual server, or the same one changed. Its open connections are counted there.</summary>
    public void Redirect(Route route)
    {
        Route.Counters.OpenConnections -= OpenConnections;
        route.Counters.OpenConnections += OpenConnections;
        Route = route;
    }

    /// <summary>Says so, but not for every connection.</summary>
    public void WarnCannotAccept(Errno error)
    {
        if (worker.Loop.Now < _nextWarning)
            return;
        Log.CannotAccept(worker.Logger, Route.VirtualServer.Configured.Name, error);
        _nextWarning = worker.Loop.Now + WarnEveryMilliseconds;
    }

    internal override void OnReady(Readiness readiness) => AcceptWaiting(AcceptsPerTurn);

    private void AcceptWaiting(int most)
    {
        for (int i = 0; i < most; i++)
        {
            if (socket.Accept(out NativeAddress client, out Errno error) is { } accepted)
                worker.Welcome(this, accepted, client);
            else if (error is Errno.ConnectionAborted or Errno.Interrupted)
                continue;
            else
            {
                if (error != Errno.WouldBlock && !IsRetired)
                    Pause(error);
                return;
            }
        }
    }

    // Out of descriptors or memory: the connection goes on waiting in the kernel, and so would the event, in every turn.
    private void Pause(Errno error)
    {
        WarnCannotAccept(error);
        worker.Loop.Unwatch(this, socket);
        _resumption.Begin(this);
    }

    /// <summary>What happens to the connections of an address that another director took over.</summary>
    private sealed class Rest(Worker worker, Listener listener, long end) : Timed
    {
        // A client may be sending its next request just now; to close first would lose it. Who has one sends it within this time.
        private const int GraceMilliseconds = 1000;
        private bool _isGraceOver;

        public void Begin() => worker.Loop.Timers.Set(this, long.Min(worker.Loop.Now + GraceMilliseconds, end));

        internal override void OnDeadline()
        {
            worker.Interrupt(listener, onlyIdle: worker.Loop.Now < end);
            if (!_isGraceOver && worker.Loop.Now < end)
                worker.Loop.Timers.Set(this, end);
            _isGraceOver = true;
        }
    }

    private sealed class Resumption(Worker worker, TcpListenSocket socket) : Timed
    {
        private const int PauseMilliseconds = 100;
        private Listener? _listener;

        public void Begin(Listener listener)
        {
            _listener = listener;
            worker.Loop.Timers.Set(this, worker.Loop.Now + PauseMilliseconds);
        }

        internal override void OnDeadline() => worker.Loop.Watch(_listener!, socket);
    }
}
