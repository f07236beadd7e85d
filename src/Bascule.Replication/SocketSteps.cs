using System.Net.Sockets;

namespace Bascule.Replication;

/// <summary>Whole messages over a stream socket.</summary>
internal static class SocketSteps
{
    /// <summary>Fills the buffer.</summary>
    /// <returns>False when the other side ended before.</returns>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static async ValueTask<bool> ReceiveExactlyAsync(this Socket socket, Memory<byte> buffer, CancellationToken cancellation)
    {
        while (!buffer.IsEmpty)
        {
            int read = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);
            if (read == 0)
                return false;
            buffer = buffer[read..];
        }

        return true;
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static async ValueTask SendWholeAsync(this Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellation)..];
    }
}
