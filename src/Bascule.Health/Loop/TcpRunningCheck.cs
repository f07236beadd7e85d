using System.Net;
using Bascule.Core.Health;
using Bascule.Core.ProxyHeaders;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;

namespace Bascule.Health.Loop;

/// <summary>Connects, and closes: does it accept a connection? By the loop's own thread, without allocating.</summary>
/// <remarks>
/// The connection is closed properly (FIN) rather than reset: many servers log a reset as an error, once an interval for ever, and some count
/// it as an attack. A reset did not measure cheaper either (bench/health/run). The price is ours: a TIME_WAIT entry on the director for a minute a
/// check, which ports bear, since they are counted per real server; thousands of checks a second reach net.ipv4.tcp_max_tw_buckets, and then
/// the kernel drops the newest entries at once, which harms nobody who asks.
/// </remarks>
#pragma warning disable CA1001 // Every way out of a question closes the socket: Finish and Abandon.
internal class TcpRunningCheck : RunningCheck
#pragma warning restore CA1001
{
    private readonly NativeAddress _target;
    private readonly ReusableTcpSocket _socket = new();
    private bool _isConnected;

    public TcpRunningCheck(HealthRecord record, HealthLoop loop)
        : base(record, loop)
    {
        Target = record.Check.Port is { } port ? new(record.RealServer.Address, port) : record.RealServer;
        _target = NativeAddress.From(Target);
        Header = record.Check.ProxyProtocol is { } version ? ProxyHeaderWriter.OfNobody(version) : [];
    }

    /// <summary>The real server, with the check's own port when it has one.</summary>
    protected IPEndPoint Target { get; }

    /// <summary>The header of the PROXY protocol that connections begin with; empty: none.</summary>
    protected byte[] Header { get; }

    /// <inheritdoc cref="RunningCheck"/>
    protected ReusableTcpSocket Socket => _socket;

    /// <inheritdoc/>
    public sealed override void OnReady(Readiness readiness)
    {
        if (_isConnected)
        {
            Talk(readiness);
            return;
        }

        if ((readiness & (Readiness.Error | Readiness.HangUp)) != 0 && _socket.TakeError() is not Errno.None and var error)
        {
            Finish(SocketVerdict.On(error));
            return;
        }

        _isConnected = (readiness & Readiness.Write) != 0;
        if (_isConnected)
            Talk(readiness);
    }

    /// <summary>It is connected, or has become ready again.</summary>
    protected virtual void Talk(Readiness readiness)
    {
        IoResult sent = Header.Length > 0 ? Socket.Send(Header) : default;
        Finish(sent.IsError ? SocketVerdict.On(sent.Error) : Verdict.Pass("connected"));
    }

    /// <summary>Closes the connection, and concludes.</summary>
    protected void Finish(in Verdict verdict)
    {
        Abandon();
        Conclude(verdict);
    }

    /// <inheritdoc/>
    protected override void Ask()
    {
        _isConnected = false;
        Errno error = _socket.Connect(_target, Record.Mark);
        if (error == Errno.None)
            error = Loop.Watch(this, _socket.Descriptor);
        if (error != Errno.None)
            Finish(SocketVerdict.On(error));
    }

    /// <inheritdoc/>
    protected sealed override void Abandon()
    {
        Loop.Unwatch(this);
        _socket.Close();
        Forget();
    }

    /// <summary>Drops what belongs to this question.</summary>
    protected virtual void Forget()
    {
    }
}
