using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>Clients that send datagrams.</summary>
internal static class UdpClients
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A client that hears one address alone, so that an answer from another one never comes.</summary>
    public static Socket Connect(IPEndPoint to, IPAddress? from = null)
    {
        Socket socket = new(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (from is not null)
            socket.Bind(new IPEndPoint(from, 0));
        socket.Connect(to);
        return socket;
    }

    public static void Say(this Socket client, string text) => client.Send(Encoding.UTF8.GetBytes(text));

    /// <summary>The next datagram that comes.</summary>
    public static async Task<string> HearAsync(this Socket client)
    {
        byte[] buffer = new byte[65536];
        using CancellationTokenSource patience = new(Patience);
        int length = await client.ReceiveAsync(buffer, patience.Token);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <summary>Sends, and takes what comes back.</summary>
    public static Task<string> AskAsync(this Socket client, string text)
    {
        client.Say(text);
        return client.HearAsync();
    }

    /// <summary>Sends from a new socket, and takes what comes back.</summary>
    public static async Task<string> AskOnceAsync(IPEndPoint to, string text, IPAddress? from = null)
    {
        using Socket client = Connect(to, from);
        return await client.AskAsync(text);
    }
}
