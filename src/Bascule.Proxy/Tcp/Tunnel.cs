using Bascule.Core.Model;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Tcp;

/// <summary>Bytes both ways between a client and a real server, until both have finished or one breaks.</summary>
internal sealed class Tunnel(EventLoop loop, Waiter waiter)
{
    private readonly ByteRelay _toServer = new(loop);
    private readonly ByteRelay _toClient = new(loop);

    /// <summary>Bytes handed to the real server so far.</summary>
    public long MovedToServer => _toServer.Moved;

    /// <summary>Bytes handed to the client so far.</summary>
    public long MovedToClient => _toClient.Moved;

    /// <summary>Runs it to its end. What the buffers hold goes first.</summary>
    /// <param name="idle">Without a byte either way for so long, it ends.</param>
    /// <param name="whenMoved">Called after each step.</param>
    public async ReactorTask<ForwardOutcome> RunAsync(
        TcpStream client, ReceiveBuffer fromClient, TcpStream server, ReceiveBuffer fromServer, TimeSpan idle, Action whenMoved)
    {
        _toServer.Begin(client, fromClient, server, length: null);
        _toClient.Begin(server, fromServer, client, length: null);
        client.Socket.KeepUrgentInline();
        server.Socket.KeepUrgentInline();
        bool clientFinished = false;
        bool serverFinished = false;
        while (true)
        {
            RelayState up = _toServer.Step();
            RelayState down = _toClient.Step();
            whenMoved();
            if ((EndOf(up, fromClient: true) ?? EndOf(down, fromClient: false)) is { } end)
                return end;

            // An end is passed on as an end: the other direction goes on.
            if (up == RelayState.Finished && !clientFinished)
            {
                clientFinished = true;
                server.ShutdownSend();
            }

            if (down == RelayState.Finished && !serverFinished)
            {
                serverFinished = true;
                client.ShutdownSend();
            }

            if (clientFinished && serverFinished)
                return ForwardOutcome.Completed;
            if (client.IsBroken)
                return ForwardOutcome.ClientLeft;
            if (server.IsBroken)
                return ForwardOutcome.RealServerBrokeOff;

            Wakening wakening = up == RelayState.Yields || down == RelayState.Yields
                ? await waiter.NextTurn()
                : await waiter.UntilEither(client, Wanted(up, down), server, Wanted(down, up), loop.Now + (long)idle.TotalMilliseconds);
            if (wakening == Wakening.Interrupted)
                return ForwardOutcome.ShutDown;
            if (wakening == Wakening.TimedOut)
                return clientFinished ? ForwardOutcome.RealServerTimedOut : ForwardOutcome.ClientTimedOut;
        }
    }

    /// <summary>Gives back what it holds.</summary>
    public void End()
    {
        _toServer.End();
        _toClient.End();
    }

    /// <summary>What a stream is waited for: as the sender of one direction, and as the receiver of the other.</summary>
    public static Interest Wanted(RelayState asSender, RelayState asReceiver) =>
        Interest.Failure
        | (asSender == RelayState.NeedsInput ? Interest.Read : Interest.Failure)
        | (asReceiver == RelayState.NeedsRoom ? Interest.Write : Interest.Failure);

    private static ForwardOutcome? EndOf(RelayState state, bool fromClient) => state switch
    {
        RelayState.InputBroke => fromClient ? ForwardOutcome.ClientLeft : ForwardOutcome.RealServerBrokeOff,
        RelayState.OutputBroke => fromClient ? ForwardOutcome.RealServerBrokeOff : ForwardOutcome.ClientLeft,
        RelayState.InputCutShort or RelayState.InputMalformed => throw new InvalidOperationException("Only a body can end so."),
        RelayState.Yields or RelayState.NeedsInput or RelayState.NeedsRoom or RelayState.Finished => null,
    };
}
