using System.Net;
using System.Net.Sockets;

namespace Bascule.Packets.Decap;

/// <summary>
/// What a real server's own system has to be told, as shell commands: run by <c>bascule decap</c>, printed by <c>bascule decap --print</c>.
/// </summary>
public static class DecapCommands
{
    /// <summary>
    /// The virtual addresses on the loopback interface, in silence: arp_ignore 1 answers for an address only on the interface that has it,
    /// arp_announce 2 never asks in its name. IPv6 neighbour discovery answers only for addresses of the interface itself anyway.
    /// </summary>
    /// <param name="missing">Those of the virtual addresses that this machine does not have yet.</param>
    public static IEnumerable<string> Serve(DecapSettings settings, IEnumerable<IPAddress> missing) =>
    [
        "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore",
        "echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce",
        .. missing.Select(address => $"ip address add {Prefix(address)} dev lo{(address.AddressFamily == AddressFamily.InterNetwork ? "" : " nodad")}"),
        // Strict: a client's packet is taken only where the way back to it begins. What came out of a tunnel may have come another way.
        .. settings.Interfaces.Select(name => $"[ \"$(cat /proc/sys/net/ipv4/conf/{name}/rp_filter)\" != 1 ] || echo 2 > /proc/sys/net/ipv4/conf/{name}/rp_filter"),
    ];

    /// <summary>Takes those virtual addresses away again that were not there before.</summary>
    public static IEnumerable<string> StopServing(IEnumerable<IPAddress> added) =>
        added.Select(address => $"ip address del {Prefix(address)} dev lo");

    /// <summary>The kernel's own tunnel devices in place of our program, one for each kind of tunnel.</summary>
    public static IEnumerable<string> KernelTunnels(DecapSettings settings) =>
    [
        "# forward: { tun: ipip }",
        "modprobe ipip && ip link set tunl0 up && echo 0 > /proc/sys/net/ipv4/conf/tunl0/rp_filter",
        "modprobe ip6_tunnel && ip link set ip6tnl0 up",
        "# forward: { tun: gue }",
        $"modprobe fou && modprobe ipip && ip fou add port {settings.GuePort} gue && ip link set tunl0 up && echo 0 > /proc/sys/net/ipv4/conf/tunl0/rp_filter",
        "# forward: { tun: gre }",
        "modprobe ip_gre && ip link set gre0 up && echo 0 > /proc/sys/net/ipv4/conf/gre0/rp_filter",
        "# and for each of them, since the strictest of the two settings counts:",
        "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter",
    ];

    private static string Prefix(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? $"{address}/32" : $"{address}/128";
}
