using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Replication.Wire;
using Microsoft.Extensions.Logging;

namespace Bascule.Replication;

/// <summary>Takes the connections of the peers that open theirs. Others get nothing, not even an answer.</summary>
internal sealed class Welcome(ImmutableArray<PeerChannel> channels, Action<PeerChannel, Socket, ChannelSecrets> connect, TimeProvider time, ILogger log)
{
    /// <summary>Connections that may be proving themselves at a time.</summary>
    private const int MostUnproven = 8;

    private static readonly TimeSpan BeforeNextTry = TimeSpan.FromSeconds(5);

    private readonly long[] _rejected = new long[Enum.GetValues<Rejection>().Length];
    private int _unproven;

    /// <summary>Where it listens; null while it does not.</summary>
    public IPEndPoint? At { get; private set; }

    /// <summary>Turned away before anybody knew whose they were.</summary>
    public long Rejected(Rejection what) => Volatile.Read(ref _rejected[(int)what]);

    /// <summary>What a failed handshake counts as.</summary>
    public static Rejection RejectionOf(HandshakeFailure failure) => failure switch
    {
        HandshakeFailure.NotOurs => Rejection.NotOurs,
        HandshakeFailure.OtherVersion => Rejection.OtherVersion,
        HandshakeFailure.WrongKey or HandshakeFailure.NoPoint => Rejection.WrongKey,
    };

    /// <summary>Until told to stop.</summary>
    /// <param name="at">The address any of IPv6 takes IPv4 as well.</param>
    public async Task RunAsync(IPEndPoint at, CancellationToken stopping)
    {
        bool hasSaid = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                using Socket listener = Listen(at);
                hasSaid = false;
                await AcceptAsync(listener, stopping);
            }
            catch (SocketException e)
            {
                if (!hasSaid)
                    Log.NotListening(log, $"cannot listen on TCP {at}: {e.Message}");
                hasSaid = true;
                await Task.Delay(BeforeNextTry, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                At = null;
            }
        }
    }

    private Socket Listen(IPEndPoint at)
    {
        Socket socket = new(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (at.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(at);
            socket.Listen();
            At = (IPEndPoint)socket.LocalEndPoint!;
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync(Socket listener, CancellationToken stopping)
    {
        while (true)
        {
            Socket socket = await listener.AcceptAsync(stopping);
            PeerChannel[] candidates = [.. channels.Where(c => c.IsAt(AddressOf(socket)))];
            if (candidates.Length == 0)
                Refuse(socket, Rejection.Stranger);
            else if (Volatile.Read(ref _unproven) >= MostUnproven)
                Refuse(socket, Rejection.TooMany);
            else
                _ = GreetAsync(socket, candidates, stopping);
        }
    }

    private async Task GreetAsync(Socket socket, PeerChannel[] candidates, CancellationToken stopping)
    {
        Interlocked.Increment(ref _unproven);
        using CancellationTokenSource patience = new(Dialer.Patience, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            socket.NoDelay = true;
            if (await AgreeAsync(socket, candidates, both.Token) is var (channel, secrets))
            {
                connect(channel, socket, secrets);
                return;
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
                candidates[0].Count(Rejection.Unfinished);
        }
        finally
        {
            Interlocked.Decrement(ref _unproven);
        }

        socket.Dispose();
    }

    private static async Task<(PeerChannel Channel, ChannelSecrets Secrets)?> AgreeAsync(Socket socket, PeerChannel[] candidates, CancellationToken cancellation)
    {
        byte[] hello = new byte[Handshake.HelloLength];
        if (!await socket.ReceiveExactlyAsync(hello, cancellation))
        {
            candidates[0].Count(Rejection.Unfinished);
            return null;
        }

        if (Choose(hello, candidates, out Handshake.Listener? handshake, out byte[] answer) is not { } channel)
            return null;
        await socket.SendWholeAsync(answer, cancellation);
        byte[] finish = new byte[Handshake.FinishLength];
        if (!await socket.ReceiveExactlyAsync(finish, cancellation))
        {
            channel.Count(Rejection.Unfinished);
            return null;
        }

        if (handshake!.Confirm(finish, out ChannelSecrets? secrets) is { } failure)
        {
            channel.Count(RejectionOf(failure));
            return null;
        }

        return (channel, secrets!);
    }

    /// <summary>The peer that this hello comes from: two may live at one address, each with its key.</summary>
    private static PeerChannel? Choose(byte[] hello, PeerChannel[] candidates, out Handshake.Listener? handshake, out byte[] answer)
    {
        HandshakeFailure? failure = null;
        foreach (PeerChannel candidate in candidates)
        {
            handshake = new(candidate.Identity);
            failure = handshake.Hear(hello, out answer);
            if (failure is null)
                return candidate;
        }

        (handshake, answer) = (null, []);
        candidates[0].Count(RejectionOf(failure!.Value));
        candidates[0].Fail($"somebody at its address said hello, but is not {candidates[0].Peer.Name} with our key ({failure})");
        return null;
    }

    private void Refuse(Socket socket, Rejection why)
    {
        Interlocked.Increment(ref _rejected[(int)why]);
        socket.Dispose();
    }

    private static IPAddress AddressOf(Socket socket)
    {
        IPAddress address = ((IPEndPoint)socket.RemoteEndPoint!).Address;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }
}
