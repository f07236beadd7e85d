using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Vrrp.Addresses;

/// <summary>What nftables is told about an instance, in its own language. nft(8).</summary>
internal static class GateRules
{
    /// <summary>Every table of ours begins so, by which the next life finds it.</summary>
    public const string Prefix = "bascule-";

    /// <summary>The set that holds the gate open: the protocols that pass, for as long as they are in it.</summary>
    public const string Set = "open";

    /// <summary>Whether the instance needs any.</summary>
    public static bool AreNeeded(HaInstance instance) => instance.Gate is not null || !instance.Accepts;

    /// <summary>The name of the instance's tables.</summary>
    public static string TableOf(HaInstance instance) => Prefix + instance.Name;

    /// <summary>The keys of <see cref="Set"/>: EtherTypes. The rules ask for these rather than for addresses, so that one refresh holds any number of addresses.</summary>
    public static byte[][] Keys => [.. NeighbourKeys, .. PacketKeys];

    /// <summary>That of ARP. IPv6 has no such: its neighbour discovery is IPv6.</summary>
    public static byte[][] NeighbourKeys => [[0x08, 0x06]];

    /// <summary>Those of IPv4 and IPv6.</summary>
    public static byte[][] PacketKeys => [[0x08, 0x00], [0x86, 0xDD]];

    /// <summary>Makes the tables in place of those that may be there, in one transaction. The gate is closed.</summary>
    public static string Make(HaInstance instance)
    {
        string table = TableOf(instance);
        string gate = instance.Gate is null ? "" : $$"""
            table netdev {{table}} {
                set {{Set}} { type ether_type; flags timeout; }
            {{string.Join('\n', GroupsOf(instance).Select((group, i) => Gate(group.Key, i, [.. group])))}}
            }

            """;
        return Remove(instance) + gate + (instance.Accepts ? "" : Refusal(table, [.. instance.Addresses]));
    }

    /// <summary>Removes the tables, whether they are there or not.</summary>
    public static string Remove(HaInstance instance) => Remove("netdev", TableOf(instance)) + Remove("inet", TableOf(instance));

    /// <summary>Removes the tables of all instances.</summary>
    /// <param name="tables">What <c>nft list tables</c> wrote.</param>
    public static string RemoveAll(string tables) => string.Concat(tables.Split('\n', StringSplitOptions.TrimEntries)
        .Where(table => table.StartsWith($"table netdev {Prefix}", StringComparison.Ordinal) || table.StartsWith($"table inet {Prefix}", StringComparison.Ordinal))
        .Select(table => $"delete {table}\n"));

    // Added first: what is not there cannot be deleted.
    private static string Remove(string family, string table) => $"table {family} {table}\ndelete table {family} {table}\n";

    private static IEnumerable<IGrouping<string, VirtualAddress>> GroupsOf(HaInstance instance) =>
        instance.Addresses.GroupBy(address => address.Interface ?? instance.Interface);

    // Neither asked for nor sent to, and silent about them itself. @th,64,128 is the target of neighbour discovery, RFC 4861 §4.3 and §4.4.
    private static string Gate(string link, int index, VirtualAddress[] addresses)
    {
        const string Closed = "meta protocol != @" + Set + " drop";
        List<string> arriving = [], leaving = [];
        if (List(addresses, AddressFamily.InterNetwork, Plain) is { } ipv4)
        {
            arriving.AddRange([$"arp daddr ip {ipv4} {Closed}", $"ip daddr {ipv4} {Closed}"]);
            leaving.Add($"arp saddr ip {ipv4} {Closed}");
        }

        if (List(addresses, AddressFamily.InterNetworkV6, Plain) is { } ipv6)
        {
            string targets = List(addresses, AddressFamily.InterNetworkV6, Number)!;
            arriving.AddRange([$"ip6 daddr {ipv6} {Closed}", $"icmpv6 type nd-neighbor-solicit @th,64,128 {targets} {Closed}"]);
            leaving.Add($"icmpv6 type nd-neighbor-advert @th,64,128 {targets} {Closed}");
        }

        return Chain($"in{index}", $"ingress device \"{link}\" priority -500", arriving) + Chain($"out{index}", $"egress device \"{link}\" priority 0", leaving);
    }

    /// <summary>RFC 9568 §6.1, Accept_Mode: what is sent to the addresses is dropped, but for neighbour discovery. This machine may talk to itself.</summary>
    private static string Refusal(string table, VirtualAddress[] addresses)
    {
        List<string> rules = ["iif \"lo\" accept"];
        if (List(addresses, AddressFamily.InterNetwork, Plain) is { } ipv4)
            rules.Add($"ip daddr {ipv4} drop");
        if (List(addresses, AddressFamily.InterNetworkV6, Plain) is { } ipv6)
            rules.AddRange([$"ip6 daddr {ipv6} icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept", $"ip6 daddr {ipv6} drop"]);
        return $"table inet {table} {{\n{Chain("input", "input priority -300", rules)}}}\n";
    }

    private static string Chain(string name, string hook, IEnumerable<string> rules) =>
        $"    chain {name} {{\n        type filter hook {hook}; policy accept;\n{string.Concat(rules.Select(rule => $"        {rule}\n"))}    }}\n";

    private static string? List(VirtualAddress[] addresses, AddressFamily family, Func<IPAddress, string> write)
    {
        string[] found = [.. addresses.Where(address => address.Address.AddressFamily == family).Select(address => write(address.Address)).Distinct()];
        return found.Length == 0 ? null : $"{{ {string.Join(", ", found)} }}";
    }

    private static string Plain(IPAddress address) => address.ToString();

    private static string Number(IPAddress address) => $"0x{Convert.ToHexString(address.GetAddressBytes())}";
}
