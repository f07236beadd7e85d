using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bascule.Lab.Echo;

/// <summary>Sends every message back, over TCP and UDP, until it is killed. Says on stdout when it listens.</summary>
internal static class EchoServer
{
    public static async Task<int> RunAsync(string name, int port)
    {
        using Socket listener = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        listener.Listen(4096);
        // An answer must come from the address that was asked, and a socket of all addresses does not know which that was.
        foreach (IPAddress address in LocalAddresses())
            _ = AnswerDatagramsAsync(name, new(address, port));
        Console.Out.WriteLine("listening");

        while (true)
            _ = ServeAsync(name, await listener.AcceptAsync());
    }

    private static async Task ServeAsync(string name, Socket client)
    {
        using Socket socket = client;
        socket.NoDelay = true;
        byte[] message = new byte[Message.Length];
        try
        {
            await socket.SendAsync(Message.Greeting(name));
            for (long expected = 0; await Message.ReadAsync(socket, message); expected++)
            {
                if (Message.NumberOf(message) != expected)
                {
                    // Somebody else's connection: say so in the one way that cannot be mistaken.
                    Console.Out.WriteLine($"expected message {expected}, got {Message.NumberOf(message)}");
                    socket.LingerState = new(true, 0);
                    return;
                }

                await socket.SendAsync(message);
            }
        }
        catch (SocketException)
        {
            // The client reset it, or died.
        }
    }

    /// <summary>Answers with its name, and then what came.</summary>
    private static async Task AnswerDatagramsAsync(string name, IPEndPoint local)
    {
        using Socket socket = new(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(local);
        byte[] buffer = new byte[65536];
        Message.Greeting(name).CopyTo(buffer, 0);
        IPEndPoint anyone = new(local.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (true)
        {
            try
            {
                SocketReceiveFromResult came = await socket.ReceiveFromAsync(buffer.AsMemory(Message.Length), anyone);
                await socket.SendToAsync(buffer.AsMemory(0, Message.Length + came.ReceivedBytes), came.RemoteEndPoint);
            }
            catch (SocketException)
            {
                // An ICMP error about an earlier answer, or an answer too large to go with our name before it.
            }
        }
    }

    private static IEnumerable<IPAddress> LocalAddresses() =>
        NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address).Where(a => !a.IsIPv6LinkLocal);
}
