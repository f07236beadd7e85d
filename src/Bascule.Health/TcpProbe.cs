using System.Net;
using System.Net.Sockets;

namespace Bascule.Health;

/// <summary>Does it accept a connection?</summary>
/// <remarks>
/// The connection is closed properly (FIN) rather than reset: many servers log a reset as an error, once an interval for ever, and
/// some count it as an attack. The price is ours: a TIME_WAIT entry on the director for a minute a check, which ports and memory bear
/// (they are counted per real server, and one check a second keeps 60 of them).
/// </remarks>
internal sealed class TcpProbe(IPEndPoint target) : StreamProbe(target)
{
    /// <inheritdoc/>
    protected override ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation) => new(Verdict.Pass("connected"));
}
