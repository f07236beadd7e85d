using Bascule.Core.Model;
using Bascule.Linux.Sockets;

namespace Bascule.Proxy.Udp;

/// <summary>The UDP sessions of one worker, in the order of their last datagram.</summary>
internal sealed class UdpSessions : IDisposable
{
    private readonly Dictionary<UdpKey, UdpSession> _sessions = [];
    private UdpSession? _newest;
    private UdpSession? _oldest;
    private DatagramBatch? _batch;

    /// <summary>Where datagrams are while they are forwarded; made when the first are. Valid until the next are received.</summary>
    public DatagramBatch Batch => _batch ??= new();

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>Finds one.</summary>
    public UdpSession? Find(in UdpKey key) => _sessions.GetValueOrDefault(key);

    /// <summary>One has begun.</summary>
    public void Add(UdpSession session)
    {
        _sessions.Add(session.Key, session);
        Link(session);
    }

    /// <summary>One has ended.</summary>
    public void Remove(UdpSession session)
    {
        _sessions.Remove(session.Key);
        Unlink(session);
    }

    /// <summary>A datagram of it has come, from whichever side.</summary>
    public void Touch(UdpSession session)
    {
        if (session == _newest)
            return;
        Unlink(session);
        Link(session);
    }

    /// <summary>Ends the one that is idle longest, for another; false when there is none.</summary>
    public bool TryEndOldest()
    {
        if (_oldest is not { } oldest)
            return false;
        oldest.End(ForwardOutcome.WorkerFull);
        return true;
    }

    /// <summary>Ends those of a listener.</summary>
    public void EndOf(Listener listener, ForwardOutcome outcome)
    {
        for (UdpSession? session = _newest, older; session is not null; session = older)
        {
            older = session.Older;
            if (session.Listener == listener)
                session.End(outcome);
        }
    }

    /// <summary>Ends all.</summary>
    public void EndAll(ForwardOutcome outcome)
    {
        while (_newest is { } session)
            session.End(outcome);
    }

    /// <summary>Ends those of a listener as soon as nothing that was asked lately waits for its answer.</summary>
    public void EndWhenAnswered(Listener listener)
    {
        for (UdpSession? session = _newest, older; session is not null; session = older)
        {
            older = session.Older;
            if (session.Listener == listener)
                session.EndWhenAnswered();
        }
    }

    public void Dispose() => _batch?.Dispose();

    private void Link(UdpSession session)
    {
        session.Older = _newest;
        if (_newest is not null)
            _newest.Newer = session;
        _newest = session;
        _oldest ??= session;
    }

    private void Unlink(UdpSession session)
    {
        if (session.Newer is null)
            _newest = session.Older;
        else
            session.Newer.Older = session.Older;
        if (session.Older is null)
            _oldest = session.Newer;
        else
            session.Older.Newer = session.Newer;
        session.Newer = session.Older = null;
    }
}
