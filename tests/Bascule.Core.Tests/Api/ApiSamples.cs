using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Core.Tests.Api;

/// <summary>Records of the API to vary with <c>with</c>.</summary>
internal static class ApiSamples
{
    public static VirtualServerStatus VirtualServer => new()
    {
        Name = "web",
        Addresses = ["192.0.2.10:80", "192.0.2.10:8000-8099"],
        Protocol = VirtualServerProtocol.Tcp,
        Scheduler = "mh",
        SchedulerFlags = [],
        Forwarding = "dr",
        Persistence = null,
        OnePacket = false,
        Connections = 0,
        OpenConnections = 0,
        Requests = 0,
        Outcomes = ImmutableSortedDictionary<ForwardOutcome, long>.Empty,
        Traffic = null,
        Rate = null,
        RealServers = [],
    };

    public static RealServerStatus RealServer => new()
    {
        Address = "10.0.0.1:80",
        Forwarding = "dr",
        Weight = 1,
        State = RealServerState.Up,
        MaxConnections = null,
        ResumeConnections = null,
        Trouble = null,
        Since = null,
        LastCheck = null,
        ActiveConnections = 0,
        InactiveConnections = 0,
        Connections = 0,
        Requests = 0,
        Failures = 0,
        BytesIn = 0,
        BytesOut = 0,
        Traffic = null,
        Rate = null,
    };
}
