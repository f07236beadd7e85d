using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;
using Bascule.Vrrp.Addresses;

namespace Bascule.Vrrp.Handover;

/// <summary>
/// The addresses of an instance that has been given away, for as long as connections of them are open here: on the loopback interface, where they are
/// this machine's own, and silent, so that no neighbour learns that they are. docs/design/failover.md, "Planned handover".
/// </summary>
/// <remarks>
/// IPv6 is silent by itself: neighbour discovery answers for, and asks from, addresses of the interface alone. ARP does both for all addresses of the machine;
/// nftables drops what asks for them, and has questions of our own asked from our own address.
/// </remarks>
internal sealed class QuietAddresses(HaInstance instance, int number, NftTables tables)
{
    private const string Loopback = "lo";
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10); // the kernel is late with ending a lease, and silence has to last longer
    private readonly string _table = $"{NftTables.Prefix}quiet-{number}";

    /// <summary>Puts the addresses aside; they may still be on their interface as well.</summary>
    /// <param name="lease">After so long the kernel removes them by itself.</param>
    /// <returns>Null, or why not, as a clause; then nothing is left.</returns>
    public async Task<string?> BeginAsync(TimeSpan lease)
    {
        IPAddress[] ipv4 = [.. instance.Addresses.Select(a => a.Address).Where(a => a.AddressFamily == AddressFamily.InterNetwork)];
        if (ipv4.Length > 0)
        {
            if (OwnAddress() is not { } own)
                return $"{instance.Interface} has no IPv4 address but virtual ones to ask its neighbours from";
            if (await tables.RunAsync(Silence(_table, ipv4, own, lease + Margin)) is { } why)
                return why;
        }

        if (Put(lease) is { } refused)
        {
            await EndAsync();
            return refused;
        }

        return null;
    }

    /// <summary>Removes them.</summary>
    public async Task EndAsync()
    {
        using Network network = new();
        if (network.FindLink(Loopback) is { } loopback)
        {
            NetworkChanges changes = new();
            foreach (VirtualAddress address in instance.Addresses)
                changes.RemoveAddress($"{address.Address}", On(loopback, address.Address));
            network.Make(changes); // what is not there need not be removed
        }

        await tables.RunAsync(NftTables.Remove("arp", _table));
    }

    /// <summary>Removes what a former life left: addresses that bear our mark, on the loopback interface.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public static void Clean(HaSettings settings)
    {
        using Network network = new();
        if (network.FindLink(Loopback) is not { } loopback)
            return;
        HashSet<IPAddress> ours = [.. settings.Instances.Where(i => i.Interface != Loopback).SelectMany(i => i.Addresses).Select(a => a.Address)];
        NetworkChanges changes = new();
        foreach (AssignedAddress left in network.AssignedAddresses().Where(a => a.Address.InterfaceIndex == loopback.Index && a.Protocol == AddressPlan.Mark && ours.Contains(a.Address.Address)))
            changes.RemoveAddress($"{left.Address.Address}", left.Address);
        if (changes.Count > 0)
            network.Make(changes);
    }

    /// <summary>The commands that keep ARP from speaking of addresses.</summary>
    internal static string Silence(string table, IEnumerable<IPAddress> addresses, IPAddress own, TimeSpan lease) => NftTables.Make("arp", table, string.Create(CultureInfo.InvariantCulture, $$"""
        set quiet { type ipv4_addr; flags timeout; elements = { {{string.Join(", ", addresses.Select(a => $"{a} timeout {Seconds(lease)}s"))}} }; }
        chain hears { type filter hook input priority 0; arp daddr ip @quiet drop; }
        chain asks { type filter hook output priority 0; arp saddr ip @quiet arp saddr ip set {{own}}; }
        """));

    private static long Seconds(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds);

    private static NetworkAddress On(NetworkLink loopback, IPAddress address) => new(loopback.Index, address, address.GetAddressBytes().Length * 8);

    private string? Put(TimeSpan lease)
    {
        using Network network = new();
        if (network.FindLink(Loopback) is not { } loopback)
            return "there is no loopback interface";
        NetworkChanges changes = new();
        foreach (VirtualAddress address in instance.Addresses)
            changes.PutAddress($"{address.Address}", On(loopback, address.Address), AddressPlan.Mark, TimeSpan.FromSeconds(Seconds(lease)));
        if (network.Make(changes) == 0)
            return null;
        int first = Enumerable.Range(0, changes.Count).First(i => changes.Error(i) != Errno.None);
        return $"{changes.Name(first)} could not be put on {Loopback}: {changes.Reason(first)}";
    }

    private IPAddress? OwnAddress()
    {
        using Network network = new();
        HashSet<IPAddress> moving = [.. instance.Addresses.Select(a => a.Address)];
        int index = network.FindLink(instance.Interface)?.Index ?? 0;
        return instance.Source is { AddressFamily: AddressFamily.InterNetwork } source ? source
            : network.Addresses().FirstOrDefault(a => a.InterfaceIndex == index && a.Address.AddressFamily == AddressFamily.InterNetwork && !moving.Contains(a.Address))?.Address;
    }
}
