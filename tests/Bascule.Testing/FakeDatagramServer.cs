using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Testing;

/// <summary>A real server for datagrams on a loopback port of its own: keeps what it is sent, and answers as it is told. It can die and come back on the same port.</summary>
public sealed class FakeDatagramServer : IDisposable
{
    private readonly Func<byte[], IEnumerable<byte[]>> _answers;
    private readonly ConcurrentQueue<(string Text, IPEndPoint From)> _received = new();
    private Socket _socket;

    /// <summary>Begins to listen.</summary>
    /// <param name="answers">What each datagram is answered with; there may be nothing.</param>
    /// <param name="address">Loopback address to listen on; a port of 127.0.0.1 unless told.</param>
    public FakeDatagramServer(Func<byte[], IEnumerable<byte[]>> answers, IPEndPoint? address = null)
    {
        _answers = answers;
        _socket = Listen(address ?? new(IPAddress.Loopback, 0));
        Address = (IPEndPoint)_socket.LocalEndPoint!;
    }

    /// <summary>Where it listens, or nobody does.</summary>
    public IPEndPoint Address { get; }

    /// <summary>What it was sent, as text, and from where.</summary>
    public IReadOnlyCollection<(string Text, IPEndPoint From)> Received => _received;

    /// <summary>One that answers each datagram with its name, and the same bytes behind it.</summary>
    public static FakeDatagramServer Named(string name, IPEndPoint? address = null) => new(datagram => [[.. Encoding.UTF8.GetBytes(name), .. datagram]], address);

    /// <summary>One that never answers.</summary>
    public static FakeDatagramServer Silent() => new(_ => []);

    /// <summary>From now on nobody listens there.</summary>
    public void Die() => _socket.Dispose();

    /// <summary>It listens again.</summary>
    public void ComeBack() => _socket = Listen(Address);

    /// <summary>Sends something that nobody asked for.</summary>
    public void Push(string text, IPEndPoint to) => _socket.SendTo(Encoding.UTF8.GetBytes(text), to);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private Socket Listen(IPEndPoint address)
    {
        Socket socket = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 20 };
        socket.Bind(address);
        new Thread(() => Serve(socket)) { IsBackground = true, Name = "fake datagram server" }.Start();
        return socket;
    }

    private void Serve(Socket socket)
    {
        byte[] buffer = new byte[65536];
        EndPoint from = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (true)
        {
            try
            {
                int length = socket.ReceiveFrom(buffer, ref from);
                _received.Enqueue((Encoding.UTF8.GetString(buffer, 0, length), (IPEndPoint)from));
                foreach (byte[] answer in _answers(buffer[..length]))
                    socket.SendTo(answer, from);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionReset)
            {
                // Who asked is gone.
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
