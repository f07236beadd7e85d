using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Vrrp.Handover;

/// <summary>A TCP connection, or half of one, of an address of ours.</summary>
/// <param name="Local">Our end.</param>
/// <param name="Remote">The client's.</param>
internal readonly record struct ConnectionEnds(IPEndPoint Local, IPEndPoint Remote);

/// <summary>
/// Passes TCP packets of connections that the other director has on to it, at the director that has the addresses now: by nftables, before this machine's own
/// TCP would answer them with a reset. What began here is told from what did not by its SYN, which nobody else saw. Packets that the XDP datapath serves
/// never come so far. docs/design/failover.md, "Planned handover".
/// </summary>
internal sealed class Relay(HaInstance instance, int number, NftTables tables)
{
    private const int ElementsAtOnce = 1000; // their text has to fit an argument of a program
    private readonly string _table = $"{NftTables.Prefix}relay-{number}";

    /// <summary>Begins.</summary>
    /// <param name="peer">Addresses of the other director, in the order of preference; one of each family is needed, on the instance's own link.</param>
    /// <param name="ours">Connections that are open here already, as after being handed over and back.</param>
    /// <param name="lifetime">After so long nothing is passed on any more, even if nobody ends it.</param>
    /// <returns>Null, or why not, as a clause; then nothing is left.</returns>
    public async Task<string?> BeginAsync(IReadOnlyList<IPAddress> peer, IReadOnlyList<ConnectionEnds> ours, TimeSpan lifetime)
    {
        if (instance.Addresses.FirstOrDefault(a => a.Interface is { } other && other != instance.Interface) is { } elsewhere)
            return $"{elsewhere.Address} is on {elsewhere.Interface}, and only what is on {instance.Interface} can be passed on";
        foreach (IGrouping<AddressFamily, IPAddress> family in instance.Addresses.Select(a => a.Address).GroupBy(a => a.AddressFamily))
        {
            string? why = peer.FirstOrDefault(a => a.AddressFamily == family.Key) is { } to
                ? await tables.RunAsync(Rules(_table, family, to, instance.Interface, lifetime))
                : $"no {(family.Key == AddressFamily.InterNetwork ? "IPv4" : "IPv6")} address of the other director is known";
            why ??= await NameAsync(family.Key, [.. ours.Where(c => family.Contains(c.Local.Address))]);
            if (why is null)
                continue;
            await EndAsync();
            return why;
        }

        return null;
    }

    /// <summary>Passes nothing on any more.</summary>
    public Task EndAsync() => tables.RunAsync(NftTables.Remove("ip", _table) + NftTables.Remove("ip6", _table));

    // Before connection tracking (-200), and before raw (-300): nothing else has a say about packets that are not ours.
    internal static string Rules(string table, IEnumerable<IPAddress> addresses, IPAddress peer, string link, TimeSpan lifetime)
    {
        string ip = peer.AddressFamily == AddressFamily.InterNetwork ? "ip" : "ip6";
        string type = ip == "ip" ? "ipv4_addr" : "ipv6_addr";
        string seconds = string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(lifetime.TotalSeconds)}s");
        return NftTables.Make(ip, table, $$"""
            set moved { type {{type}}; flags timeout; elements = { {{string.Join(", ", addresses.Select(a => $"{a} timeout {seconds}"))}} }; }
            set ours { type {{type}} . inet_service . {{type}} . inet_service; size 1048576; flags dynamic, timeout; timeout {{seconds}}; }
            chain arrives { type filter hook prerouting priority -310; {{ip}} daddr @moved meta l4proto tcp goto sorts; }
            chain sorts {
              tcp flags & (fin | syn | rst | ack) == syn add @ours { {{ip}} saddr . tcp sport . {{ip}} daddr . tcp dport } accept
              {{ip}} saddr . tcp sport . {{ip}} daddr . tcp dport @ours accept
              dup to {{peer}} device "{{link}}" drop
            }
            """);
    }

    private async Task<string?> NameAsync(AddressFamily family, ConnectionEnds[] ours)
    {
        string ip = family == AddressFamily.InterNetwork ? "ip" : "ip6";
        foreach (ConnectionEnds[] some in ours.Chunk(ElementsAtOnce))
        {
            string elements = string.Join(", ", some.Select(c => $"{c.Remote.Address} . {c.Remote.Port} . {c.Local.Address} . {c.Local.Port}"));
            if (await tables.RunAsync($"add element {ip} {_table} ours {{ {elements} }}") is { } why)
                return why;
        }

        return null;
    }
}
