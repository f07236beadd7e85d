using System.Buffers;
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
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LargestDatagram);
        try
        {
            using Socket socket = new(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            Mark(socket, mark);
            await socket.ConnectAsync(target, cancellation); // so that ICMP errors come back to it, and strangers' datagrams do not
            return await AskAsync(new DatagramTalk(socket, buffer), cancellation);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return Verdict.Failed("nobody listens (ICMP port unreachable)");
        }
        catch (SocketException e)
        {
            return VerdictOn(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Asks.</summary>
    protected abstract ValueTask<Verdict> AskAsync(DatagramTalk talk, CancellationToken cancellation);
}

/// <summary>Datagrams to and from the real server alone.</summary>
/// <param name="socket">Connected.</param>
/// <param name="buffer">Holds the largest datagram.</param>
internal readonly struct DatagramTalk(Socket socket, byte[] buffer)
{
    /// <summary>Our end.</summary>
    public IPEndPoint Local => (IPEndPoint)socket.LocalEndPoint!;

    /// <summary>Sends a datagram.</summary>
    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellation) => socket.SendAsync(datagram, cancellation);

    /// <summary>Waits for a datagram; it is valid until the next.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellation) =>
        buffer.AsMemory(0, await socket.ReceiveAsync(buffer, cancellation));
}
