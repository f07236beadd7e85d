using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Bascule.Core.Api;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.Api;

public sealed class StatusReaderTests
{
    private static readonly IPEndPoint First = new(IPAddress.Loopback, 8001);
    private static readonly IPEndPoint Second = new(IPAddress.Loopback, 8002);
    private static readonly IPEndPoint Sorry = new(IPAddress.Loopback, 8009);
    private static readonly TcpCheck AnyCheck = new()
    { Interval = TimeSpan.FromSeconds(2), Timeout = TimeSpan.FromSeconds(1), Rise = 2, Fall = 3, Port = null };

    private readonly ManualClock _clock = new();
    private readonly HealthBoard _health;

    public StatusReaderTests() => _health = new(_clock);

    [Fact]
    public void A_real_server_is_down_until_its_check_passes_and_then_says_why_it_is_up()
    {
        Snapshot snapshot = Snapshot.First(OneVirtualServer(AnyCheck, new RealServer(First, 1)), 1, _health);
        RealServerStatus before = Assert.Single(StatusReader.Read(snapshot)).RealServers[0];

        _clock.Advance(TimeSpan.FromSeconds(5));
        _health.Find(AnyCheck, First)!.Apply(new(true, "connected in 1 ms", TimeSpan.FromMilliseconds(1)), _clock.GetUtcNow());
        RealServerStatus after = Assert.Single(StatusReader.Read(snapshot)).RealServers[0];

        Assert.Equal((RealServerState.Down, null), (before.State, before.LastCheck));
        Assert.Equal(RealServerState.Up, after.State);
        Assert.Equal(_clock.GetUtcNow(), after.Since);
        Assert.Equal(new() { Passed = true, Why = "connected in 1 ms", At = _clock.GetUtcNow() }, after.LastCheck);
    }

    [Theory]
    [InlineData(VirtualServerProtocol.Udp, 7L, 5L)]
    [InlineData(VirtualServerProtocol.Tcp, null, null)] // nobody sees the packets of its connections
    public void Packets_are_told_of_datagrams_that_the_proxy_carried(VirtualServerProtocol protocol, long? there, long? back)
    {
        Configuration one = OneVirtualServer(check: null, new RealServer(First, 1));
        Snapshot snapshot = Snapshot.First(one with { VirtualServers = [one.VirtualServers[0] with { Protocol = protocol }] }, 2, _health);
        RealServerCounters[] workers = snapshot.VirtualServers[0].RealServers[0].Counters;
        (workers[0].PacketsIn, workers[0].BytesIn, workers[0].PacketsOut, workers[0].BytesOut) = (3, 30, 5, 50);
        workers[1].PacketsIn = 4;

        VirtualServerStatus status = Assert.Single(StatusReader.Read(snapshot));

        Assert.Equal(new TrafficCount(0, there, 30, back, 50), status.Traffic);
        Assert.Equal(status.Traffic, status.RealServers[0].Traffic);
    }

    [Fact]
    public void A_real_server_that_is_down_though_its_check_passes_says_until_when()
    {
        TcpCheck patient = AnyCheck with { Rise = 1, Fall = 1, Reentry = TimeSpan.FromSeconds(90) };
        Snapshot snapshot = Snapshot.First(OneVirtualServer(patient, new RealServer(First, 1)), 1, _health);
        HealthRecord record = _health.Find(patient, First)!;
        foreach (bool passed in new[] { true, false, true })
            record.Apply(new(passed, passed ? "connected in 1 ms" : "connection refused", TimeSpan.Zero), _clock.GetUtcNow());

        RealServerStatus status = Assert.Single(StatusReader.Read(snapshot)).RealServers[0];

        Assert.Equal(RealServerState.Down, status.State);
        Assert.Equal("connected in 1 ms; held down until 12:01:30 UTC", status.LastCheck!.Why); // the clock stands at noon
    }

    [Fact]
    public void Tells_what_a_check_s_program_wrote_and_what_a_check_warns_of()
    {
        Snapshot snapshot = Snapshot.First(OneVirtualServer(AnyCheck, new RealServer(First, 1)), 1, _health);

        _health.Find(AnyCheck, First)!.Apply(new(true, "exit code 0", TimeSpan.Zero) { Output = "fine", Warning = "the certificate expires soon" }, _clock.GetUtcNow());

        CheckStatus check = Assert.Single(StatusReader.Read(snapshot)).RealServers[0].LastCheck!;
        Assert.Equal(("fine", "the certificate expires soon"), (check.Output, check.Warning));
    }

