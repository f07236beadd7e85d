using System.Net;
using System.Net.Sockets;

namespace Bascule.Health;

/// <summary>A question asked in a datagram, from a port of its own.</summary>
/// <param name="target">The real server, with the check's own port when it has one.</param>
internal abstract class DatagramProbe(IPEndPoint target) : Probe
{
    private const int LargestDatagram = 65_535;

    /// <inheritdoc cref="DatagramProbe(IPEndPoint)" path="/param[@name='target']"/>
    protected IPEndPoint Target => target;

    /// <inheritdoc/>
    public sealed override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        try
        {
            using Socket socket = new(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            Mark(socket, mark);
            await socket.ConnectAsync(target, cancellation); // so that ICMP errors come back to it, and strangers' datagrams do not
            return await AskAsync(socket, cancellation);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return Verdict.Failed("nobody listens (ICMP port unreachable)");
        }
        catch (SocketException e)
        {
            return VerdictOn(e);
        }
    }

    /// <summary>Asks with a socket that hears the real server alone. It is closed afterwards.</summary>
    protected abstract ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation);

    /// <summary>Waits for a datagram.</summary>
    protected static async ValueTask<byte[]> ReceiveAsync(Socket socket, CancellationToken cancellation)
    {
        byte[] buffer = new byte[LargestDatagram];
        int count = await socket.ReceiveAsync(buffer, cancellation);
        return buffer[..count];
    }
}
