using System.Collections.Immutable;
using System.Net;
using BenchmarkDotNet.Attributes;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Bench.Schedulers;

/// <summary>
/// One choice, as a worker asks for it: another client each time, every real server up with a few connections and a known answer time. Nothing else happens
/// to the real servers meanwhile, so a choice pays for its own writes and for nobody else's.
/// </summary>
[MemoryDiagnoser]
public class Picks
{
    private const int Asked = 1024;

    private readonly Random _chance = new(1);
    private readonly ClientAddress[] _clients = new ClientAddress[Asked];
    private Scheduler _scheduler = null!;

    /// <summary>Every scheduler there is.</summary>
    public static IEnumerable<SchedulerKind> Kinds => Enum.GetValues<SchedulerKind>();

    /// <summary>Which one is asked.</summary>
    [ParamsSource(nameof(Kinds))]
    public SchedulerKind Kind { get; set; }

    /// <summary>Over how many real servers.</summary>
    [Params(10, 100, 1000)]
    public int RealServers { get; set; }

    /// <summary>Makes the real servers and the clients.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        ImmutableArray<LiveRealServer> realServers = [.. Enumerable.Range(0, RealServers).Select(Build)];
        int[] weights = [.. realServers.Select(r => r.ConfiguredWeight)];
        _scheduler = Scheduler.Create(Kind, new() { Fallback = true, Hash = new(RequestPart.Uri, Name: null, BalanceFactor: 125) }, realServers, weights, key: default, TimeProvider.System);
        for (int i = 0; i < Asked; i++)
        {
            ClientAddress destination = new(0, (ulong)_chance.NextInt64(1L << 32), 80, IsIpv4: true);
            _clients[i] = new ClientAddress(0, (ulong)_chance.NextInt64(1L << 32), (ushort)_chance.Next(65_536), IsIpv4: true).To(destination) with { Content = (ulong)_chance.NextInt64() };
        }
    }

    /// <summary>So many choices that the loop around them does not count.</summary>
    [Benchmark(OperationsPerInvoke = Asked)]
    public int Pick()
    {
        int sum = 0;
        foreach (ref readonly ClientAddress client in _clients.AsSpan())
            sum += _scheduler.Pick(client, default, _chance);
        return sum;
    }

    private LiveRealServer Build(int number)
    {
        LiveRealServer realServer = new(new(new IPEndPoint(new IPAddress([10, 0, (byte)(number / 250), (byte)(1 + (number % 250))]), 80), 1 + (number % 4)), health: null, workers: 1);
        for (int connection = _chance.Next(1, 8); connection > 0; connection--)
        {
            realServer.Opened();
            realServer.BeginActive();
        }

        realServer.AnswerTime.Note(TimeSpan.FromMilliseconds(_chance.Next(1, 50)), TimeProvider.System.GetElapsedTime(0));
        return realServer;
    }
}
