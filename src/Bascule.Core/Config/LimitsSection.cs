using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>What every worker holds itself to.</summary>
internal static class LimitsSection
{
    private const int KiB = 1024;

    private static readonly SizeForm Size = new(1 * KiB, 24 * KiB);

    public static readonly Setting<int> ConnectionsPerWorker = new("connectionsPerWorker", new CountForm(1, 1_000_000))
    {
        Doc = "Client connections and UDP sessions one worker holds at a time. For the next, the UDP session that is idle longest ends; where there is none, it is answered with 503 (http), reset (tcp) or dropped (udp). A connection may need two file descriptors, a session one.",
        Default = 20_000,
        Source = "ours; two workers stay well below the 524,288 open files systemd allows a service",
        Example = "connectionsPerWorker: 20000",
        AlsoCalled = ["maxconn", "worker_connections", "maxConnections"],
    };

    public static readonly Setting<int> HeaderSize = new("headerSize", Size)
    {
        Doc = "Bytes of a message's head, its first line included. A larger request gets 431, a larger response 502. A buffer has 32 KiB and must also hold the fields that are added.",
        Default = 16 * KiB,
        Source = "HAProxy tune.bufsize",
        Example = "headerSize: 16KiB",
        AlsoCalled = ["maxHeaderSize", "bufsize", "large_client_header_buffers"],
    };

    public static readonly Setting<int> RequestLineSize = new("requestLineSize", new SizeForm(256, 24 * KiB))
    {
        Doc = "Bytes of a request line. A longer one gets 414. No larger than `headerSize`.",
        Default = 8 * KiB,
        Otherwise = "8KiB, or `headerSize` if that is smaller",
        Source = "RFC 9112 §3 (at least 8000 octets); nginx large_client_header_buffers",
        Example = "requestLineSize: 8KiB",
        AlsoCalled = ["maxUriLength", "uriSize"],
    };

    public static readonly Setting<int> HeaderCount = new("headerCount", new CountForm(1, 1000))
    {
        Doc = "Header fields in one message. More get 431 (request) or 502 (response).",
        Default = 100,
        Source = "Apache LimitRequestFields; HAProxy tune.http.maxhdr is 101",
        Example = "headerCount: 100",
        AlsoCalled = ["maxhdr", "maxHeaders"],
    };

    public static readonly Setting<int> PooledPerRealServer = new("pooledPerRealServer", new CountForm(0, 65_535))
    {
        Doc = "Idle HTTP connections one worker keeps to one real server, ready for the next request. 0 keeps none.",
        Default = 1024,
        Source = "ours; a burst of 1024 requests at a time reuses every connection it opened",
        Example = "pooledPerRealServer: 1024",
        AlsoCalled = ["keepalive", "pool-max-conn", "poolSize"],
    };

    public static readonly Section Section = new("limits", ConnectionsPerWorker, HeaderSize, RequestLineSize, HeaderCount, PooledPerRealServer)
    {
        Doc = "What every worker holds itself to.",
        Place = "in `limits`",
        Rule = (_, fields, problems) => RefuseLongRequestLine(fields, problems),
    };

    public static Limits Meant(Fields fields) => new()
    {
        ConnectionsPerWorker = fields.Get(ConnectionsPerWorker),
        HeaderSize = fields.Get(HeaderSize),
        RequestLineSize = fields.FindValue(RequestLineSize) ?? int.Min(RequestLineSize.Default, fields.Get(HeaderSize)),
        HeaderCount = fields.Get(HeaderCount),
        PooledPerRealServer = fields.Get(PooledPerRealServer),
    };

    private static void RefuseLongRequestLine(Fields fields, ProblemList problems)
    {
        if (fields.IsBroken(HeaderSize) || fields.FindValue(RequestLineSize) is not { } line || line <= fields.Get(HeaderSize))
            return;
        problems.Add(fields.AtOf(RequestLineSize), $"`requestLineSize` is larger than `headerSize`, of which the request line is a part",
            $"write at most {Size.Write(fields.Get(HeaderSize))}, or raise `headerSize`");
    }
}
