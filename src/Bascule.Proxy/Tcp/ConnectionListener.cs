using System.Net;
using System.Text;
using Bascule.Core.Scheduling;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Tcp;

/// <summary>Accepts the connections of clients.</summary>
internal sealed class ConnectionListener(Worker worker, IPEndPoint address, TcpListenSocket socket, Route route)
    : Listener(worker, address, socket, route)
{
    /// <summary>Accepted in one go; then other sources have their turn.</summary>
    private const int AcceptsPerTurn = 64;

    private readonly TcpListenSocket _socket = socket;
    private readonly Resumption _resumption = new(worker, socket);

    /// <summary>Where clients connect, as text: stands in for the Host that an HTTP/1.0 request may lack.</summary>
    public byte[] Authority { get; } = Encoding.ASCII.GetBytes(address.ToString());

    /// <summary>Says so, but not for every connection.</summary>
    public void WarnCannotAccept(Errno error)
    {
        if (MayWarn())
            Log.CannotAccept(Worker.Logger, Route.VirtualServer.Configured.Name, error);
    }

    /// <summary>Says, but not for every connection, that a peer which should begin with a header of the PROXY protocol did not.</summary>
    public void WarnNoHeader(in ClientAddress peer, string why)
    {
        if (MayWarn())
            Log.NoProxyHeader(Worker.Logger, Route.VirtualServer.Configured.Name, peer.ToIPAddress(), why);
    }

    internal override void OnReady(Readiness readiness) => AcceptWaiting(AcceptsPerTurn);

    protected override void TakeLast()
    {
        AcceptWaiting(ProxyEngine.Backlog + 1); // no more can have waited; who goes on coming must not keep it open
        Worker.Loop.Timers.Remove(_resumption);
    }

    private void AcceptWaiting(int most)
    {
        for (int i = 0; i < most; i++)
        {
            if (_socket.Accept(out NativeAddress client, out Errno error) is { } accepted)
                Worker.Welcome(this, accepted, client);
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
        Worker.Loop.Unwatch(this, _socket);
        _resumption.Begin(this);
    }

    private sealed class Resumption(Worker worker, TcpListenSocket socket) : Timed
    {
        private const int PauseMilliseconds = 100;
        private ConnectionListener? _listener;

        public void Begin(ConnectionListener listener)
        {
            _listener = listener;
            worker.Loop.Timers.Set(this, worker.Loop.Now + PauseMilliseconds);
        }

        internal override void OnDeadline() => worker.Loop.Watch(_listener!, socket);
    }
}
