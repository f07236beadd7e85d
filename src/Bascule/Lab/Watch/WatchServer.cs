using System.Net;
using System.Net.Sockets;

namespace Bascule.Lab.Watch;

/// <summary>
/// <c>bascule lab-watch</c>: asks from a machine of the lab, all the time, who has an address and whether it answers, and writes what it sees,
/// a line each (<see cref="Sighting.Line"/>), until its stdin ends. A process of its own, so that it can have a real-time priority.
/// </summary>
internal static class WatchServer
{
    public const string Verb = "lab-watch";

    /// <summary>What it writes when it has begun to look.</summary>
    public const string Ready = "watching";

    public static async Task<int> RunAsync(string interfaceName, IPAddress address, ushort port, TimeSpan period)
    {
        // The sockets live as long as the process: a thread waits in one of them.
        Socket wire = PacketSocket.Open(interfaceName);
        WatchFrames frames = new(address, port, OwnAddress(address));
        using ManualResetEvent ended = new(false);
        Thread asking = new(() => Ask(frames, wire, new(address, 0), port != 0, period, ended)) { IsBackground = true };
        Thread looking = new(() => Look(frames, wire)) { IsBackground = true };
        Console.Out.WriteLine(Ready);
        looking.Start();
        if (period > TimeSpan.Zero)
            asking.Start();
        await Console.In.ReadToEndAsync();
        ended.Set();
        return ExitCode.Ok;
    }

    private static void Ask(WatchFrames frames, Socket wire, IPEndPoint address, bool hasService, TimeSpan period, WaitHandle ended)
    {
        using Socket echoes = Raw(address.Address, address.AddressFamily == AddressFamily.InterNetworkV6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp);
        using Socket connections = Raw(address.Address, ProtocolType.Tcp);
        TimeProvider time = TimeProvider.System;
        long began = time.GetTimestamp();
        for (int asked = 1; ; asked++)
        {
            wire.Send(frames.WhoHas(), SocketFlags.None, out _);
            Send(echoes, frames.EchoRequest(), address);
            if (hasService)
                Send(connections, frames.ConnectionRequest(), address);
            TimeSpan wait = (asked * period) - time.GetElapsedTime(began);
            if (ended.WaitOne(wait > TimeSpan.Zero ? wait : TimeSpan.Zero))
                return;
        }
    }

    // What comes back is for the one that looks; here it would only fill up.
    private static Socket Raw(IPAddress address, ProtocolType protocol) =>
        new(address.AddressFamily, SocketType.Raw, protocol) { ReceiveBufferSize = 0, Blocking = false };

    private static void Send(Socket socket, byte[] packet, IPEndPoint address)
    {
        try
        {
            socket.SendTo(packet, address);
        }
        catch (SocketException)
        {
            // No way there now, or an error about an earlier one. That nothing comes back tells enough.
        }
    }

    private static IPAddress OwnAddress(IPAddress towards)
    {
        using Socket socket = new(towards.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(towards, 9);
        return ((IPEndPoint)socket.LocalEndPoint!).Address;
    }

    private static void Look(WatchFrames frames, Socket wire)
    {
        using StreamWriter lines = new(Console.OpenStandardOutput()) { AutoFlush = true };
        byte[] frame = new byte[65536];
        while (true)
        {
            int length = wire.Receive(frame, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success && frames.Read(frame.AsSpan(0, length), TimeProvider.System.GetTimestamp()) is { } seen)
                lines.WriteLine(seen.Line);
        }
    }
}
