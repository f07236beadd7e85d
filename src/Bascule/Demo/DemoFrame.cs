using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Demo;

/// <summary>What the demo looks like at one moment, whoever draws it.</summary>
internal sealed record DemoFrame(IReadOnlyList<DemoFrame.Row> Rows, long OpenConnections, string Failures, DateTimeOffset Now)
{
    /// <summary>One real server: as a process, and as each virtual server sees it. Null when the visitor took it out of the file.</summary>
    public sealed record Row(string Name, string Address, int? ProcessId, RealServerStatus? Http, RealServerStatus? Tcp)
    {
        /// <summary>Its state; both virtual servers share one check.</summary>
        public RealServerState? State => (Http ?? Tcp)?.State;

        /// <summary>Why it is in that state.</summary>
        public string Why(DateTimeOffset now) => (Http ?? Tcp) is { } seen ? StatusText.Why(seen, now) : "not in the file";
    }
}
