using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bascule.Testing;

/// <summary>
/// A real server on a loopback port of its own that does to every connection what a test's script says. When the script returns the
/// connection is closed properly. It can refuse for a while and come back on the same port.
/// </summary>
/// <example>
/// <code>
/// await using FakeRealServer web = FakeRealServer.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
/// await using FakeRealServer odd = FakeRealServer.Start(async client =>
/// {
///     await client.ReadHeadAsync();
///     await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbroken off");
///     client.Reset();
/// });
/// </code>
/// </example>
public sealed class FakeRealServer : IAsyncDisposable
{
    private readonly Func<FakeConnection, Task> _script;
    private readonly ConcurrentDictionary<FakeConnection, Task> _open = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentQueue<Exception> _failures = new();
    private Socket _socket;
    private Task _accepting = Task.CompletedTask;
    private int _accepted;

    private FakeRealServer(Func<FakeConnection, Task> script, IPEndPoint address)
    {
        _script = script;
        _socket = Bind(address);
        Address = (IPEndPoint)_socket.LocalEndPoint!;
    }

    /// <summary>Where it listens, or refuses.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Connections accepted so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Connections open now.</summary>
    public int Open => _open.Count;

    /// <summary>Every head read with <see cref="FakeConnection.ReadHeadAsync"/>, in order.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    /// <summary>What scripts threw, mostly because the other side reset under them; to look at when a test fails.</summary>
    public IReadOnlyCollection<Exception> Failures => _failures;

    /// <summary>Runs the script on every connection it accepts.</summary>
    /// <param name="script">One connection's life.</param>
    /// <param name="address">Loopback address to listen on; 127.0.0.1 unless told.</param>
    public static FakeRealServer Start(Func<FakeConnection, Task> script, IPAddress? address = null) =>
        Start(script, new IPEndPoint(address ?? IPAddress.Loopback, 0));

    /// <inheritdoc cref="Start(Func{FakeConnection, Task}, IPAddress?)"/>
    public static FakeRealServer Start(Func<FakeConnection, Task> script, IPEndPoint address)
    {
        FakeRealServer server = new(script, address);
        server.Listen();
        return server;
    }

    /// <summary>Reads a head, answers these bytes, closes.</summary>
    public static FakeRealServer Answering(string answer) => Start(async client =>
    {
        await client.ReadHeadAsync();
        await client.WriteAsync(answer);
    });

    /// <summary>Says the same so many times, unasked, and then listens.</summary>
    public static FakeRealServer Repeating(string words, int times) => Start(async client =>
    {
        for (int i = 0; i < times; i++)
            await client.WriteAsync(words);
        await client.ReadToEndAsync();
    });

    /// <summary>Answers every request on a connection with these bytes, until the client closes.</summary>
    public static FakeRealServer AnsweringKeepAlive(string answer) => Start(async client =>
    {
        while (await client.ReadHeadAsync() is not null)
            await client.WriteAsync(answer);
    });

    /// <summary>Accepts, and never says a word.</summary>
    public static FakeRealServer Stalling() => Start(client => client.ReadToEndAsync());

    /// <summary>Sends back every byte, until the client closes its side.</summary>
    public static FakeRealServer Echoing() => Start(async client =>
    {
        byte[] buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer) is > 0 and int count)
            await client.WriteAsync(buffer.AsMemory(0, count));
    });

    /// <summary>Has a port, and refuses connections to it until <see cref="Listen"/>.</summary>
    public static FakeRealServer Refusing() => new(client => client.ReadToEndAsync(), new(IPAddress.Loopback, 0));

    /// <summary>Accepts connections from now on.</summary>
    public void Listen()
    {
        Socket listener = _socket;
        listener.Listen(512);
        _accepting = AcceptAsync(listener);
    }

    /// <summary>Refuses new connections from now on; open ones go on.</summary>
    public async Task RefuseAsync()
    {
        _socket.Dispose();
        await _accepting;
        _socket = Bind(Address);
    }

    /// <summary>Dies: refuses new connections and resets the open ones.</summary>
    public async Task KillAsync()
    {
        await RefuseAsync();
        await ResetAllAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _accepting;
        await ResetAllAsync();
    }

    internal void Note(string request) => _requests.Enqueue(request);

    private async Task ResetAllAsync()
    {
        Task[] scripts = [.. _open.Values];
        foreach (FakeConnection connection in _open.Keys)
            connection.Reset();
        await Task.WhenAll(scripts);
    }

    private static Socket Bind(IPEndPoint address)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(address);
        return socket;
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            FakeConnection connection;
            try
            {
                connection = new(await listener.AcceptAsync(), this);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                return;
            }

            Interlocked.Increment(ref _accepted);
            TaskCompletionSource entered = new();
            _open[connection] = ServeAsync(connection, entered.Task);
            entered.SetResult(); // only now may the script end and take itself out again
        }
    }

    private async Task ServeAsync(FakeConnection connection, Task entered)
    {
        await entered;
        await Task.Yield(); // a script that blocks must not hold up the next connection
        try
        {
            await _script(connection);
        }
        catch (Exception e)
        {
            _failures.Enqueue(e);
        }
        finally
        {
            connection.Dispose();
            _open.TryRemove(connection, out _);
        }
    }
}
