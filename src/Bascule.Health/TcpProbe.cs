using System.Net;
using System.Net.Sockets;

namespace Bascule.Health;

/// <summary>Does it accept a connection?</summary>
/// <remarks>As a part of a combined check; alone it is asked by the loop's own thread, see <see cref="Loop.TcpRunningCheck"/>, which says why it closes as it does.</remarks>
internal sealed class TcpProbe(IPEndPoint target) : StreamProbe(target)
{
    /// <inheritdoc/>
    protected override ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation) => new(Verdict.Pass("connected"));
}
