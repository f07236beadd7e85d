using System.Net;
using System.Net.NetworkInformation;

namespace Bascule.Vrrp.Handover;

/// <summary>
/// Connections that the kernel has open, whoever they belong to: what a process has closed may still have bytes on their way to the client.
/// </summary>
internal static class OpenConnections
{
    /// <summary>Those of these addresses. Reads all of the machine's: not for every moment.</summary>
    public static IReadOnlyList<ConnectionEnds> Of(IReadOnlySet<IPAddress> addresses) =>
        [.. IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
            .Where(c => c.State is not (TcpState.TimeWait or TcpState.Closed or TcpState.Listen) && addresses.Contains(c.LocalEndPoint.Address))
            .Select(c => new ConnectionEnds(c.LocalEndPoint, c.RemoteEndPoint))];
}
