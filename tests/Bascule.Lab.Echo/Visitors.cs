using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Bascule.Lab.Echo;

/// <summary>Visitors that each connect, exchange one message, leave, and come back on a new connection. One line of JSON at the end.</summary>
internal sealed class Visitors
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20); // a SYN is sent again after 1, 3, 7 and 15 s

    private readonly ConcurrentDictionary<string, int> _served = new();
    private readonly ConcurrentDictionary<string, int> _failed = new();
    private readonly ConcurrentQueue<TimeSpan> _times = new();

    public static async Task<int> RunAsync(IPEndPoint to, int count, TimeSpan howLong)
    {
        Visitors visitors = new();
        Stopwatch since = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => visitors.VisitAgainAsync(to, () => since.Elapsed < howLong)));
        VisitReport report = new(visitors._served, visitors._failed, visitors._times.DefaultIfEmpty().Max().TotalMilliseconds);
        Console.Out.WriteLine(JsonSerializer.Serialize(report));
        return 0;
    }

    private async Task VisitAgainAsync(IPEndPoint to, Func<bool> goOn)
    {
        while (goOn())
        {
            Stopwatch time = Stopwatch.StartNew();
            try
            {
                string server = await VisitAsync(to);
                _served.AddOrUpdate(server, 1, (_, n) => n + 1);
                _times.Enqueue(time.Elapsed);
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
                _failed.AddOrUpdate(e is OperationCanceledException ? $"not within {Patience.TotalSeconds} s" : e.Message, 1, (_, n) => n + 1);
            }

            await Task.Delay(5);
        }
    }

    private static async Task<string> VisitAsync(IPEndPoint to)
    {
        using CancellationTokenSource patience = new(Patience);
        using Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(to, patience.Token);
        byte[] sent = new byte[Message.Length], echoed = new byte[Message.Length];
        // Speaks first, as a browser does. Who waits to be spoken to waits forever when the last ACK of a handshake with a SYN cookie is lost:
        // the server then knows nothing of it, and only data would be sent again.
        Message.Write(sent, Random.Shared.NextInt64(), 0);
        await socket.SendAsync(sent, patience.Token);
        if (!await Message.ReadAsync(socket, echoed, patience.Token))
            throw new IOException("closed without a greeting");
        string server = Message.NameIn(echoed);
        if (!await Message.ReadAsync(socket, echoed, patience.Token) || !sent.AsSpan().SequenceEqual(echoed))
            throw new IOException("no echo of what was sent");
        return server;
    }
}
