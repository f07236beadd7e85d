using System.Net;
using System.Net.Sockets;

namespace Bascule.Health.Tests.Peers;

/// <summary>A server of datagrams on loopback that says what the test says, and otherwise nothing.</summary>
internal sealed class DatagramServer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private EndPoint? _asker;

    public DatagramServer() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Waits for a question.</summary>
    public async Task<byte[]> HearAsync()
    {
        byte[] question = new byte[4096];
        SocketReceiveFromResult heard = await _socket.ReceiveFromAsync(question, new IPEndPoint(IPAddress.Any, 0)).WaitAsync(TimeSpan.FromSeconds(20));
        _asker = heard.RemoteEndPoint;
        return question[..heard.ReceivedBytes];
    }

    /// <summary>Answers whoever asked last.</summary>
    public Task SayAsync(byte[] answer) => _socket.SendToAsync(answer, _asker!);

    public void Dispose() => _socket.Dispose();
}
