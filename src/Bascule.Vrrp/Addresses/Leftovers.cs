using Bascule.Linux;
using Bascule.Linux.Netlink;

namespace Bascule.Vrrp.Addresses;

/// <summary>
/// What a former life of this director left, whatever its configuration was then: all that bears our mark. To be removed once, before the first
/// <see cref="AddressKeeper"/>; what it finds by name without a mark is removed by <see cref="AddressKeeper.Start"/>.
/// </summary>
internal static class Leftovers
{
    /// <summary>Removes rules, routes, addresses and interfaces.</summary>
    /// <returns>Sentences about what was removed.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public static IEnumerable<string> Remove(Network network)
    {
        int ways = network.RemoveRules(AddressPlan.Mark) + network.RemoveRoutes(AddressPlan.Mark);
        NetworkChanges changes = new();
        IReadOnlyList<NetworkLink> links = network.Links();
        foreach (AssignedAddress left in network.AssignedAddresses().Where(address => address.Protocol == AddressPlan.Mark))
        {
            string? link = links.FirstOrDefault(link => link.Index == left.Address.InterfaceIndex)?.Name;
            changes.RemoveAddress($"address {left.Address.Address}/{left.Address.PrefixLength} on {link}", left.Address);
        }

        foreach (NetworkLink left in links.Where(link => link.Alias == VirtualMac.Alias && link.Parent != 0))
            changes.RemoveLink($"interface {left.Name}", left.Index);
        network.Make(changes);
        IEnumerable<string> sentences = Enumerable.Range(0, changes.Count).Select(i => $"{changes.Name(i)} was left by a former life and is removed");
        return ways == 0 ? sentences : sentences.Append($"{ways} routes and rules were left by a former life and are removed");
    }
}
