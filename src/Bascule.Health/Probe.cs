using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>What a probe found out.</summary>
/// <param name="Why">A short sentence without a full stop.</param>
/// <param name="WasAsked">False when the director itself could not ask; that says nothing about the real server.</param>
internal readonly record struct Verdict(bool Passed, string Why, bool WasAsked = true)
{
    public static Verdict Pass(string why) => new(true, why);

    public static Verdict Failed(string why) => new(false, why);

    public static Verdict NotAsked(string why) => new(false, why, WasAsked: false);
}

/// <summary>One kind of question, ready to be asked of one real server again and again.</summary>
/// <param name="target">The real server, with the check's own port when it has one.</param>
internal abstract class Probe(IPEndPoint target)
{
    /// <inheritdoc cref="Probe(IPEndPoint)" path="/param[@name='target']"/>
    protected IPEndPoint Target { get; } = target;

    /// <summary>The probe for this kind of check.</summary>
    /// <exception cref="ArgumentException">The check's regular expression is not one.</exception>
    public static Probe For(Check check, IPEndPoint realServer)
    {
        IPEndPoint target = check.Port is { } port ? new(realServer.Address, port) : realServer;
        return check switch
        {
            TcpCheck => new TcpProbe(target),
            HttpCheck http => new HttpProbe(http, target),
            _ => throw new ArgumentException($"no probe for {check.GetType().Name}", nameof(check)),
        };
    }

    /// <summary>Connects and asks. What the real server does, or fails to do, is a verdict and never an exception.</summary>
    /// <param name="mark">See <see cref="Core.Health.HealthRecord.Mark"/>.</param>
    /// <exception cref="OperationCanceledException">The time is up.</exception>
    public async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        try
        {
            using Socket socket = new(Target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            if (mark != 0)
                Mark(socket, mark);
            await socket.ConnectAsync(Target, cancellation);
            return await AskAsync(socket, cancellation);
        }
        catch (SocketException e)
        {
            return VerdictOn(e);
        }
    }

    /// <summary>Asks over a connection that has just been accepted.</summary>
    protected abstract ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation);

    // Bound before it connects: two checks of one virtual address from one port could not be told apart.
    private static void Mark(Socket socket, uint mark)
    {
        const int Level = 1, Option = 36; // SOL_SOCKET, SO_MARK
        socket.SetRawSocketOption(Level, Option, BitConverter.GetBytes(mark));
        socket.Bind(new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
    }

    private static Verdict VerdictOn(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => Verdict.Failed("connection refused"),
        SocketError.ConnectionReset => Verdict.Failed("connection reset"),
        SocketError.Shutdown => Verdict.Failed("connection reset"), // EPIPE: it was reset before we had written everything
        SocketError.HostUnreachable => Verdict.Failed("no route to host"),
        SocketError.NetworkUnreachable => Verdict.Failed("network unreachable"),
        SocketError.TooManyOpenSockets => Verdict.NotAsked("this director has no file descriptor left"),
        SocketError.AddressNotAvailable or SocketError.AddressAlreadyInUse => Verdict.NotAsked("this director has no free port left"),
        _ => Verdict.Failed(e.Message),
    };
}
