using System.Net;
using System.Net.Sockets;

namespace Bascule.Proxy.Tests.Tcp;

/// <summary>A real server that neither accepts nor refuses: its queue of waiting connections is full, so the kernel answers no further one.</summary>
internal sealed class Filled : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _waiting = [];

    public Filled()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        for (int i = 0; i < 3; i++)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _waiting.Add(socket);
            Assert.Throws<SocketException>(() => socket.Connect(Address)); // it is in progress, and for the last ones stays so
        }

        Assert.False(_waiting[^1].Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectWrite), "the queue is longer than expected");
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public void Dispose()
    {
        foreach (Socket socket in _waiting)
            socket.Dispose();
        _listener.Dispose();
    }
}
