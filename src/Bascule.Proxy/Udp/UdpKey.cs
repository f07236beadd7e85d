using Bascule.Core.Scheduling;

namespace Bascule.Proxy.Udp;

/// <summary>What tells one session from another.</summary>
/// <param name="Client">Who sends, and to which address.</param>
/// <param name="Port">To which port.</param>
/// <param name="Scope">On which interface, of a link-local IPv6 address; else 0.</param>
/// <param name="Towards">With one-packet scheduling a client has a session with each real server that it was ever sent to; otherwise null.</param>
internal readonly record struct UdpKey(ClientAddress Client, int Port, uint Scope, RealServerPool? Towards)
{
    /// <summary>Seeded by chance at each start, as <see cref="HashCode"/> is: who sends from addresses of his choice cannot have them all fall into one place.</summary>
    public override int GetHashCode() =>
        HashCode.Combine(Client.High, Client.Low, Client.Port, Client.DestinationHigh, Client.DestinationLow, Port, Scope, Towards);
}
