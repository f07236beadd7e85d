using System.Net;
using System.Net.Sockets;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Proxy.Tests;

/// <summary>A proxy engine at work on loopback, with one virtual server unless told otherwise.</summary>
internal sealed class Director : IAsyncDisposable
{
    private readonly HealthBoard _health = new(TimeProvider.System);
    private readonly ProxyEngine _engine;
    private readonly SnapshotHolder _snapshots;
    private bool _stopped;

    private Director(Configuration configuration, int workers)
    {
        Snapshot first = Snapshot.First(configuration, workers, _health);
        _snapshots = new(first);
        _snapshots.Publish(first);
        _engine = new(first, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        Assert.Empty(_engine.Prepare(first));
        _engine.Start();
    }

    public static Timeouts Timeouts { get; } = new()
    {
        Connect = TimeSpan.FromSeconds(5),
        Idle = TimeSpan.FromMinutes(1),
        Request = TimeSpan.FromSeconds(10),
        Response = TimeSpan.FromSeconds(20),
        Body = TimeSpan.FromSeconds(20),
        KeepAlive = TimeSpan.FromSeconds(30),
        Pool = TimeSpan.FromSeconds(30),
        Tunnel = TimeSpan.FromMinutes(1),
    };

    public static Limits Limits { get; } = new()
    {
        ConnectionsPerWorker = 1000,
        HeaderSize = 16 * 1024,
        RequestLineSize = 8 * 1024,
        HeaderCount = 100,
        PooledPerRealServer = 100,
    };

    public Snapshot Snapshot => _snapshots.Current;

    public LiveVirtualServer VirtualServer => Snapshot.VirtualServers[0];

    public IPEndPoint Address => VirtualServer.Configured.Address;

    /// <summary>An HTTP virtual server on a free port.</summary>
    public static VirtualServer Http(params IPEndPoint[] realServers) => Make(VirtualServerProtocol.Http, realServers);

    /// <summary>A TCP virtual server on a free port.</summary>
    public static VirtualServer Tcp(params IPEndPoint[] realServers) => Make(VirtualServerProtocol.Tcp, realServers);

    public static Director Start(params VirtualServer[] virtualServers) => new(Configure(virtualServers), workers: 1);

    public static Director Start(Limits limits, params VirtualServer[] virtualServers) =>
        new(Configure(virtualServers) with { Limits = limits }, workers: 1);

    public static Director StartWith(int workers, params VirtualServer[] virtualServers) => new(Configure(virtualServers), workers);

    /// <summary>An address that nobody listens on.</summary>
    public static IPEndPoint FreeAddress()
    {
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }

    public long Count(ForwardOutcome outcome) => VirtualServer.Counters.Sum(c => c[outcome]);

    public async Task<TcpClient> ConnectAsync()
    {
        TcpClient client = new();
        await client.ConnectAsync(Address);
        client.NoDelay = true;
        return client;
    }

    /// <summary>Sends bytes on a connection of its own and reads to the end.</summary>
    public async Task<string> AskAsync(string request)
    {
        using TcpClient client = await ConnectAsync();
        await client.GetStream().WriteAsync(System.Text.Encoding.Latin1.GetBytes(request));
        using StreamReader reader = new(client.GetStream(), System.Text.Encoding.Latin1);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(15));
    }

    public void Reload(params VirtualServer[] virtualServers)
    {
        Snapshot next = Snapshot.Next(Configure(virtualServers), _health);
        Assert.Empty(_engine.Prepare(next));
        _snapshots.Publish(next);
        _engine.Apply(next);
    }

    public Task StopAsync(TimeSpan patience)
    {
        _stopped = true;
        return _engine.StopAsync(patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
            await StopAsync(TimeSpan.Zero).WaitAsync(TimeSpan.FromSeconds(15));
    }

    private static Configuration Configure(VirtualServer[] virtualServers) => new()
    {
        AdminSocket = "/nowhere",
        ShutdownTimeout = TimeSpan.FromSeconds(1),
        Limits = Limits,
        VirtualServers = [.. virtualServers],
    };

    private static VirtualServer Make(VirtualServerProtocol protocol, IPEndPoint[] realServers) => new()
    {
        Name = "web",
        Address = FreeAddress(),
        Protocol = protocol,
        Scheduler = SchedulerKind.RoundRobin,
        Check = null,
        RealServers = [.. realServers.Select(r => new RealServer(r, 1))],
        SorryServer = null,
        Timeouts = Timeouts,
    };
}
