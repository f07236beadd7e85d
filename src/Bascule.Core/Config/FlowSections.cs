using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>How much the datapath takes in for one virtual server.</summary>
internal static class RatesSection
{
    private const int Most = 100_000_000;

    public static readonly Setting<int> NewFlowsPerSecond = new("newFlowsPerSecond", new CountForm(1, Most))
    {
        Doc = "New flows a second, of each processor that packets come in on. What is over is dropped and counted. Of UDP only where flows are recorded: with mh, sh, dh and `onePacket` no packet is the first.",
        Otherwise = "no bound",
        Source = "IPVS has none",
        Example = "newFlowsPerSecond: 20000",
        AlsoCalled = ["connectionsPerSecond", "rate-limit"],
    };

    public static readonly Setting<int> PacketsPerSecondPerSource = new("packetsPerSecondPerSource", new CountForm(1, Most))
    {
        Doc = "Packets a second of one client address. What is over is dropped and counted. Kept in a sketch: it may take a little more than this, never forgets a heavy client, and needs no memory per client.",
        Otherwise = "no bound",
        Source = "IPVS has none",
        Example = "packetsPerSecondPerSource: 50000",
        AlsoCalled = ["packetsPerSource", "ppsPerSource"],
    };

    public static readonly Section Section = new("rates", NewFlowsPerSecond, PacketsPerSecondPerSource)
    {
        Doc = "How much the datapath takes in for one virtual server.",
        Place = "in `rates` of a virtual server",
    };
}

/// <summary>How long a recorded flow may be silent.</summary>
internal static class FlowTimeoutsSection
{
    private static readonly DurationForm Silence = DurationForm.WholeSeconds(TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));

    public static readonly Setting<TimeSpan> Established = new("established", Silence)
    {
        Doc = "tcp: an established connection. Also how long slots of a hash table stay in transition after the set of real servers has changed.",
        Default = TimeSpan.FromMinutes(15),
        Source = "IPVS: tcp, 900 seconds",
        Example = "established: 15m",
        AlsoCalled = ["tcp", "idle"],
    };

    public static readonly Setting<TimeSpan> Fin = new("fin", Silence)
    {
        Doc = "tcp: a connection that one side has begun to close.",
        Default = TimeSpan.FromMinutes(2),
        Source = "IPVS: tcpfin, 120 seconds",
        Example = "fin: 2m",
        AlsoCalled = ["tcpfin"],
    };

    public static readonly Setting<TimeSpan> Udp = new("udp", Silence)
    {
        Doc = "udp: a flow.",
        Default = TimeSpan.FromMinutes(5),
        Source = "IPVS: udp, 300 seconds",
        Example = "udp: 5m",
    };

    public static readonly Section Section = new("flowTimeouts", Established, Fin, Udp)
    {
        Doc = "How long a flow that the datapath has recorded may be silent. Other states of a connection have IPVS's timeouts (SYN_RECV 1m, TIME_WAIT 2m, CLOSE 10s, LAST_ACK 30s …).",
        Place = "in `flowTimeouts` of a virtual server",
    };

    public static FlowTimeouts Meant(Fields fields) => new() { Established = fields.Get(Established), Fin = fields.Get(Fin), Udp = fields.Get(Udp) };

    /// <summary>A timeout that is written and never used would be believed in.</summary>
    public static void RefuseUnused(Fields fields, VirtualServerProtocol protocol, ProblemList problems)
    {
        foreach (Setting setting in (Setting[])(protocol == VirtualServerProtocol.Udp ? [Established, Fin] : [Udp]))
        {
            if (fields.IsWritten(setting))
                problems.Add(fields.AtOf(setting), $"the flow timeout `{setting.Name}` does nothing for `protocol: {(protocol == VirtualServerProtocol.Udp ? "udp" : "tcp")}`", "remove it");
        }
    }
}
