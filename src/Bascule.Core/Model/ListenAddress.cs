using System.Net;
using System.Net.Sockets;

namespace Bascule.Core.Model;

/// <summary>One place where clients connect: an address with a port, with a range of ports, or with every port.</summary>
/// <param name="Ip">
/// <see cref="IPAddress.Any"/> and <see cref="IPAddress.IPv6Any"/> mean every address of the family: of this machine on the proxy, of every packet
/// that comes by on the datapath.
/// </param>
/// <param name="FirstPort">1 to 65535; 0: every port, only on the datapath.</param>
/// <param name="LastPort">The same, or of a range the greatest; a range has at most <see cref="MostPorts"/>.</param>
public sealed record ListenAddress(IPAddress Ip, int FirstPort, int LastPort)
{
    /// <summary>Ports of one range. Each is a socket of every worker, or an entry of the datapath's; who needs more takes every port.</summary>
    public const int MostPorts = 1024;

    /// <summary>An address with one port, or with every port (0).</summary>
    public ListenAddress(IPEndPoint address)
        : this(address.Address, address.Port, address.Port)
    {
    }

    /// <summary>Whether it is every address of its family.</summary>
    public bool IsEveryAddress => Ip.Equals(IPAddress.Any) || Ip.Equals(IPAddress.IPv6Any);

    /// <summary>Whether it is every port.</summary>
    public bool IsEveryPort => FirstPort == 0;

    /// <summary>IPv4 or IPv6.</summary>
    public AddressFamily Family => Ip.AddressFamily;

    /// <summary>How many ports it has; every port counts as one.</summary>
    public int Ports => LastPort - FirstPort + 1;

    /// <summary>Its first.</summary>
    public IPEndPoint First => new(Ip, FirstPort);

    /// <summary>Each of its ports; one with port 0 for every port.</summary>
    public IEnumerable<IPEndPoint> EndPoints => Enumerable.Range(FirstPort, Ports).Select(port => new IPEndPoint(Ip, port));

    /// <summary>As the file writes it: <c>192.0.2.10:80</c>, <c>192.0.2.10:8000-8099</c>, <c>[2001:db8::10]:*</c>.</summary>
    public override string ToString() =>
        IsEveryPort ? $"{First.ToString()[..^1]}*" : FirstPort == LastPort ? First.ToString() : $"{First}-{LastPort}";
}
