using System.Collections.Concurrent;
using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Testing;
using Microsoft.Extensions.Logging;

namespace Bascule.Health.Tests;

/// <summary>A health engine, its board, a clock that stands still, and everything it logged.</summary>
internal sealed class Bench
{
    public Bench(Random? chance = null)
    {
        Engine = new(Clock, chance ?? new Random(1), Log);
        Board = new(Clock);
    }

    public ManualClock Clock { get; } = new();

    public LogLines Log { get; } = new();

    public HealthEngine Engine { get; }

    public HealthBoard Board { get; }

    /// <summary>A virtual server that asks this of these real servers.</summary>
    public static VirtualServer Asking(Check check, params IPEndPoint[] realServers) => new()
    {
        Name = "web",
        Addresses = [new(new IPEndPoint(IPAddress.Loopback, 80))],
        Protocol = VirtualServerProtocol.Tcp,
        Scheduler = SchedulerKind.RoundRobin,
        Check = check,
        RealServers = [.. realServers.Select(address => new RealServer(address, 1))],
        SorryServer = null,
        Timeouts = new()
        {
            Connect = TimeSpan.FromSeconds(1),
            Idle = TimeSpan.FromSeconds(1),
            Request = TimeSpan.FromSeconds(1),
            Response = TimeSpan.FromSeconds(1),
            Body = TimeSpan.FromSeconds(1),
            KeepAlive = TimeSpan.FromSeconds(1),
            Pool = TimeSpan.FromSeconds(1),
            Tunnel = TimeSpan.FromSeconds(1),
        },
    };

    public Snapshot Snapshot(params VirtualServer[] virtualServers) => First(ha: null, virtualServers);

    /// <summary>Of a director that has an instance.</summary>
    public Snapshot SnapshotOf(HaInstance instance, params VirtualServer[] virtualServers) => First(Pairs.Settings(instance), virtualServers);

    private Snapshot First(HaSettings? ha, VirtualServer[] virtualServers) => Core.Model.Snapshot.First(
        new()
        {
            Ha = ha,
            AdminSocket = "/run/bascule/admin.sock",
            ShutdownTimeout = TimeSpan.FromSeconds(1),
            Limits = new() { ConnectionsPerWorker = 1, HeaderSize = 1, RequestLineSize = 1, HeaderCount = 1, PooledPerRealServer = 1 },
            VirtualServers = [.. virtualServers],
        },
        workers: 1, Board);

    /// <summary>Starts checking one real server, and waits for its first answer.</summary>
    public async Task<HealthRecord> FirstAnswerAsync(Check check, IPEndPoint realServer)
    {
        Engine.Apply(Snapshot(Asking(check, realServer)), RoleSet.Alone);
        HealthRecord record = Board.Find(check, realServer)!;
        await SettleAsync();
        Assert.NotNull(record.Last);
        return record;
    }

    /// <summary>Waits until every check has had its answer and waits for its next turn.</summary>
    public Task SettleAsync() => Eventually.HoldsAsync(() => Engine.IsResting);

    /// <summary>Moves the clock to the next check, and waits for its answer.</summary>
    /// <returns>How far the clock was moved.</returns>
    public async Task<TimeSpan> NextAnswerAsync(HealthRecord record)
    {
        long before = record.Answers;
        TimeSpan wait = Clock.UntilNextTimer!.Value;
        Clock.Advance(wait);
        await Eventually.HoldsAsync(() => record.Answers > before);
        await SettleAsync();
        return wait;
    }

    public Task StopAsync() => Engine.StopAsync();
}

/// <summary>Checks to vary with <c>with</c>.</summary>
internal static class Checks
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    public static readonly TcpCheck Tcp = new() { Interval = Interval, Timeout = Timeout, Rise = 2, Fall = 3, Port = null };

    public static readonly HttpCheck Http = new()
    {
        Interval = Interval,
        Timeout = Timeout,
        Rise = 2,
        Fall = 3,
        Port = null,
        Method = "GET",
        Path = "/healthz",
        Host = null,
        Headers = [],
        Expect = [new(200, 200)],
        BodyContains = null,
        BodyMatches = null,
    };
}

/// <summary>Keeps what was logged, as an operator would read it.</summary>
internal sealed class LogLines : ILogger<HealthEngine>
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)}");
}
