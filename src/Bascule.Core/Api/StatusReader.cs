using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.States;

namespace Bascule.Core.Api;

/// <summary>Reads the live objects of a snapshot into the records of the API. Workers keep counting meanwhile: each number is right, their sum a moment old.</summary>
public static class StatusReader
{
    /// <summary>Every virtual server of the snapshot.</summary>
    /// <param name="packets">What the packet datapath counts; null when it does not run.</param>
    /// <param name="rates">What goes through in a second; null when nobody estimates.</param>
    /// <param name="states">What operators said; null when nobody was heard.</param>
    public static ImmutableArray<VirtualServerStatus> Read(Snapshot snapshot, PacketReport? packets = null, TrafficRates? rates = null, StateBook? states = null) =>
        [.. snapshot.VirtualServers.Select(v => Read(v, packets, rates, states))];

    /// <summary>How many clients are remembered for each real server of virtual servers with persistence on the proxy.</summary>
    public static ImmutableArray<SessionCount> Sessions(Snapshot snapshot) => [.. snapshot.Proxied.SelectMany(Sessions)];

    /// <summary>The same for one virtual server on the proxy.</summary>
    public static IEnumerable<SessionCount> Sessions(LiveVirtualServer live) =>
        live.Sessions?.Count().Zip(live.RealServers, (count, realServer) => new SessionCount(live.Configured.Name, AddressText(realServer.Address), count)) ?? [];

    /// <summary>One virtual server.</summary>
    /// <inheritdoc cref="Read(Snapshot, PacketReport, TrafficRates, StateBook)"/>
    public static VirtualServerStatus Read(LiveVirtualServer live, PacketReport? packets = null, TrafficRates? rates = null, StateBook? states = null)
    {
        VirtualServer configured = live.Configured;
        PacketTraffic? onDatapath = configured.IsProxied ? null : packets?.VirtualServers.GetValueOrDefault(configured.Name);
        ImmutableArray<RealServerStatus> realServers =
        [
            .. live.RealServers.Zip(configured.RealServers, (r, c) =>
                Read(configured, r, c.Forwarding, StateOf(r), onDatapath, rates) with { Administration = AdministrationReader.Of(configured, c, r, states) }),
            .. live.SorryServer is { } sorry ? [Read(configured, sorry, configured.Forwarding, RealServerState.Sorry, onDatapath, rates)] : Array.Empty<RealServerStatus>(),
        ];
        ImmutableSortedDictionary<ForwardOutcome, long> outcomes = Outcomes(live.Counters);
        return new()
        {
            Name = configured.Name,
            Addresses = [.. configured.Addresses.Select(a => a.ToString())],
            Protocol = configured.Protocol,
            Scheduler = ShortName(configured.Scheduler),
            SchedulerFlags = FlagsOf(configured),
            Forwarding = ForwardingText(configured.Forwarding),
            Persistence = Read(configured.Persistence),
            Administration = AdministrationReader.Of(configured, states),
            OnePacket = configured.Packets.OnePacket,
            ProxyProtocol = configured.ProxyProtocol is { } header ? new([.. header.From.Select(f => f.ToString())], header.Send?.ToString().ToLowerInvariant()) : null,
            IsTransparent = configured.IsTransparent,
            Connections = onDatapath?.Count.Connections ?? live.Counters.Sum(c => c.Connections),
            OpenConnections = configured.IsProxied ? live.Counters.Sum(c => c.OpenConnections) : realServers.Sum(r => r.ActiveConnections),
            Requests = outcomes.Values.Sum(),
            Outcomes = outcomes,
            Traffic = configured.IsProxied ? Proxied(live, realServers) : onDatapath?.Count,
            Rate = rates?.Of(configured.Name, realServer: null),
            Serving = live.Standing.Serving,
            Quorum = configured.Quorum is { } q ? new(live.Standing.LiveWeight, q.Up, q.Hysteresis, live.Standing.HasQuorum) : null,
            RealServers = realServers,
        };
    }