    [Fact]
    public void Tells_why_a_real_server_is_not_asked()
    {
        Snapshot snapshot = Snapshot.First(OneVirtualServer(AnyCheck, new RealServer(First, 1)), 1, _health);

        _health.Find(AnyCheck, First)!.NotAsked = "no file descriptor left";

        Assert.Equal("no file descriptor left", Assert.Single(StatusReader.Read(snapshot)).RealServers[0].NotAsked);
    }

    [Fact]
    public void Weight_0_is_quiesced_and_a_real_server_without_a_check_is_up_since_no_particular_time()
    {
        Snapshot snapshot = Snapshot.First(OneVirtualServer(null, new RealServer(First, 0), new RealServer(Second, 3)), 1, _health);

        VirtualServerStatus status = Assert.Single(StatusReader.Read(snapshot));

        Assert.Equal([RealServerState.Quiesced, RealServerState.Up, RealServerState.Sorry], status.RealServers.Select(r => r.State));
        Assert.All(status.RealServers, r => Assert.Null(r.Since));
        Assert.Equal("127.0.0.1:8009", status.RealServers[^1].Address);
    }

    [Fact]
    public void Adds_up_what_the_workers_counted_and_leaves_out_what_never_happened()
    {
        Snapshot snapshot = Snapshot.First(OneVirtualServer(null, new RealServer(First, 1)), 2, _health);
        LiveVirtualServer live = snapshot.VirtualServers[0];
        live.Counters[0].Count(ForwardOutcome.Completed);
        live.Counters[1].Count(ForwardOutcome.Completed);
        live.Counters[1].Count(ForwardOutcome.ClientLeft);
        live.RealServers[0].Counters[0].Requests = 1;
        live.RealServers[0].Counters[1].Requests = 2;

        VirtualServerStatus status = Assert.Single(StatusReader.Read(snapshot));

        Assert.Equal(3, status.Requests);
        Assert.Equal([ForwardOutcome.Completed, ForwardOutcome.ClientLeft], status.Outcomes.Keys);
        Assert.Equal(2, status.Outcomes[ForwardOutcome.Completed]);
        Assert.Equal(3, status.RealServers[0].Requests);
    }

    [Fact]
    public void Is_the_same_after_a_journey_through_JSON()
    {
        Snapshot snapshot = Snapshot.First(OneVirtualServer(AnyCheck, new RealServer(First, 1)), 1, _health);
        snapshot.VirtualServers[0].Counters[0].Count(ForwardOutcome.RealServerTimedOut);
        DirectorStatus sent = new()
        {
            Version = "1.2.3",
            ProcessId = 7,
            ConfigurationFile = "/etc/bascule/bascule.yaml",
            StartedAt = _clock.GetUtcNow(),
            Now = _clock.GetUtcNow(),
            Workers = 1,
            Snapshot = 1,
            Packets = null,
            VirtualServers = StatusReader.Read(snapshot),
        };

        string json = JsonSerializer.Serialize(sent, ApiJson.Default.DirectorStatus);
        DirectorStatus? received = JsonSerializer.Deserialize(json, ApiJson.Default.DirectorStatus);

        Assert.Contains("\"RealServerTimedOut\": 1", json, StringComparison.Ordinal);
        Assert.Contains("\"protocol\": \"http\"", json, StringComparison.Ordinal);
        Assert.Equal(json, JsonSerializer.Serialize(received!, ApiJson.Default.DirectorStatus));
    }

