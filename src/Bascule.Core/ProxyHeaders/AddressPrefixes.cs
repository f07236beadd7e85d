using System.Net;
using System.Net.Sockets;
using Bascule.Core.Scheduling;

namespace Bascule.Core.ProxyHeaders;

/// <summary>Some prefixes, asked for each connection whether one of them holds its peer.</summary>
public sealed class AddressPrefixes(IEnumerable<IPNetwork> prefixes)
{
    private readonly Prefix[] _prefixes = [.. prefixes.Select(Of)];

    /// <summary>Whether the address is in one of them.</summary>
    public bool Contain(in ClientAddress address)
    {
        foreach (ref readonly Prefix prefix in _prefixes.AsSpan())
        {
            if (address.IsIpv4 == prefix.First.IsIpv4 && (address.High & prefix.MaskHigh) == prefix.First.High && (address.Low & prefix.MaskLow) == prefix.First.Low)
                return true;
        }

        return false;
    }

    private static Prefix Of(IPNetwork network)
    {
        bool isIpv4 = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
        int bits = network.PrefixLength + (isIpv4 ? 96 : 0);
        UInt128 mask = bits == 0 ? 0 : UInt128.MaxValue << (128 - bits);
        return new(ClientAddress.Of(new IPEndPoint(network.BaseAddress, 0)), (ulong)(mask >> 64), (ulong)mask);
    }

    private readonly record struct Prefix(ClientAddress First, ulong MaskHigh, ulong MaskLow);
}
