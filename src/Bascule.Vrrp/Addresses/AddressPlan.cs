using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux.Netlink;

namespace Bascule.Vrrp.Addresses;

/// <summary>Where one virtual address goes on this machine, as its interfaces are just now.</summary>
/// <param name="Address">As configured.</param>
/// <param name="HolderName">The interface that it is put on.</param>
/// <param name="Holder">Index of that; 0: there is no such interface.</param>
/// <param name="Cable">Index of the interface that frames about it leave by: the same, or what the macvlan sits on.</param>
/// <param name="Mac">Of the holder; null where it has none, so that there is nothing to announce.</param>
internal sealed record AddressPlace(VirtualAddress Address, string HolderName, int Holder, int Cable, PhysicalAddress? Mac)
{
    public NetworkAddress Assignment => new(Holder, Address.Address, Address.PrefixLength);

    public string Name => $"address {Address.Address}/{Address.PrefixLength} on {HolderName}";
}

/// <summary>The changes of an instance, written once for the interfaces as they are: what is taken, what is dropped, and the lease.</summary>
internal sealed class AddressPlan
{
    /// <summary>Who added it: addresses, routes and rules that Bascule adds bear this number, by which its next life finds them.</summary>
    public const byte Mark = 181; // free in iproute2's rt_protos; 186 to 197 are routing daemons'


    private AddressPlan(IReadOnlyList<AddressPlace> places) => Places = places;

    public IReadOnlyList<AddressPlace> Places { get; }

    /// <summary>Interface, addresses, routes, rules: in this order, as routes name addresses and rules name tables.</summary>
    public NetworkChanges Take { get; } = new();

    /// <summary>The same backwards.</summary>
    public NetworkChanges Drop { get; } = new();

    /// <summary>The addresses again, so that their lease begins anew; nothing where they have none.</summary>
    public NetworkChanges Refresh { get; } = new();

    /// <summary>Routes and rules alone: a cable that was out takes routes with it.</summary>
    public NetworkChanges Ways { get; } = new();

    /// <param name="instance">What is configured.</param>
    /// <param name="links">All interfaces.</param>
    /// <param name="others">The addresses that are there and are none of the instance's.</param>
    /// <param name="macvlan">The interface that has the virtual MAC; null: none has.</param>
    public static AddressPlan Of(HaInstance instance, IReadOnlyList<NetworkLink> links, IReadOnlyList<AssignedAddress> others, NetworkLink? macvlan)
    {
        AddressPlan plan = new([.. instance.Addresses.Select(address => Place(instance, address, links, macvlan))]);
        if (macvlan is not null)
            plan.Take.SetUp($"interface {macvlan.Name}", macvlan.Index, up: true);
        foreach (AddressPlace place in plan.Places)
        {
            bool withNetworkRoute = !others.Any(other => HasNetworkOf(other, place));
            plan.Take.PutAddress(place.Name, place.Assignment, Mark, instance.Lease, place.Address.Label, withNetworkRoute);
            if (instance.Lease is not null)
                plan.Refresh.PutAddress(place.Name, place.Assignment, Mark, instance.Lease, place.Address.Label, withNetworkRoute);
        }

        AddWays(instance, links, plan.Take);
        AddWays(instance, links, plan.Ways);
        plan.AddDrop(instance, links, macvlan);
        return plan;
    }

    // IPv6 has one route to a network, whoever made it: an address with a lease beside one without would make it end with the lease.
    private static bool HasNetworkOf(AssignedAddress other, AddressPlace place) =>
        place.Address.Address.AddressFamily == AddressFamily.InterNetworkV6
        && other.Address.InterfaceIndex == place.Holder && other.Address.PrefixLength == place.Address.PrefixLength && other.HasNetworkRoute
        && NetworkOf(other.Address.Address, other.Address.PrefixLength).Contains(place.Address.Address);

    private static IPNetwork NetworkOf(IPAddress address, int prefixLength)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefixLength; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new(new IPAddress(bytes), prefixLength);
    }

    private static AddressPlace Place(HaInstance instance, VirtualAddress address, IReadOnlyList<NetworkLink> links, NetworkLink? macvlan)
    {
        string name = address.Interface ?? instance.Interface;
        NetworkLink? cable = links.FirstOrDefault(link => link.Name == name);
        NetworkLink? holder = name == instance.Interface && macvlan is not null ? macvlan : cable;
        PhysicalAddress? mac = holder is { IsLoopback: false } && holder.Mac.GetAddressBytes().Length == 6 ? holder.Mac : null;
        return new(address, holder?.Name ?? name, holder?.Index ?? 0, cable?.Index ?? 0, mac);
    }

    private static RouteEntry Entry(HaInstance instance, VirtualRoute route, IReadOnlyList<NetworkLink> links)
    {
        string name = route.Interface ?? instance.Interface;
        int index = links.FirstOrDefault(link => link.Name == name)?.Index ?? 0;
        IPNetwork destination = route.Destination ?? Everything(route.Via ?? route.Source ?? instance.Addresses[0].Address);
        return new(destination, route.Via, index, route.Source, route.Table, route.Metric);
    }

    private static RuleEntry Entry(HaInstance instance, VirtualRule rule)
    {
        IPAddress example = (rule.From ?? rule.To)?.BaseAddress ?? instance.Addresses[0].Address;
        return new(rule.From ?? Everything(example), rule.To ?? Everything(example), rule.Table, rule.Priority);
    }

    private static IPNetwork Everything(IPAddress example) =>
        example.AddressFamily == AddressFamily.InterNetwork ? new(IPAddress.Any, 0) : new(IPAddress.IPv6Any, 0);

    private static string NameOf(RouteEntry route) => $"route to {route.Destination} in table {route.Table}";

    private static string NameOf(RuleEntry rule) => $"rule {rule.Priority} from {rule.From} to {rule.To}";

    private static void AddWays(HaInstance instance, IReadOnlyList<NetworkLink> links, NetworkChanges changes)
    {
        foreach (RouteEntry route in instance.Routes.Select(route => Entry(instance, route, links)))
            changes.AddRoute(NameOf(route), route, Mark);
        foreach (RuleEntry rule in instance.Rules.Select(rule => Entry(instance, rule)))
            changes.AddRule(NameOf(rule), rule, Mark);
    }

    private void AddDrop(HaInstance instance, IReadOnlyList<NetworkLink> links, NetworkLink? macvlan)
    {
        foreach (RuleEntry rule in instance.Rules.Select(rule => Entry(instance, rule)).Reverse())
            Drop.RemoveRule(NameOf(rule), rule, Mark);
        foreach (RouteEntry route in instance.Routes.Select(route => Entry(instance, route, links)).Reverse())
            Drop.RemoveRoute(NameOf(route), route, Mark);
        foreach (AddressPlace place in Places.Reverse())
            Drop.RemoveAddress(place.Name, place.Assignment);
        if (macvlan is not null)
            Drop.SetUp($"interface {macvlan.Name}", macvlan.Index, up: false);
    }
}
