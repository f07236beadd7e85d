using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Plan;

/// <summary>Who may send to a virtual server, as the datapath's tries hold it.</summary>
internal static class Prefixes
{
    private const uint BitsOfId = 32; // the virtual server's id stands before the address

    /// <summary>Whether it is of IPv4.</summary>
    public static bool IsIpv4(IPNetwork prefix) => prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork;

    /// <summary>The rules as one table: of those that hold a client the longest decides, so what is not allowed needs an entry of its own.</summary>
    public static ImmutableDictionary<IPNetwork, PrefixRule> Of(PacketRules rules)
    {
        ImmutableDictionary<IPNetwork, PrefixRule>.Builder table = ImmutableDictionary.CreateBuilder<IPNetwork, PrefixRule>();
        if (rules.Allow.Count > 0)
        {
            table[new(IPAddress.Any, 0)] = PrefixRule.Denied;
            table[new(IPAddress.IPv6Any, 0)] = PrefixRule.Denied;
        }

        foreach (IPNetwork prefix in rules.Allow)
            table[prefix] = PrefixRule.Allowed;
        foreach (IPNetwork prefix in rules.Deny)
            table[prefix] = PrefixRule.Denied;
        return table.ToImmutable();
    }

    /// <summary>The key of an IPv4 prefix.</summary>
    public static Prefix4 Key4(ushort virtualServer, IPNetwork prefix) =>
        new() { Bits = BitsOfId + (uint)prefix.PrefixLength, VirtualServer = virtualServer, Address = Wire32.Of(prefix.BaseAddress) };

    /// <summary>The key of an IPv6 prefix.</summary>
    public static Prefix6 Key6(ushort virtualServer, IPNetwork prefix) =>
        new() { Bits = BitsOfId + (uint)prefix.PrefixLength, VirtualServer = virtualServer, Address = Address.Of(prefix.BaseAddress) };

    /// <summary>The prefix of a key.</summary>
    public static IPNetwork Of(Prefix4 key) => new(key.Address.ToAddress(), (int)(key.Bits - BitsOfId));

    /// <inheritdoc cref="Of(Prefix4)"/>
    public static IPNetwork Of(Prefix6 key) => new(key.Address.ToAddress(AddressFamily.InterNetworkV6), (int)(key.Bits - BitsOfId));
}
