using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Tests.Model;

/// <summary>A small configuration to vary with <c>with</c>.</summary>
internal static class Sample
{
    public static readonly IPEndPoint One = new(IPAddress.Parse("10.0.0.1"), 80);
    public static readonly IPEndPoint Two = new(IPAddress.Parse("10.0.0.2"), 80);
    public static readonly IPEndPoint Three = new(IPAddress.Parse("10.0.0.3"), 80);

    public static HttpCheck Check => new()
    {
        Interval = TimeSpan.FromSeconds(2),
        Timeout = TimeSpan.FromSeconds(1),
        Rise = 2,
        Fall = 3,
        Port = null,
        Method = "GET",
        Path = "/",
        Host = null,
        Headers = [new("X-Probe", "1")],
        Expect = [new(200, 299)],
        BodyContains = null,
        BodyMatches = null,
    };

    /// <summary>Built anew at each call, so that "the same" is equality of values and never of references.</summary>
    public static VirtualServer Web => VirtualServer("web", 80);

    public static VirtualServer Api => VirtualServer("api", 81);

    public static Configuration Configuration(params VirtualServer[] virtualServers) => new()
    {
        AdminSocket = "/run/bascule/admin.sock",
        ShutdownTimeout = TimeSpan.FromSeconds(30),
        Limits = new() { ConnectionsPerWorker = 1, HeaderSize = 1, RequestLineSize = 1, HeaderCount = 1, PooledPerRealServer = 1 },
        VirtualServers = [.. virtualServers],
    };

    private static VirtualServer VirtualServer(string name, int port) => new()
    {
        Name = name,
        Addresses = [new(new IPEndPoint(IPAddress.Parse("192.0.2.10"), port))],
        Protocol = VirtualServerProtocol.Http,
        Scheduler = SchedulerKind.WeightedRoundRobin,
        Check = Check,
        RealServers = [new(One, 1), new(Two, 2)],
        SorryServer = Three,
        Timeouts = new()
        {
            Connect = TimeSpan.FromSeconds(5),
            Idle = TimeSpan.FromSeconds(5),
            Request = TimeSpan.FromSeconds(5),
            Response = TimeSpan.FromSeconds(5),
            Body = TimeSpan.FromSeconds(5),
            KeepAlive = TimeSpan.FromSeconds(5),
            Pool = TimeSpan.FromSeconds(5),
            Tunnel = TimeSpan.FromSeconds(5),
        },
    };
}
