using Bascule.Core.Model;
using Bascule.Core.ProxyHeaders;
using Bascule.Core.Scheduling;
using Bascule.Linux;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy;

/// <content>Who the client is, learnt from a proxy in front and told to the real server behind.</content>
internal abstract partial class ClientConnection
{
    private ClientAddress? _named;
    private RealServerConnection? _kept;

    /// <summary>Where the client connected.</summary>
    private ClientAddress Destination => _named ?? Listener.Destination ?? Worker.AddressOf(Client.Socket.LocalAddress);

    /// <summary>Reads the header of the PROXY protocol that the connection must begin with.</summary>
    /// <returns>Whether one came; otherwise the connection is to be closed.</returns>
    private async ReactorTask<bool> ReadProxyHeaderAsync()
    {
        long deadline = In(Timeouts.Request);
        while (true)
        {
            ProxyHeaderResult result = ProxyHeaderReader.Read(FromClient.Filled, out ProxyHeader header);
            if (result == ProxyHeaderResult.Complete)
            {
                Believe(header);
                return true;
            }

            if (result != ProxyHeaderResult.Incomplete)
                return RefuseHeader(InWords(result));
            Wakening wakening = await Waiter.Until(Client, Interest.Read, deadline);
            if (wakening == Wakening.TimedOut)
                return RefuseHeader("sent no whole header in time");
            if (wakening == Wakening.Interrupted)
                return false;
            IoResult received = FromClient.ReceiveFrom(Client);
            if (received.Count == 0 && !received.WouldBlock) // who comes and goes without a word, as a check does, has done nothing wrong
                return FromClient.Length > 0 && RefuseHeader("left in the middle of a header");
        }
    }

    private static string InWords(ProxyHeaderResult result) => result switch
    {
        ProxyHeaderResult.Missing => "did not begin with a header",
        ProxyHeaderResult.Malformed => "sent a malformed header",
        ProxyHeaderResult.TooLong => "sent a header that is too long",
        ProxyHeaderResult.WrongChecksum => "sent a header with a wrong checksum",
        ProxyHeaderResult.Complete or ProxyHeaderResult.Incomplete => throw new InvalidOperationException("Nothing is wrong with it."),
    };

    private bool RefuseHeader(string why)
    {
        Route.Counters.Count(ForwardOutcome.ClientSentNoProxyHeader);
        Listener.WarnNoHeader(Address, why);
        return false;
    }

    private void Believe(in ProxyHeader header)
    {
        FromClient.Consume(header.Length);
        if (!header.HasAddresses)
            return;
        Address = header.Source;
        _named = header.Destination;
    }

    /// <summary>Begins a connection to a real server with a header, where one is to be sent: together with the client's first bytes, where they are there.</summary>
    /// <returns>False when the connection is broken.</returns>
    private bool SendProxyHeader(TcpStream server)
    {
        if (Route.VirtualServer.Configured.ProxyProtocol?.Send is not { } version)
            return true;
        Span<byte> room = stackalloc byte[ProxyHeader.LongestWritten];
        ReadOnlySpan<byte> header = room[..ProxyHeaderWriter.Write(version, Address, Destination, room)];
        bool speaks = Route.VirtualServer.Configured.Protocol == VirtualServerProtocol.Http || FromClient.Length > 0 || Client.CanRead;
        return server.Send(header, moreFollows: speaks).Count == header.Length; // a connection that has just been made has room for it
    }

    /// <summary>The address from which the real server is to see the client come; null: this director's.</summary>
    private NativeAddress? Source(RealServerPool pool)
    {
        // A client that a header names may be of another family than the listener: it cannot be shown to a real server of this one.
        if (!Route.VirtualServer.Configured.IsTransparent || Address.IsIpv4 != pool.IsIpv4)
            return null;
        Span<byte> bytes = stackalloc byte[16];
        return NativeAddress.FromBytes(bytes[..Address.WriteTo(bytes)]);
    }

    /// <summary>
    /// Keeps a connection that names this client for its next request. It cannot go to the pool: there it would carry another client's request under
    /// this one's name. Of one client connection and not of all of an address, since the name has a port too.
    /// </summary>
    private void Keep(RealServerConnection server)
    {
        _kept?.Close();
        _kept = server;
        server.IsReused = true;
        server.IdleSince = Worker.Loop.Now;
    }

    private RealServerConnection? TakeKept(RealServerPool pool)
    {
        if (_kept is not { } kept || !kept.IsOf(pool))
            return null;
        _kept = null;
        if (kept.IsQuiet && Worker.Loop.Now < kept.IdleSince + (long)pool.KeepFor.TotalMilliseconds)
            return kept;
        kept.Close();
        return null;
    }
}
