using System.Net;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy;

/// <summary>One connection to a real server. Lives in the hands of one story, or idle in its pool.</summary>
internal sealed class RealServerConnection : IStreamOwner
{
    private readonly RealServerPool _pool;

    public RealServerConnection(EventLoop loop, TcpSocket socket, RealServerPool pool, IStreamOwner owner)
    {
        _pool = pool;
        Stream = new(loop, socket, owner);
    }

    public TcpStream Stream { get; }

    /// <summary>Whether it is to that real server, as that pool reaches it.</summary>
    public bool IsOf(RealServerPool pool) => _pool == pool;

    /// <summary>It has carried a request before, so the real server may have closed it in the meantime.</summary>
    public bool IsReused { get; set; }

    public bool IsEstablished { get; private set; }

    /// <summary>It waits for a request. Something to read now would be bytes nobody asked for, or the end; after a large answer only asking tells.</summary>
    public bool IsQuiet
    {
        get
        {
            Span<byte> unasked = stackalloc byte[1];
            return !Stream.IsBroken && (!Stream.CanRead || Stream.Receive(unasked).WouldBlock);
        }
    }

    /// <summary>Its neighbours among the idle ones, and since when it is idle.</summary>
    public RealServerConnection? Newer { get; set; }

    public RealServerConnection? Older { get; set; }

    public long IdleSince { get; set; }

    /// <summary>The connect succeeded.</summary>
    public void Established()
    {
        IsEstablished = true;
        _pool.Live.Opened();
        _pool.Counters.Connections++;
    }

    /// <summary>While it idles it is its own owner: bytes nobody asked for, or the end, take it out of the pool.</summary>
    public void OnChanged(TcpStream stream)
    {
        if (stream.CanRead || stream.IsBroken)
            _pool.Drop(this);
    }

    public void Close(bool reset = false)
    {
        if (Stream.IsClosed)
            return;
        Stream.Close(reset);
        if (IsEstablished)
            _pool.Live.Closed();
    }
}

/// <summary>
/// One worker's way to one real server: opens connections and keeps idle ones for the next request. The one used last goes out
/// first: it is the least likely to have been closed by the real server, and its memory is still in the cache.
/// </summary>
/// <param name="port">Its own, or where it keeps the client's that of a listener.</param>
internal sealed class RealServerPool(EventLoop loop, LiveRealServer live, int port, RealServerCounters counters) : Timed
{
    private readonly NativeAddress _address = NativeAddress.From(new(live.Address.Address, port));
    private RealServerConnection? _newest;
    private RealServerConnection? _oldest;
    private bool _retired;

    public LiveRealServer Live { get; } = live;

    /// <summary>Where it connects.</summary>
    public IPEndPoint Address { get; } = new(live.Address.Address, port);

    public RealServerCounters Counters { get; } = counters;

    public bool IsIpv4 => _address.IsIpv4;

    /// <summary>
    /// Whether answers here say how the real server is. Where clients keep their port, a connection to a port on which it does not listen says nothing of
    /// those on which it does: only the port that is checked counts.
    /// </summary>
    public bool IsJudged { get; set; }

    public int IdleCount { get; private set; }

    /// <summary>How long an idle connection is kept.</summary>
    public TimeSpan KeepFor { get; set; }

    /// <summary>An idle connection, or null when there is none.</summary>
    public RealServerConnection? Take(IStreamOwner owner)
    {
        if (_newest is not { } connection)
            return null;
        Unlink(connection);
        connection.Stream.Owner = owner;
        return connection;
    }

    /// <summary>Takes back a connection that has finished a request and may carry another; closes it when the pool is full or retired.</summary>
    public void Return(RealServerConnection connection, int most)
    {
        if (_retired || IdleCount >= most || !connection.IsQuiet)
        {
            connection.Close();
            return;
        }

        connection.IsReused = true;
        connection.Stream.Owner = connection;
        connection.IdleSince = loop.Now;
        Link(connection);
        if (IdleCount == 1)
            loop.Timers.Set(this, loop.Now + (long)KeepFor.TotalMilliseconds);
    }

    /// <summary>Begins to connect; null when that failed at once.</summary>
    /// <param name="source">The address to come from, which need not be this machine's; null: this machine's own.</param>
    /// <param name="isOurs">It failed for want of something here, which says nothing about the real server.</param>
    public RealServerConnection? BeginConnect(IStreamOwner owner, in NativeAddress? source, out bool isOurs)
    {
        try
        {
            TcpSocket? socket = TcpSocket.BeginConnect(_address, source, out Errno error);
            isOurs = error.IsOurs();
            return socket is null ? null : new(loop, socket, this, owner);
        }
        catch (KernelException)
        {
            isOurs = true; // it could not be watched
            return null;
        }
    }

    /// <summary>A socket towards it for datagrams; null when there is none to be had.</summary>
    /// <param name="error">Why.</param>
    public UdpSocket? OpenDatagrams(out Errno error) => UdpSocket.Connect(_address, out error);

    /// <summary>Notes how it answered a client.</summary>
    public void Judge(bool isGood)
    {
        if (!IsJudged)
            return;
        if (isGood)
        {
            Counters.GoodAnswers++;
            Live.Succeeded();
        }
        else
        {
            Counters.BadAnswers++;
            Live.Failed();
        }
    }

    /// <summary>The real server is gone from the configuration: closes what is idle; what is in use is closed when it comes back.</summary>
    public void Retire()
    {
        _retired = true;
        while (_newest is { } connection)
            Drop(connection);
        loop.Timers.Remove(this);
    }

    internal override void OnDeadline()
    {
        long keep = (long)KeepFor.TotalMilliseconds;
        while (_oldest is { } connection && connection.IdleSince + keep <= loop.Now)
            Drop(connection);
        if (_oldest is not null)
            loop.Timers.Set(this, _oldest.IdleSince + keep);
    }

    /// <summary>Closes an idle connection.</summary>
    public void Drop(RealServerConnection connection)
    {
        Unlink(connection);
        connection.Close();
    }

    private void Link(RealServerConnection connection)
    {
        connection.Older = _newest;
        if (_newest is not null)
            _newest.Newer = connection;
        _newest = connection;
        _oldest ??= connection;
        IdleCount++;
    }

    private void Unlink(RealServerConnection connection)
    {
        if (connection.Newer is null)
            _newest = connection.Older;
        else
            connection.Newer.Older = connection.Older;
        if (connection.Older is null)
            _oldest = connection.Newer;
        else
            connection.Older.Newer = connection.Newer;
        connection.Newer = connection.Older = null;
        IdleCount--;
    }
}
