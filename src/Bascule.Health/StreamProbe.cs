using System.Net;
using System.Net.Sockets;

namespace Bascule.Health;

/// <summary>A question asked over a TCP connection of its own.</summary>
/// <param name="target">The real server, with the check's own port when it has one.</param>
internal abstract class StreamProbe(IPEndPoint target) : Probe
{
    /// <inheritdoc cref="StreamProbe(IPEndPoint)" path="/param[@name='target']"/>
    protected IPEndPoint Target => target;

    /// <inheritdoc/>
    public sealed override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        try
        {
            using Socket socket = new(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            Mark(socket, mark);
            await socket.ConnectAsync(target, cancellation);
            return await AskAsync(socket, cancellation);
        }
        catch (SocketException e)
        {
            return VerdictOn(e);
        }
        catch (IOException e) when (e.InnerException is SocketException socket) // as streams put it
        {
            return VerdictOn(socket);
        }
        catch (ConversationException e)
        {
            return Verdict.Failed(e.Message);
        }
        catch (CannotAskException e)
        {
            return Verdict.NotAsked(e.Message);
        }
    }

    /// <summary>Asks over a connection that has just been accepted. It is closed afterwards. What goes wrong with it need not be caught.</summary>
    /// <exception cref="ConversationException">The real server ends it too early, or says what nobody can understand.</exception>
    /// <exception cref="CannotAskException">The director itself cannot ask.</exception>
    protected abstract ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation);
}

/// <summary>A question asked in a conversation over TCP.</summary>
/// <inheritdoc cref="StreamProbe(IPEndPoint)"/>
internal abstract class ConversationProbe(IPEndPoint target) : StreamProbe(target)
{
    /// <inheritdoc/>
    protected sealed override async ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation)
    {
        await using NetworkStream stream = new(socket);
        return await AskAsync(new Conversation(stream), cancellation);
    }

    /// <summary>Talks. What goes wrong with the connection or the bounds of <see cref="Conversation"/> need not be caught.</summary>
    protected abstract ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation);
}
