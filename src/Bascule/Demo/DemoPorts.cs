using System.Net;
using System.Net.Sockets;

namespace Bascule.Demo;

/// <summary>Whether the demo's two ports are free.</summary>
internal static class DemoPorts
{
    /// <summary>The first of the port and the next that somebody listens on; null when both are free.</summary>
    public static int? FindTaken(int port) => IsTaken(port) ? port : IsTaken(port + 1) ? port + 1 : null;

    // SO_REUSEPORT, which the director's own listeners have, would let a second director of the same user in unnoticed. This asks without.
    private static bool IsTaken(int port)
    {
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            probe.Listen();
            return false;
        }
        catch (SocketException e)
        {
            // Anything else, such as a port one may not use, the director says better.
            return e.SocketErrorCode == SocketError.AddressAlreadyInUse;
        }
    }
}
