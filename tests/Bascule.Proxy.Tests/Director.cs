using System.Net;
using System.Net.Sockets;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Core.Sessions;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>A proxy engine at work on loopback, with one virtual server unless told otherwise.</summary>
internal sealed class Director : IAsyncDisposable
{
    private static int _addresses;

    private readonly HealthBoard _health;
    private readonly FaultLog _faults = new();
    private readonly ProxyEngine _engine;
    private readonly SnapshotHolder _snapshots;
    private RoleSet _roles;
    private bool _stopped;

    private Director(Configuration configuration, int workers, TimeProvider? time = null, RoleSet? roles = null)
    {
        _roles = roles ?? RoleSet.Alone;
        _health = new(time ?? TimeProvider.System);
        Snapshot first = Snapshot.First(configuration, workers, _health);
        _snapshots = new(first);
        _snapshots.Publish(first);
        _engine = new(first, time ?? TimeProvider.System, new Random(1), _faults);
        Assert.Empty(_engine.Prepare(first, _roles));
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

    /// <summary>A UDP virtual server on a free port.</summary>
    public static VirtualServer Udp(params IPEndPoint[] realServers) => Make(VirtualServerProtocol.Udp, realServers);

    public static Director Start(params VirtualServer[] virtualServers) => new(Configure(virtualServers), workers: 1);

    public static Director Start(Limits limits, params VirtualServer[] virtualServers) =>
        new(Configure(virtualServers) with { Limits = limits }, workers: 1);

    public static Director StartWith(int workers, params VirtualServer[] virtualServers) => new(Configure(virtualServers), workers);

    public static Director StartWith(int workers, Limits limits, params VirtualServer[] virtualServers) =>
        new(Configure(virtualServers) with { Limits = limits }, workers);

    /// <summary>A director that signs its cookies with this key.</summary>
    public static Director StartWith(CookieKey key, params VirtualServer[] virtualServers) => new(Configure(virtualServers) with { CookieKey = key }, workers: 1);

    /// <summary>A director that goes by another clock. After moving it, <see cref="NoticeTimeAsync"/>.</summary>
    public static Director StartAt(TimeProvider time, params VirtualServer[] virtualServers) => new(Configure(virtualServers), workers: 1, time);

    /// <summary>A director of a pair, with one instance.</summary>
    public static Director StartAsOneOfTwo(HaInstance instance, bool isActive, params VirtualServer[] virtualServers) =>
        new(Configure(virtualServers) with { Ha = Pairs.Settings(instance) }, workers: 2, roles: Pairs.Roles(0, isActive, instance));

    /// <summary>
    /// An address that nobody listens on, and nobody will: each caller gets an IP address of its own. A port of 127.0.0.1 could be given to
    /// somebody's client connection between now and its use, or between two reloads.
    /// </summary>
    public static IPEndPoint FreeAddress()
    {
        int number = Interlocked.Increment(ref _addresses);
        IPAddress own = new([127, (byte)(1 + (Environment.ProcessId % 250)), (byte)(number / 250), (byte)(1 + (number % 250))]);
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(own, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }

    /// <summary>All endings of all requests (or connections).</summary>
    public long Endings => Enum.GetValues<ForwardOutcome>().Sum(Count);

    public LiveRealServer RealServer(int index) => VirtualServer.RealServers[index];

    public long Count(ForwardOutcome outcome) => VirtualServer.Counters.Sum(c => c[outcome]);

    /// <summary>As <see cref="Count"/>, after the turn that sent what a client has just read: an ending is counted behind its answer.</summary>
    public async Task<long> CountAsync(ForwardOutcome outcome)
    {
        await EndOfTurnAsync();
        return Count(outcome);
    }

    /// <inheritdoc cref="CountAsync"/>
    public async Task<long> EndingsAsync()
    {
        await EndOfTurnAsync();
        return Endings;
    }

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

    /// <summary>Runs something on the thread of the first worker, some time soon.</summary>
    public void Post(Action action) => _engine.Workers[0].Loop.Post(action);

    /// <summary>Runs something on the thread of a worker.</summary>
    public async Task<T> OnWorkerAsync<T>(Func<Worker, T> look, int worker = 0)
    {
        TaskCompletionSource<T> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Worker subject = _engine.Workers[worker];
        subject.Loop.Post(() => result.SetResult(look(subject)));
        return await result.Task.WaitAsync(TimeSpan.FromSeconds(15));
    }

    /// <summary>Connections to real servers that wait in the pools of a worker.</summary>
    public Task<int> IdleServerConnectionsAsync(int worker = 0) => OnWorkerAsync(w => w.Pools.Sum(p => p.IdleCount), worker);

    /// <summary>Makes the sleeping workers look at the clock, and what they do about it happen.</summary>
    public async Task NoticeTimeAsync()
    {
        for (int worker = 0; worker < Snapshot.Workers; worker++)
        {
            // A deadline fires at the end of a turn, so only the turn after it is surely behind it.
            await OnWorkerAsync(_ => 0, worker);
            await OnWorkerAsync(_ => 0, worker);
        }
    }

    /// <summary>Returns once no worker holds a buffer and no request is under way: what must be so when nobody asks for anything.</summary>
    /// <param name="activeConnections">TCP connections that stay open, in silence.</param>
    public async Task IsAtRestAsync(int activeConnections = 0)
    {
        for (int worker = 0; worker < Snapshot.Workers; worker++)
        {
            for (int attempt = 0; await OnWorkerAsync(w => w.Loop.Buffers.Rented, worker) is > 0 and int rented; attempt++)
            {
                Assert.True(attempt < 5000, $"{rented} buffers are still rented");
                await Task.Delay(1);
            }
        }

        await Eventually.HoldsAsync(() => VirtualServer.RealServers.Sum(r => r.ActiveConnections) == activeConnections);
    }

    public void Reload(params VirtualServer[] virtualServers)
    {
        Snapshot next = Snapshot.Next(Configure(virtualServers), _health);
        Assert.Empty(_engine.Prepare(next, _roles));
        _snapshots.Publish(next);
        _engine.Apply(next);
    }

    /// <summary>Its role changes.</summary>
    public IReadOnlyList<ListenProblem> Become(HaInstance instance, bool isActive)
    {
        _roles = Pairs.Roles(_roles.Version + 1, isActive, instance);
        return _engine.Follow(Snapshot, _roles);
    }

    /// <summary>The end of a planned handover.</summary>
    public void CutOffResting() => _engine.CutOffResting();

    /// <summary>Looks whether these could be served, and why not.</summary>
    public IReadOnlyList<ListenProblem> Prepare(params VirtualServer[] virtualServers) =>
        _engine.Prepare(Snapshot.Next(Configure(virtualServers), _health), _roles);

    public Task StopAsync(TimeSpan patience)
    {
        _stopped = true;
        return _engine.StopAsync(patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
            await StopAsync(TimeSpan.Zero).WaitAsync(TimeSpan.FromSeconds(15));
        Assert.Empty(_faults.Faults);
    }

    private async Task EndOfTurnAsync()
    {
        for (int worker = 0; worker < Snapshot.Workers; worker++)
            await OnWorkerAsync(_ => true, worker);
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
        Addresses = [new(FreeAddress())],
        Protocol = protocol,
        Scheduler = SchedulerKind.RoundRobin,
        Check = null,
        RealServers = [.. realServers.Select(r => new RealServer(r, 1))],
        SorryServer = null,
        Timeouts = Timeouts,
    };
}