    [Fact]
    public void A_virtual_server_on_the_datapath_has_what_the_datapath_counts()
    {
        VirtualServer web = Named("web") with
        {
            Protocol = VirtualServerProtocol.Tcp,
            Addresses = [new(new IPEndPoint(IPAddress.Loopback, 0))],
            Scheduler = SchedulerKind.MaglevHash,
            SchedulerFlags = new() { Fallback = true, Port = true },
            Forwarding = new DirectRouting(),
            Persistence = new SourcePersistence { Mask4 = 24 },
            RealServers =
            [
                new(First, 1) { Forwarding = new DirectRouting(), Thresholds = new(10, 8) },
                new(Second, 1) { Forwarding = new TunnelForwarding(TunnelKind.Gue, 6080, null) },
            ],
        };
        TrafficCount count = new(5, 100, 6000, 0, 0);
        PacketReport report = new(
            new() { Interfaces = [], Flows = 0, FlowsAtMost = 1024, Drops = ImmutableSortedDictionary<DropReason, long>.Empty, StateFolder = "/sys/fs/bpf/bascule" },
            ImmutableDictionary<string, PacketTraffic>.Empty.Add("web", new(count + count, ImmutableDictionary<IPEndPoint, RealServerTraffic>.Empty
                .Add(First, new(count, Active: 3, Inactive: 4, IsFull: true, Trouble: null))
                .Add(Second, new(count, Active: 1, Inactive: 0, IsFull: false, Trouble: "no route to 10.0.0.2")))));

        VirtualServerStatus status = Assert.Single(StatusReader.Read(Snapshot.First(Of(web), 1, _health), report));

        Assert.Equal(("127.0.0.1:*", "dr", "mh-fallback,mh-port", new PersistenceStatus("source") { TimeoutSeconds = 300, Mask4 = 24, Mask6 = 128 }), (status.Address, status.Forwarding, string.Join(',', status.SchedulerFlags), status.Persistence));
        Assert.Equal((10, 4, new TrafficCount(10, 200, 12000, 0, 0)), (status.Connections, status.OpenConnections, status.Traffic));
        Assert.Equal((RealServerState.Full, 3L, 4L, 10, 8), (status.RealServers[0].State, status.RealServers[0].ActiveConnections, status.RealServers[0].InactiveConnections, status.RealServers[0].MaxConnections!.Value, status.RealServers[0].ResumeConnections!.Value));
        Assert.Equal(("tun gue", "no route to 10.0.0.2", 6000), (status.RealServers[1].Forwarding, status.RealServers[1].Trouble, status.RealServers[1].BytesIn));
    }

    [Fact]
    public void A_virtual_server_whose_datapath_does_not_run_has_no_traffic()
    {
        VirtualServer web = Named("web") with { Protocol = VirtualServerProtocol.Tcp, Forwarding = new DirectRouting(), RealServers = [new(First, 1) { Forwarding = new DirectRouting() }] };

        VirtualServerStatus status = Assert.Single(StatusReader.Read(Snapshot.First(Of(web), 1, _health)));

        Assert.Null(status.Traffic);
        Assert.Null(status.RealServers[0].Traffic);
    }

    [Fact]
    public void A_reload_says_what_it_added_removed_changed_and_kept()
    {
        Configuration old = Of(Named("same"), Named("other"), Named("gone"));
        Snapshot before = Snapshot.First(old, 1, _health);
        Snapshot after = before.Next(Of(Named("same"), Named("other") with { Scheduler = SchedulerKind.RoundRobin, SorryServer = null }, Named("new")), _health);

        ReloadResult result = ReloadResult.Between(before, after, []);

        Assert.True(result.Applied);
        Assert.Equal("added new; removed gone; changed other; kept same", result.Summary());
    }

    private static Configuration OneVirtualServer(Check? check, params RealServer[] realServers) =>
        Of(Named("web") with { Check = check, RealServers = [.. realServers] });

    private static Configuration Of(params VirtualServer[] virtualServers) => new()
    {
        AdminSocket = "/nowhere",
        ShutdownTimeout = TimeSpan.FromSeconds(30),
        Limits = new() { ConnectionsPerWorker = 10, HeaderSize = 8192, RequestLineSize = 4096, HeaderCount = 100, PooledPerRealServer = 1 },
        VirtualServers = [.. virtualServers],
    };

    private static VirtualServer Named(string name) => new()
    {
        Name = name,
        Addresses = [new(new IPEndPoint(IPAddress.Loopback, 80))],
        Protocol = VirtualServerProtocol.Http,
        Scheduler = SchedulerKind.RoundRobin,
        Check = null,
        RealServers = [new RealServer(First, 1)],
        SorryServer = Sorry,
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
}
