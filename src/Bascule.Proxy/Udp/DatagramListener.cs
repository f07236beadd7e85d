using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;

namespace Bascule.Proxy.Udp;

/// <summary>Hears the datagrams of clients, finds or begins the session of each, and sends the answers.</summary>
internal sealed class DatagramListener(Worker worker, IPEndPoint address, UdpListenSocket socket, Route route)
    : Listener(worker, address, socket, route)
{
    /// <summary>Forwarded in one go; then other sources have their turn.</summary>
    private const int DatagramsPerTurn = 4 * DatagramBatch.Capacity;

    /// <summary>Forwarded before it is closed; who goes on sending must not keep it open.</summary>
    private const int DatagramsAtTheEnd = 4096;

    private readonly UdpListenSocket _socket = socket;
    private readonly int _port = address.Port;

    private bool IsOnePacket => Route.VirtualServer.Configured.Packets.OnePacket;

    /// <summary>Sends what a real server has answered.</summary>
    public void Answer(DatagramBatch batch, in UdpPeer peer) => CountUnsent(_socket.Send(batch, 0, batch.Count, peer.Client, peer.Asked));

    /// <summary>Takes what waits, and no more; the answers to it are waited for.</summary>
    public override void Drain()
    {
        ForwardWaiting(DatagramsAtTheEnd);
        Worker.Loop.Unwatch(this, _socket);
        Worker.Sessions.EndWhenAnswered(this);
    }

    internal override void OnReady(Readiness readiness) => ForwardWaiting(DatagramsPerTurn);

    protected override void TakeLast()
    {
        ForwardWaiting(DatagramsAtTheEnd);
        Worker.Sessions.EndOf(this, ForwardOutcome.Completed);
    }

    private void ForwardWaiting(int most)
    {
        DatagramBatch batch = Worker.Sessions.Batch;
        for (int taken = 0; taken < most; taken += batch.Count)
        {
            if (_socket.Receive(batch).Count == 0)
                return;
            Forward(batch);
            if (batch.Count < DatagramBatch.Capacity)
                return;
        }
    }

    // What one client has sent in a row goes on in one call.
    private void Forward(DatagramBatch batch)
    {
        UdpKey next = KeyOf(batch, 0);
        for (int first = 0, end; first < batch.Count; first = end)
        {
            UdpKey key = next;
            for (end = first + 1; end < batch.Count; end++)
            {
                next = KeyOf(batch, end);
                if (IsOnePacket || next != key)
                    break;
            }

            Forward(batch, first, end - first, key);
        }
    }

    private void Forward(DatagramBatch batch, int first, int count, in UdpKey key)
    {
        UdpPeer peer = PeerOf(batch, first); // before anything is sent: sending takes away where they were sent to
        UdpSession? session = IsOnePacket ? null : Worker.Sessions.Find(key);
        if (session is null)
            Route.Counters.Connections++;
        bool goesOn = session is not null && session.MayGoOn(Route);
        TriedServers tried = session?.Tried ?? default;
        ForwardOutcome why = ForwardOutcome.NoRealServer;
        while (goesOn || (session = Reach(key, peer, session, ref tried, out why)) is not null)
        {
            Sending sending = session!.Send(batch, first, count);
            if (sending.Left == 0 || session.IsSorry || sending.Error.IsOurs())
            {
                CountUnsent(sending);
                return;
            }

            // It says now that nobody took what was sent before: another real server takes the rest.
            CountUnsent(sending with { Left = 0 });
            (first, count, goesOn) = (first + count - sending.Left, sending.Left, false);
            tried.Add(session.Chosen);
            session.Refuse();
        }

        Route.Counters.Count(why, count);
    }

    /// <summary>Has a real server chosen, and a socket towards it, for the datagrams of a client.</summary>
    /// <param name="known">The session that must not go on; null: there is none, or each datagram is for itself.</param>
    /// <param name="tried">Who is not to be chosen; who fails now is added.</param>
    /// <param name="why">Why there is none.</param>
    private UdpSession? Reach(in UdpKey client, in UdpPeer peer, UdpSession? known, ref TriedServers tried, out ForwardOutcome why)
    {
        while (true)
        {
            SessionHold hold = default;
            int index = tried.Count < TriedServers.Capacity ? Route.VirtualServer.Pick(client.Client, tried, Worker.Random, out hold) : Scheduler.None;
            RealServerPool? pool = index == Scheduler.None ? Route.SorryServer : Route.Pools[index];
            why = tried.Count > 0 ? ForwardOutcome.RealServerRefused : ForwardOutcome.NoRealServer;
            UdpKey key = client with { Towards = IsOnePacket ? pool : null };
            if (IsOnePacket)
                known = Worker.Sessions.Find(key);
            if (known is { IsOpen: true } same && same.Pool == pool)
            {
                hold.Release();
                if (IsOnePacket)
                    same.CountGiven();
                return same;
            }

            known?.End(ForwardOutcome.Completed);
            known = null;
            if (pool is null)
                return null;
            if (!Worker.MakeRoom())
                why = ForwardOutcome.WorkerFull;
            else if (Open(key, peer, new(pool, index, hold, tried)) is { } session)
                return session;
            hold.Release();
            if (index == Scheduler.None || why == ForwardOutcome.WorkerFull)
                return null;
            tried.Add(index);
        }
    }

    private UdpSession? Open(in UdpKey key, in UdpPeer peer, in UdpChoice choice)
    {
        UdpSocket? socket = choice.Pool.OpenDatagrams(out Errno error);
        if (socket is null && error.IsOurs())
        {
            if (MayWarn())
                Log.CannotOpenSession(Worker.Logger, Route.VirtualServer.Configured.Name, error);
            if (Worker.Sessions.TryEndOldest())
                socket = choice.Pool.OpenDatagrams(out error);
        }

        try
        {
            if (socket is not null)
                return new(Worker, this, key, peer, choice, socket);
        }
        catch (KernelException unwatched)
        {
            socket!.Dispose();
            error = unwatched.Errno;
        }

        choice.Pool.Counters.Failures++;
        if (!error.IsOurs() && choice.Index != Scheduler.None)
            choice.Pool.Judge(isGood: false);
        return null;
    }

    private void CountUnsent(in Sending sending)
    {
        Route.Counters.Count(ForwardOutcome.DatagramTooLarge, sending.TooLong);
        Route.Counters.Count(ForwardOutcome.DatagramNotSent, sending.Left);
    }

    private UdpKey KeyOf(DatagramBatch batch, int index)
    {
        ref readonly NativeAddress client = ref batch.Source(index);
        return new(Worker.AddressOf(client).To(Destination ?? Worker.AddressOf(batch.Destination(index))), _port, client.Scope, Towards: null);
    }

    private UdpPeer PeerOf(DatagramBatch batch, int index) =>
        new(batch.Source(index), _socket.IsEveryAddress ? batch.Destination(index) : default);
}
