using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Api;

/// <summary>Reads the live objects of a snapshot into the records of the API. Workers keep counting meanwhile: each number is right, their sum a moment old.</summary>
public static class StatusReader
{
    /// <summary>Every virtual server of the snapshot.</summary>
    public static ImmutableArray<VirtualServerStatus> Read(Snapshot snapshot) => [.. snapshot.VirtualServers.Select(Read)];

    private static VirtualServerStatus Read(LiveVirtualServer virtualServer)
    {
        ImmutableSortedDictionary<ForwardOutcome, long> outcomes = Outcomes(virtualServer.Counters);
        return new()
        {
            Name = virtualServer.Configured.Name,
            Address = virtualServer.Configured.Address.ToString(),
            Protocol = virtualServer.Configured.Protocol,
            Scheduler = ShortName(virtualServer.Configured.Scheduler),
            Connections = virtualServer.Counters.Sum(c => c.Connections),
            OpenConnections = virtualServer.Counters.Sum(c => c.OpenConnections),
            Requests = outcomes.Values.Sum(),
            Outcomes = outcomes,
            RealServers =
            [
                .. virtualServer.RealServers.Select(r => Read(r, StateOf(r))),
                .. virtualServer.SorryServer is { } sorry ? [Read(sorry, RealServerState.Sorry)] : Array.Empty<RealServerStatus>(),
            ],
        };
    }

    private static ImmutableSortedDictionary<ForwardOutcome, long> Outcomes(VirtualServerCounters[] counters) =>
        Enum.GetValues<ForwardOutcome>()
            .Select(outcome => KeyValuePair.Create(outcome, counters.Sum(c => c[outcome])))
            .Where(pair => pair.Value > 0)
            .ToImmutableSortedDictionary();

    private static RealServerStatus Read(LiveRealServer realServer, RealServerState state) => new()
    {
        Address = realServer.Address.ToString(),
        Forwarding = "proxy",
        Weight = realServer.Weight,
        State = state,
        Since = realServer.Health?.Since,
        LastCheck = realServer.Health is { Last: { } answer } health
            ? new() { Passed = answer.Passed, Why = answer.Why, At = health.LastAt }
            : null,
        ActiveConnections = realServer.ActiveConnections,
        InactiveConnections = realServer.InactiveConnections,
        Connections = realServer.Counters.Sum(c => c.Connections),
        Requests = realServer.Counters.Sum(c => c.Requests),
        Failures = realServer.Counters.Sum(c => c.Failures),
        BytesIn = realServer.Counters.Sum(c => c.BytesIn),
        BytesOut = realServer.Counters.Sum(c => c.BytesOut),
    };

    // Down before quiesced: that a real server is broken matters more than that it was on its way out anyway.
    private static RealServerState StateOf(LiveRealServer realServer) => realServer switch
    {
        { Health.IsUp: false } => RealServerState.Down,
        { Weight: 0 } => RealServerState.Quiesced,
        _ => RealServerState.Up,
    };

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
    };
}
