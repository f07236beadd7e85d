using System.Net;
using System.Net.Sockets;
using Bascule.Replication.Wire;

namespace Bascule.Replication;

/// <summary>Opens the connection to one peer, over each of its addresses in turn, and again when it is closed.</summary>
/// <param name="connect">Makes a connection of a socket and the secrets that were agreed on.</param>
internal sealed class Dialer(PeerChannel channel, Func<Socket, ChannelSecrets, Connection> connect, TimeProvider time, Random random)
{
    /// <summary>For the connection and the handshake.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Until told to stop.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        TimeSpan pause = ShortestPause;
        while (!stopping.IsCancellationRequested)
        {
            if (await OpenAsync(stopping) is { } connection)
            {
                pause = ShortestPause;
                await connection.Closed.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            // Half of it by chance, so that many pairs that a switch has cut off do not all come back in the same moment.
            await Task.Delay(pause * (0.5 + (random.NextDouble() / 2)), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(long.Min(2 * pause.Ticks, LongestPause.Ticks));
        }
    }

    private async Task<Connection?> OpenAsync(CancellationToken stopping)
    {
        foreach (IPEndPoint to in channel.Peer.EndPoints)
        {
            if (stopping.IsCancellationRequested)
                return null;
            if (await OpenAsync(to, stopping) is { } connection)
                return connection;
        }

        return null;
    }

    private async Task<Connection?> OpenAsync(IPEndPoint to, CancellationToken stopping)
    {
        Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using CancellationTokenSource patience = new(Patience, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            await socket.ConnectAsync(to, both.Token);
            if (await AgreeAsync(socket, to, both.Token) is { } secrets)
                return connect(socket, secrets);
        }
        catch (SocketException e)
        {
            channel.Fail($"{to}: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
                channel.Fail($"{to} does not answer within {Patience.TotalSeconds} s");
        }

        socket.Dispose();
        return null;
    }

    private async Task<ChannelSecrets?> AgreeAsync(Socket socket, IPEndPoint to, CancellationToken cancellation)
    {
        using Handshake.Dialer handshake = new(channel.Identity);
        await socket.SendWholeAsync(handshake.Hello, cancellation);
        byte[] answer = new byte[Handshake.HelloLength];
        if (!await socket.ReceiveExactlyAsync(answer, cancellation))
        {
            channel.Fail($"{to} hung up: its key for this director may be another one, or this director's address may not be among those it knows");
            return null;
        }

        if (handshake.Hear(answer, out byte[] finish, out ChannelSecrets? secrets) is { } failure)
        {
            channel.Count(Welcome.RejectionOf(failure));
            channel.Fail($"{to} answered, but is not {channel.Peer.Name} with our key ({failure})");
            return null;
        }

        await socket.SendWholeAsync(finish, cancellation);
        return secrets;
    }
}
