using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Bascule.Lab.Echo;

/// <summary>
/// Holds connections open, each with a message and its echo every so often. For every line on stdin, one line of JSON on stdout (see
/// <see cref="HolderReport"/>); ends with its stdin.
/// </summary>
internal sealed class Holder
{
    /// <summary>How long an echo may take: long enough for several retransmissions on a loaded machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A queue of SYNs much longer than this would only be retransmitted.</summary>
    private static readonly SemaphoreSlim Connecting = new(256);

    private readonly ConcurrentDictionary<string, int> _open = new();
    private readonly ConcurrentQueue<Breakage> _broken = new();
    private readonly IPEndPoint _to;
    private readonly TimeSpan _pause;
    private long _echoes;

    private Holder(IPEndPoint to, TimeSpan pause)
    {
        _to = to;
        _pause = pause;
    }

    public static async Task<int> RunAsync(IPEndPoint to, int count, TimeSpan pause)
    {
        Holder holder = new(to, pause);
        for (int i = 0; i < count; i++)
            _ = holder.HoldAsync(i);
        while (await Console.In.ReadLineAsync() is not null)
            Console.Out.WriteLine(JsonSerializer.Serialize(holder.Report()));
        return 0;
    }

    private HolderReport Report() => new(new Dictionary<string, int>(_open), [.. _broken], Interlocked.Read(ref _echoes));

    private async Task HoldAsync(int id)
    {
        string server = "nobody";
        long number = 0;
        try
        {
            using Socket socket = await ConnectAsync();
            byte[] sent = new byte[Message.Length], echoed = new byte[Message.Length];
            if (!await ReadAsync(socket, echoed))
                throw new IOException("closed without a greeting");
            server = Message.NameIn(echoed);
            _open.AddOrUpdate(server, 1, (_, n) => n + 1);
            // Spread over the pause, so that connections that began together do not speak together.
            await Task.Delay(_pause * Random.Shared.NextDouble());
            for (; ; number++)
            {
                Message.Write(sent, id, number);
                await socket.SendAsync(sent);
                if (!await ReadAsync(socket, echoed))
                    throw new IOException("closed");
                if (!sent.AsSpan().SequenceEqual(echoed))
                    throw new IOException("another echo came back");
                Interlocked.Increment(ref _echoes);
                await Task.Delay(_pause);
            }
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            if (server != "nobody")
                _open.AddOrUpdate(server, 0, (_, n) => n - 1);
            _broken.Enqueue(new(server, number, e is OperationCanceledException ? $"no echo within {Patience.TotalSeconds} s" : e.Message));
        }
    }

    private async Task<Socket> ConnectAsync()
    {
        await Connecting.WaitAsync();
        Socket socket = new(_to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using CancellationTokenSource patience = new(Patience);
            await socket.ConnectAsync(_to, patience.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        finally
        {
            Connecting.Release();
        }
    }

    private static async Task<bool> ReadAsync(Socket socket, byte[] into)
    {
        using CancellationTokenSource patience = new(Patience);
        return await Message.ReadAsync(socket, into, patience.Token);
    }
}
