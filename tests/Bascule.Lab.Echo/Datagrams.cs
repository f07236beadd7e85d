using System.Net;
using System.Net.Sockets;

namespace Bascule.Lab.Echo;

/// <summary>Sends datagrams one after the other, and writes for each a line with the name of who sent it back whole, or <c>lost</c>.</summary>
internal static class Datagrams
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(IPEndPoint to, int size, int count, bool eachFromNewSocket)
    {
        Socket socket = Open(to);
        for (int i = 0; i < count; i++)
        {
            if (eachFromNewSocket)
            {
                socket.Dispose();
                socket = Open(to);
            }

            Console.Out.WriteLine(await AskAsync(socket, size) ?? "lost");
        }

        socket.Dispose();
        return 0;
    }

    private static Socket Open(IPEndPoint to)
    {
        Socket socket = new(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(to);
        return socket;
    }

    private static async Task<string?> AskAsync(Socket socket, int size)
    {
        byte[] sent = new byte[size], answer = new byte[65536];
        Random.Shared.NextBytes(sent);
        using CancellationTokenSource patience = new(Patience);
        try
        {
            await socket.SendAsync(sent, patience.Token);
            int length = await socket.ReceiveAsync(answer, patience.Token);
            bool isWhole = length == Message.Length + size && answer.AsSpan(Message.Length, size).SequenceEqual(sent);
            return isWhole ? Message.NameIn(answer) : $"{length - Message.Length} other bytes";
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode.ToString();
        }
    }
}
