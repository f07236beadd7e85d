using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Testing;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>Real servers to schedule over: all up and idle until a test says otherwise.</summary>
internal sealed class Farm
{
    private static readonly TcpCheck Check = new()
    {
        Interval = TimeSpan.FromSeconds(1),
        Timeout = TimeSpan.FromSeconds(1),
        Rise = 1,
        Fall = 1,
        Port = null,
    };

    public Farm(params int[] weights)
    {
        RealServers = [.. weights.Select((weight, i) => Build(i, weight))];
        for (int i = 0; i < weights.Length; i++)
            SetHealth(i, isUp: true);
    }

    public ImmutableArray<LiveRealServer> RealServers { get; }

    public int Count => RealServers.Length;

    public static ClientAddress Client(string address)
    {
        byte[] bytes = IPAddress.Parse(address).GetAddressBytes();
        return bytes.Length == 4
            ? new(0, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes), 40000, IsIpv4: true)
            : new(
                System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes),
                System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(8)), 40000, IsIpv4: false);
    }

    public static TriedServers Tried(params int[] indexes)
    {
        TriedServers tried = default;
        foreach (int index in indexes)
            tried.Add(index);
        return tried;
    }

    /// <summary>What schedulers go by that forget.</summary>
    public ManualClock Clock { get; } = new();

    /// <summary>Built with the weights in force now, and as for the proxy: it falls back.</summary>
    public Scheduler Scheduler(SchedulerKind kind) =>
        Scheduler(kind, new() { Fallback = true, TableSize = kind == SchedulerKind.RequestHash ? 251 : null });

    public Scheduler Scheduler(SchedulerKind kind, SchedulerFlags flags) =>
        Core.Scheduling.Scheduler.Create(kind, flags, RealServers, [.. RealServers.Select(r => r.Weight)], default, Clock);

    public void SetHealth(int index, bool isUp) =>
        RealServers[index].Health!.Apply(new(isUp, isUp ? "connected" : "connection refused", TimeSpan.Zero), DateTimeOffset.UnixEpoch);

    public void SetActive(int index, int connections)
    {
        LiveRealServer realServer = RealServers[index];
        while (realServer.ActiveConnections < connections)
        {
            realServer.Opened();
            realServer.BeginActive();
        }

        while (realServer.ActiveConnections > connections)
        {
            realServer.EndActive();
            realServer.Closed();
        }
    }

    /// <summary>The choices one after another, as letters: A is the first real server, - is none.</summary>
    public static string Sequence(Scheduler scheduler, int picks)
    {
        Random random = new(1);
        return string.Concat(Enumerable.Range(0, picks)
            .Select(_ => scheduler.Pick(Client("192.0.2.1"), default, random))
            .Select(index => index == Core.Scheduling.Scheduler.None ? '-' : (char)('A' + index)));
    }

    private static LiveRealServer Build(int index, int weight)
    {
        IPEndPoint address = new(IPAddress.Parse("10.0.0.1"), 8000 + index);
        return new(new(address, weight), new HealthRecord(Check, address, DateTimeOffset.UnixEpoch), workers: 1);
    }
}
