using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Bascule.Core.Api;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

/// <summary>A <c>bascule run</c> with a folder of its own, an HTTP virtual server on a free port, and a client for it.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private BasculeProcess? _process;

    public int Port { get; } = BasculeProcess.FreePorts();

    public string Folder { get; } = Directory.CreateTempSubdirectory("bascule-run-").FullName;

    public string File => Path.Combine(Folder, "bascule.yaml");

    public string Socket => Path.Combine(Folder, "admin.sock");

    public BasculeProcess Process => _process!;

    /// <summary>Writes the file: one HTTP virtual server over these real servers.</summary>
    /// <param name="more">Further lines for the virtual server.</param>
    /// <param name="workers">1 or more.</param>
    public void Write(IEnumerable<FakeRealServer> realServers, string more = "", int workers = 1) => System.IO.File.WriteAllText(File, $$"""
        workers: {{workers}}
        admin: { socket: {{Socket}} }
        shutdownTimeout: 20s
        stateFile: {{Folder}}/state.json
        virtualServers:
          web:
            address: 127.0.0.1:{{Port}}
            protocol: http
            scheduler: rr
            realServers: [{{string.Join(", ", realServers.Select(r => r.Address))}}]
            {{more}}

        """);

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync(params (string Name, string Value)[] environment)
    {
        _process = BasculeProcess.StartWith(environment, "run", "-c", File);
        await _process.HasWrittenAsync("Ready:");
    }

    /// <summary>Starts it with more arguments and waits until it is ready.</summary>
    public async Task StartWithAsync(params string[] arguments)
    {
        _process = BasculeProcess.Start(["run", "-c", File, .. arguments]);
        await _process.HasWrittenAsync("Ready:");
    }

    /// <summary>One request on a connection that stays open for the next.</summary>
    public Task<string> GetAsync(string path = "/") => _client.GetStringAsync(new Uri($"http://127.0.0.1:{Port}{path}"));

    /// <summary>A client of the API.</summary>
    public HttpClient Api() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            System.Net.Sockets.Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    /// <summary>A connection to the virtual server.</summary>
    public async Task<TcpClient> ConnectAsync()
    {
        TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        return client;
    }

    /// <summary>What <c>bascule status --json</c> says.</summary>
    public async Task<DirectorStatus> StatusAsync()
    {
        (int code, string output, string error) = await BasculeProcess.RunAsync("status", "--json", "-c", File);
        Assert.Equal((0, ""), (code, error));
        return JsonSerializer.Deserialize(output, ApiJson.Default.DirectorStatus)!;
    }

    /// <summary>Sends the daemon SIGTERM and waits for its end.</summary>
    public Task<int> StopAsync()
    {
        Process.Signal("TERM");
        return Process.EndAsync();
    }

    /// <summary>A real server that answers with its name.</summary>
    public static FakeRealServer Named(string name) =>
        FakeRealServer.AnsweringKeepAlive($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_process is not null)
            await _process.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
