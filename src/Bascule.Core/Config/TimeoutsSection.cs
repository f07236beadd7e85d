using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>How long a virtual server waits, and for what.</summary>
internal static class TimeoutsSection
{
    private static readonly TimeSpan IdleSession = TimeSpan.FromMinutes(2);
    private static readonly DurationForm Wait = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(24));

    public static readonly Setting<TimeSpan> Connect = new("connect", new DurationForm(TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(5)))
    {
        Doc = "For a real server to accept a connection; then another real server is tried.",
        Default = TimeSpan.FromSeconds(5),
        Source = "keepalived connect_timeout",
        Example = "connect: 5s",
        AlsoCalled = ["proxy_connect_timeout"],
    };

    public static readonly Setting<TimeSpan> Idle = new("idle", Wait)
    {
        Doc = "tcp: without a byte in either direction; then both sides are closed. udp: without a datagram in either direction; then the session ends, and the client's next datagram is scheduled anew.",
        Default = TimeSpan.FromMinutes(15),
        Otherwise = "`15m`; udp: `2m`",
        Source = "IPVS: TCP ESTABLISHED; RFC 4787 §4.3: no UDP mapping shorter than two minutes. (IPVS has 5m there; here each session holds a socket for as long)",
        Example = "idle: 15m",
        AlsoCalled = ["client", "server", "proxy_timeout"],
    };

    public static readonly Setting<TimeSpan> Request = new("request", Wait)
    {
        Doc = "http: from the first byte of a request to the end of its head; then 408. Where `proxyProtocol.from` says so, also from a connection's beginning to the end of the PROXY protocol's header, of tcp as well.",
        Default = TimeSpan.FromSeconds(10),
        Source = "ours; nginx's 60s is what slow attackers (slowloris) live on",
        Example = "request: 10s",
        AlsoCalled = ["http-request", "client_header_timeout", "header"],
    };

    public static readonly Setting<TimeSpan> Response = new("response", Wait)
    {
        Doc = "http: for the head of a response; then 504.",
        Default = TimeSpan.FromSeconds(60),
        Source = "nginx proxy_read_timeout",
        Example = "response: 60s",
        AlsoCalled = ["proxy_read_timeout", "read"],
    };

    public static readonly Setting<TimeSpan> Body = new("body", Wait)
    {
        Doc = "http: without progress in the body of a request (408) or of a response (the connection is closed).",
        Default = TimeSpan.FromSeconds(60),
        Source = "nginx client_body_timeout",
        Example = "body: 60s",
        AlsoCalled = ["client_body_timeout"],
    };

    public static readonly Setting<TimeSpan> KeepAlive = new("keepAlive", Wait)
    {
        Doc = "http: a client connection between two requests; then it is closed.",
        Default = TimeSpan.FromSeconds(75),
        Source = "nginx keepalive_timeout",
        Example = "keepAlive: 75s",
        AlsoCalled = ["http-keep-alive", "keepalive_timeout"],
    };

    public static readonly Setting<TimeSpan> Pool = new("pool", Wait)
    {
        Doc = "http: a connection to a real server between two requests; then it is closed. Best shorter than the real server's own keep-alive timeout.",
        Default = TimeSpan.FromSeconds(30),
        Source = "ours; half of the 60s for which nginx keeps an upstream connection, to be the first to close",
        Example = "pool: 30s",
        AlsoCalled = ["pool-purge-delay"],
    };

    public static readonly Setting<TimeSpan> Tunnel = new("tunnel", Wait)
    {
        Doc = "http: without a byte in either direction after an upgrade (WebSocket); then both sides are closed.",
        Default = TimeSpan.FromHours(1),
        Source = "HAProxy's documentation of `timeout tunnel`",
        Example = "tunnel: 1h",
        AlsoCalled = ["websocket"],
    };

    public static readonly Section Section = new("timeouts", Connect, Idle, Request, Response, Body, KeepAlive, Pool, Tunnel)
    {
        Doc = "How long a virtual server waits, and for what.",
        Place = "in `timeouts` of a virtual server",
    };

    private static readonly ImmutableArray<Setting> OnlyHttp = [Request, Response, Body, KeepAlive, Pool, Tunnel];

    /// <summary>A timeout that is written and never used would be believed in.</summary>
    /// <param name="headers">Whether connections begin with a header of the PROXY protocol, which <see cref="Request"/> bounds.</param>
    public static void RefuseUnused(Fields fields, VirtualServerProtocol protocol, bool headers, ProblemList problems)
    {
        (ImmutableArray<Setting> unused, string here) = protocol switch
        {
            VirtualServerProtocol.Tcp => (OnlyHttp, "tcp"),
            VirtualServerProtocol.Http => ([Idle], "http"),
            VirtualServerProtocol.Udp => ([Connect, .. OnlyHttp], "udp"),
        };
        foreach (Setting setting in unused.Where(s => fields.IsWritten(s) && !(headers && s == Request)))
            problems.Add(fields.AtOf(setting), $"the timeout `{setting.Name}` does nothing for `protocol: {here}`", $"remove it, or write `protocol: {(OnlyHttp.Contains(setting) ? "http" : "tcp")}`");
    }

    public static Timeouts Meant(Fields fields, VirtualServerProtocol protocol) => new()
    {
        Connect = fields.Get(Connect),
        Idle = fields.FindValue(Idle) ?? (protocol == VirtualServerProtocol.Udp ? IdleSession : Idle.Default),
        Request = fields.Get(Request),
        Response = fields.Get(Response),
        Body = fields.Get(Body),
        KeepAlive = fields.Get(KeepAlive),
        Pool = fields.Get(Pool),
        Tunnel = fields.Get(Tunnel),
    };
}
