using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>A question asked over a TCP connection of its own.</summary>
/// <param name="target">The real server, with the check's own port when it has one.</param>
internal abstract class StreamProbe(IPEndPoint target) : Probe
{
    /// <inheritdoc cref="StreamProbe(IPEndPoint)" path="/param[@name='target']"/>
    protected IPEndPoint Target => target;

    /// <summary>The header of the PROXY protocol that the connection begins with; empty: none.</summary>
    public byte[] Header { get; init; } = [];

    /// <inheritdoc/>
    public sealed override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        try
        {
            using Socket socket = new(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            Mark(socket, mark);
            await socket.ConnectAsync(target, cancellation);
            if (Header.Length > 0)
                await socket.SendAsync(Header, cancellation);
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

/// <summary>A question asked in a conversation over TCP, encrypted or not.</summary>
internal abstract class ConversationProbe : StreamProbe
{
    private readonly TlsBegin? _begin;
    private readonly TlsClient? _tls;

    /// <summary>Never encrypted.</summary>
    /// <inheritdoc cref="StreamProbe(IPEndPoint)" path="/param"/>
    protected ConversationProbe(IPEndPoint target)
        : base(target)
    {
    }

    /// <summary>Encrypted as the check says.</summary>
    /// <inheritdoc cref="StreamProbe(IPEndPoint)" path="/param"/>
    /// <param name="time">For the dates of certificates.</param>
    protected ConversationProbe(ConversationCheck check, IPEndPoint target, TimeProvider time)
        : base(target)
    {
        if (check.Tls is { } tls)
            (_begin, _tls) = (tls.Begin, new(tls.Terms, time));
    }

    /// <summary>Whether the server is to be asked for TLS, by its protocol's own words; when it has agreed, <see cref="EncryptAsync"/>.</summary>
    protected bool StartsTls => _begin == TlsBegin.StartTls;

    /// <summary>Whether a login is hidden from whoever listens on the way.</summary>
    protected bool Encrypts => _tls is not null;

    /// <inheritdoc/>
    protected sealed override async ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation)
    {
        await using NetworkStream stream = new(socket);
        await using Conversation talk = new(stream);
        if (_begin == TlsBegin.Implicit)
            await EncryptAsync(talk, cancellation);
        Verdict verdict = await AskAsync(talk, cancellation);
        if (talk.Tls is not { } tls)
            return verdict;
        await talk.LeaveAsync();
        return verdict with { Warning = _tls!.WarningOf(tls) };
    }

    /// <summary>Talks. What goes wrong with the connection or the bounds of <see cref="Conversation"/> need not be caught.</summary>
    protected abstract ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation);

    /// <inheritdoc cref="Conversation.EncryptAsync"/>
    protected ValueTask EncryptAsync(Conversation talk, CancellationToken cancellation) => talk.EncryptAsync(_tls!, cancellation);

    /// <summary>It was asked for TLS in these words, and did not agree.</summary>
    protected static Verdict NoTls(string question, string answer) => Verdict.Failed($"no TLS: answered {question} with {answer}");
}
