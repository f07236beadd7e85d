using Bascule.Core.Model;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Tcp;

/// <summary>A connection of a TCP virtual server: one decision, then bytes both ways until both sides have finished.</summary>
internal sealed class TcpConnection : ClientConnection
{
    private readonly Tunnel _tunnel;
    private readonly ReceiveBuffer _fromServer;
    private long _countedIn;
    private long _countedOut;

    public TcpConnection(Worker worker, ConnectionListener listener, TcpSocket socket, in NativeAddress address)
        : base(worker, listener, socket, address)
    {
        _tunnel = new(worker.Loop, Waiter);
        _fromServer = new(worker.Loop.Buffers);
    }

    /// <inheritdoc/>
    public override bool IsIdle => false;

    /// <summary>The client has sent nothing. Once it has, what ends the connection may be its doing, and no client shall have a real server ejected.</summary>
    private bool HasHeardNothing => _tunnel.MovedToServer == 0 && FromClient.Length == 0;

    /// <inheritdoc/>
    protected override async ReactorTask<bool> ServeAsync()
    {
        // 1. Find a real server that accepts.
        ForwardOutcome outcome = await ReachRealServerAsync(mayReuse: false);

        // 2. Move bytes both ways.
        if (outcome == ForwardOutcome.Completed)
            outcome = await _tunnel.RunAsync(Client, FromClient, Server!.Stream, _fromServer, Timeouts.Idle, CountMoved);

        // 3. Count how it ended, and pass a break on as a break.
        bool isComplete = outcome == ForwardOutcome.Completed;
        if (isComplete || (outcome == ForwardOutcome.RealServerBrokeOff && HasHeardNothing))
            Judge(isGood: isComplete);
        Route.Counters.Count(isComplete && IsSorry ? ForwardOutcome.CompletedBySorryServer : outcome);
        LeaveServer(reusable: false, reset: !isComplete);
        return isComplete;
    }

    /// <inheritdoc/>
    protected override void Release()
    {
        _tunnel.End();
        _fromServer.Release();
    }

    private void CountMoved()
    {
        if (_tunnel.MovedToClient > 0)
            Judge(isGood: true); // it speaks; that it resets later is how some programs end
        CountBytes(_tunnel.MovedToServer - _countedIn, _tunnel.MovedToClient - _countedOut);
        (_countedIn, _countedOut) = (_tunnel.MovedToServer, _tunnel.MovedToClient);
    }
}