    private static PersistenceStatus? Read(Persistence? persistence) => persistence switch
    {
        SourcePersistence source => new("source") { TimeoutSeconds = (int)source.Timeout.TotalSeconds, Mask4 = source.Mask4, Mask6 = source.Mask6 },
        CookiePersistence cookie => new("cookie") { Name = cookie.Name, TimeoutSeconds = (int?)cookie.Timeout?.TotalSeconds },
        LearnPersistence learn => new(learn.IsHeader ? "learned header" : "learned cookie") { Name = learn.Name, TimeoutSeconds = (int)learn.Timeout.TotalSeconds },
        _ => null,
    };

    // Of connections the proxy sees bytes; how many packets they were is the kernel's affair.
    private static TrafficCount Proxied(LiveVirtualServer live, ImmutableArray<RealServerStatus> realServers)
    {
        bool isUdp = live.Configured.Protocol == VirtualServerProtocol.Udp;
        return new(live.Counters.Sum(c => c.Connections), isUdp ? realServers.Sum(r => r.Traffic?.Packets) : null, realServers.Sum(r => r.BytesIn),
            isUdp ? realServers.Sum(r => r.Traffic?.ReplyPackets) : null, realServers.Sum(r => r.BytesOut));
    }

    private static ImmutableSortedDictionary<ForwardOutcome, long> Outcomes(VirtualServerCounters[] counters) =>
        Enum.GetValues<ForwardOutcome>()
            .Select(outcome => KeyValuePair.Create(outcome, counters.Sum(c => c[outcome])))
            .Where(pair => pair.Value > 0)
            .ToImmutableSortedDictionary();

    private static RealServerStatus Read(VirtualServer virtualServer, LiveRealServer live, Forwarding forwarding, RealServerState state, PacketTraffic? onDatapath, TrafficRates? rates)
    {
        RealServerTraffic? packets = onDatapath?.RealServers.GetValueOrDefault(live.Address);
        TrafficCount? traffic = forwarding is ProxyForwarding ? Proxied(live, virtualServer.Protocol == VirtualServerProtocol.Udp) : packets?.Count;
        string address = AddressText(live.Address);
        return new()
        {
            Address = address,
            Forwarding = ForwardingText(forwarding),
            Weight = live.IsUp ? live.RoundedWeight : live.WholeWeight,
            AdvisedPercent = live.Health?.Last?.Weight is { IsPercent: true } advice ? advice.Value : null,
            Share = live.IsUp ? live.Share * 100 / LiveRealServer.WholeShare : 100,
            State = state == RealServerState.Up && packets is { IsFull: true } ? RealServerState.Full : state,
            MaxConnections = live.Thresholds?.Upper,
            ResumeConnections = live.Thresholds?.Lower,
            Trouble = packets?.Trouble,
            Ejection = live.Ejection,
            IsFallback = live.IsFallback,
            Since = live.Health?.Since,
            NotAsked = live.Health?.NotAsked,
            LastCheck = live.Health is { Last: { } answer } health
                ? new() { Passed = answer.Passed, Why = WhyOf(answer, health), At = health.LastAt, Load = answer.Load, Warning = answer.Warning, Output = answer.Output }
                : null,
            ActiveConnections = packets?.Active ?? live.ActiveConnections,
            InactiveConnections = packets?.Inactive ?? live.InactiveConnections,
            Connections = traffic?.Connections ?? 0,
            Requests = forwarding is ProxyForwarding ? live.Counters.Sum(c => c.Requests) : traffic?.Connections ?? 0,
            Failures = live.Counters.Sum(c => c.Failures),
            BytesIn = traffic?.Bytes ?? 0,
            BytesOut = traffic?.ReplyBytes ?? 0,
            Traffic = traffic,
            Rate = rates?.Of(virtualServer.Name, address),
        };
    }

