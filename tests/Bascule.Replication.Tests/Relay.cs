using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bascule.Replication.Tests;

/// <summary>The network between two directors, in the hands of somebody else: carries connections, cuts them, changes and swallows what they carry.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<Line> _lines = [];
    private readonly Task _accepting;

    public Relay()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public IPEndPoint At => (IPEndPoint)_listener.LocalEndPoint!;

    public IPEndPoint To { get; set; } = new(IPAddress.Loopback, 1);

    /// <summary>Ends the connections there are.</summary>
    public void Cut()
    {
        foreach (Line line in _lines)
            line.Dispose();
    }

    /// <summary>Of the next bytes to the listener, one bit, on the connections there are.</summary>
    public void TurnABit()
    {
        foreach (Line line in _lines)
            line.TurnsABit = true;
    }

    /// <summary>Nothing more arrives on the connections there are, which stay open.</summary>
    public void SwallowEverything()
    {
        foreach (Line line in _lines)
            line.Swallows = true;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        Cut();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptAsync();
                Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(To);
                _lines.Add(new(client, server));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private sealed class Line : IDisposable
    {
        private readonly Socket _client;
        private readonly Socket _server;

        public Line(Socket client, Socket server)
        {
            (_client, _server) = (client, server);
            _ = CarryAsync(client, server, isToServer: true);
            _ = CarryAsync(server, client, isToServer: false);
        }

        public bool TurnsABit { get; set; }

        public bool Swallows { get; set; }

        public void Dispose()
        {
            _client.Dispose();
            _server.Dispose();
        }

        private async Task CarryAsync(Socket from, Socket to, bool isToServer)
        {
            byte[] buffer = new byte[64 * 1024];
            try
            {
                while (await from.ReceiveAsync(buffer) is var read and > 0)
                {
                    if (isToServer && TurnsABit)
                    {
                        buffer[read - 1] ^= 1;
                        TurnsABit = false;
                    }

                    if (!Swallows)
                        await to.SendAsync(buffer.AsMemory(0, read));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Cut.
            }

            Dispose();
        }
    }
}
