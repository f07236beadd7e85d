using System.Net;
using Bascule.Core.Model;
using Bascule.Core.ProxyHeaders;
using Bascule.Core.Scheduling;
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

    /// <summary>No real server keeps the client's port, so one route does for all ports of the virtual server.</summary>
    public bool IsOfEveryPort { get; } = virtualServer.RealServers.All(r => r.Address.Port != 0) && virtualServer.SorryServer?.Address.Port != 0;

    /// <summary>Finds what a request is scheduled by; null where it is not by a part of it.</summary>
    public RequestKey? Key { get; } = virtualServer.Scheduler is RequestHash hash ? new(hash) : null;

    /// <summary>Peers whose connections begin with a header of the PROXY protocol; null: nobody's do.</summary>
    public AddressPrefixes? Believed { get; } = virtualServer.Configured.ProxyProtocol is { From.Count: > 0 } header ? new(header.From) : null;

    /// <summary>A connection to a real server is one client connection's alone: by its header, or its source, the real server knows the client.</summary>
    public bool IsPersonal { get; } = virtualServer.Configured is { IsTransparent: true } or { ProxyProtocol.Send: not null };
}

/// <summary>
/// One worker's listening socket for one address. A reload that keeps the address keeps this object, and only changes its
/// <see cref="Route"/>.
/// </summary>
internal abstract class Listener(Worker worker, IPEndPoint address, ListenSocket socket, Route route) : ReadySource
{
    private const int WarnEveryMilliseconds = 10_000;

    private Rest? _rest;
    private long _nextWarning;

    /// <summary>The address every client of it asks for; null where it listens on every address, and so each has its own.</summary>
    public ClientAddress? Destination { get; } = address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any) ? null : ClientAddress.Of(address);

    /// <summary>What its next connection, request or session goes by.</summary>
    public Route Route { get; private set; } = route;

    /// <summary>Closed: no longer configured, or the director is stopping.</summary>
    public bool IsRetired { get; private set; }

    /// <summary>Open, but its address is another director's.</summary>
    public bool IsResting => _rest is not null;

    /// <summary>Connections end after the request they are in: it is retired, or rests.</summary>
    public bool EndsConnections => IsRetired || IsResting;

    /// <summary>Connections accepted here, or sessions begun here, that are still open.</summary>
    public long OpenConnections { get; private set; }

    protected Worker Worker { get; } = worker;

    public void Open() => Worker.Loop.Watch(this, socket);

    /// <summary>Takes what already waits, so that nobody who got through is lost, then closes.</summary>
    public void Retire()
    {
        if (IsRetired)
            return;
        IsRetired = true;
        TakeLast();
        Wake();
        Worker.Loop.Forget(this);
        socket.Dispose();
    }

    /// <summary>The director stops: nobody new is heard. What is under way may go on until the worker ends.</summary>
    public virtual void Drain() => Retire();

    /// <summary>
    /// Its address is another director's from now on. Connections end after the request they are in, and are cut off after
    /// <paramref name="patience"/>. Who still comes, because he has not heard of the other director, is served.
    /// </summary>
    public void BeginRest(TimeSpan patience)
    {
        if (EndsConnections)
            return;
        _rest = new(Worker, this, Worker.Loop.Now + (long)patience.TotalMilliseconds);
        _rest.Begin();
    }

    /// <summary>Its address is ours again: everything as usual.</summary>
    public void Wake()
    {
        if (_rest is not null)
            Worker.Loop.Timers.Remove(_rest);
        _rest = null;
    }

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

    /// <summary>Whether it is time to warn again: not for every connection.</summary>
    protected bool MayWarn()
    {
        if (Worker.Loop.Now < _nextWarning)
            return false;
        _nextWarning = Worker.Loop.Now + WarnEveryMilliseconds;
        return true;
    }

    /// <summary>Takes what waits, before it is closed.</summary>
    protected abstract void TakeLast();

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
}