    private static TrafficCount Proxied(LiveRealServer live, bool isUdp) =>
        new(live.Counters.Sum(c => c.Connections), isUdp ? live.Counters.Sum(c => c.PacketsIn) : null, live.Counters.Sum(c => c.BytesIn),
            isUdp ? live.Counters.Sum(c => c.PacketsOut) : null, live.Counters.Sum(c => c.BytesOut));

    /// <summary>
    /// Whether it is given work. Maintenance before all: nobody wonders that a machine is down which is being worked on. Down before drained: that it is broken
    /// matters more than that it was on its way out anyway.
    /// </summary>
    public static RealServerState StateOf(LiveRealServer realServer) => realServer switch
    {
        { EffectiveState: AdministrativeState.Maintenance } => RealServerState.Maintenance,
        { Health.IsUp: false } => RealServerState.Down,
        { IsEjected: true } => RealServerState.Ejected,
        { EffectiveState: AdministrativeState.Drain } => RealServerState.Drain,
        { Weight: 0 } => RealServerState.Quiesced,
        { IsStandby: true } => RealServerState.Standby,
        { IsFull: true } => RealServerState.Full,
        _ => RealServerState.Up,
    };

    // Whoever reads "down" beside a check that passes must not have to guess.
    private static string WhyOf(CheckAnswer answer, HealthRecord health) =>
        health.HeldUntil is { } until ? string.Create(CultureInfo.InvariantCulture, $"{answer.Why}; held down until {until:HH:mm:ss} UTC") : answer.Why;

    /// <summary>As the file writes it: every port is <c>*</c>.</summary>
    public static string AddressText(IPEndPoint address) =>
        address.Port == 0 ? $"{address.ToString()[..^1]}*" : address.ToString();

    /// <summary>As the file says it, in words: <c>proxy</c>, <c>nat</c>, <c>nat full</c>, <c>dr</c>, <c>tun ipip</c>.</summary>
    public static string ForwardingText(Forwarding forwarding) => forwarding switch
    {
        NatForwarding { Full: null } => "nat",
        NatForwarding => "nat full",
        DirectRouting => "dr",
        TunnelForwarding tunnel => $"tun {KindText(tunnel.Kind)}",
        _ => "proxy",
    };

    private static string KindText(TunnelKind kind) => kind switch
    {
        TunnelKind.Ipip => "ipip",
        TunnelKind.Gue => "gue",
        TunnelKind.Gre => "gre",
    };

    private static ImmutableArray<string> FlagsOf(VirtualServer configured)
    {
        string scheduler = ShortName(configured.Scheduler);
        return
        [
            .. configured.SchedulerFlags.Fallback ? [$"{scheduler}-fallback"] : Array.Empty<string>(),
            .. configured.SchedulerFlags.Port ? [$"{scheduler}-port"] : Array.Empty<string>(),
        ];
    }

    /// <summary>The name of a scheduler in files and tables: <c>wlc</c>.</summary>
    public static string ShortName(SchedulerKind scheduler) => scheduler switch
    {
        SchedulerKind.RoundRobin => "rr",
        SchedulerKind.WeightedRoundRobin => "wrr",
        SchedulerKind.LeastConnection => "lc",
        SchedulerKind.WeightedLeastConnection => "wlc",
        SchedulerKind.ShortestExpectedDelay => "sed",
        SchedulerKind.NeverQueue => "nq",
        SchedulerKind.Random => "random",
        SchedulerKind.PowerOfTwoChoices => "twos",
        SchedulerKind.SourceHash => "sh",
        SchedulerKind.MaglevHash => "mh",
        SchedulerKind.DestinationHash => "dh",
        SchedulerKind.FailOver => "fo",
        SchedulerKind.Overflow => "ovf",
        SchedulerKind.LocalityLeastConnection => "lblc",
        SchedulerKind.LocalityLeastConnectionReplicated => "lblcr",
        SchedulerKind.LeastTime => "least-time",
        SchedulerKind.RequestHash => "hash",
    };
}
