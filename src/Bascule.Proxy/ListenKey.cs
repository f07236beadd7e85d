using System.Net;
using Bascule.Core.Model;

namespace Bascule.Proxy;

/// <summary>What a listener is known by: UDP and TCP may have the same address and port.</summary>
internal readonly record struct ListenKey(IPEndPoint Address, bool IsUdp)
{
    /// <summary>Those of one place where clients of a virtual server go, port by port.</summary>
    public static IEnumerable<ListenKey> Of(VirtualServer virtualServer, ListenAddress place) =>
        place.EndPoints.Select(address => new ListenKey(address, virtualServer.Protocol == VirtualServerProtocol.Udp));
}
