using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux.Netlink;

namespace Bascule.Vrrp.Addresses;

/// <summary>
/// The interface that has the virtual MAC of an instance, RFC 9568 §7.3: a macvlan on top of the instance's own. It is up only while
/// Active, as a Backup must not take frames to that MAC (§6.4.2).
/// </summary>
internal sealed class VirtualMac(HaInstance instance, Network network)
{
    /// <summary>IFLA_IFALIAS of all interfaces that Bascule makes, by which its next life finds them.</summary>
    public const string Alias = "bascule";

    private readonly List<(string Path, string Before)> _settings = [];

    private bool IsIpv6 => instance.Addresses.First(address => !address.IsExcluded).Address.AddressFamily == AddressFamily.InterNetworkV6;

    private string Name => $"vrrp.{instance.VirtualRouterId}.{(IsIpv6 ? 6 : 4)}";

    /// <summary>00:00:5e:00:01:VRID for IPv4, 00:00:5e:00:02:VRID for IPv6.</summary>
    public static PhysicalAddress Of(byte virtualRouterId, bool isIpv6) => new([0x00, 0x00, 0x5E, 0x00, isIpv6 ? (byte)2 : (byte)1, virtualRouterId]);

    /// <summary>Makes the interface, in place of one that a former life left.</summary>
    /// <returns>Sentences about what could not be done, and why.</returns>
    public IEnumerable<string> Create()
    {
        IReadOnlyList<NetworkLink> links = network.Links();
        if (links.FirstOrDefault(link => link.Name == instance.Interface) is not { } parent)
            return [$"interface {Name} with the virtual MAC was not made: there is no interface {instance.Interface}"];
        if (Find(links) is { } left)
            Remove(left);
        NetworkChanges create = new();
        create.AddMacvlan($"interface {NameOn(parent, links)}", NameOn(parent, links), parent.Index, Of(instance.VirtualRouterId, IsIpv6));
        if (network.Make(create) != 0)
            return [$"{create.Name(0)} with the virtual MAC could not be made: {create.Reason(0)}"];
        NetworkLink made = network.Links().First(link => link.Parent == parent.Index && link.Name == NameOn(parent, links));
        NetworkChanges mark = new();
        mark.SetAlias($"interface {made.Name}", made.Index, Alias);
        network.Make(mark);
        return Set(parent.Name, made.Name);
    }

    /// <summary>The interface, among all there are; null when it is not there.</summary>
    public NetworkLink? Find(IReadOnlyList<NetworkLink> links) =>
        links.FirstOrDefault(link => link.Name == instance.Interface) is { } parent
            ? links.FirstOrDefault(link => link.Parent == parent.Index && link.Alias == Alias && link.Mac.Equals(Of(instance.VirtualRouterId, IsIpv6)))
            : null;

    /// <summary>Deletes the interface and sets back what was set for it.</summary>
    public void Remove()
    {
        if (Find(network.Links()) is { } link)
            Remove(link);
        foreach ((string path, string before) in _settings)
            TryWrite(path, before);
        _settings.Clear();
    }

    // The same virtual router id may be in use on another interface.
    private string NameOn(NetworkLink parent, IReadOnlyList<NetworkLink> links) =>
        links.Any(link => link.Name == Name && link.Parent != parent.Index) ? $"{Name}.{parent.Index}" : Name;

    private void Remove(NetworkLink link)
    {
        NetworkChanges remove = new();
        remove.RemoveLink($"interface {link.Name}", link.Index);
        network.Make(remove);
    }

    // Both interfaces are on one cable. Without these the kernel answers for the virtual address with the parent's MAC as well, asks
    // others in its name from there, and drops what comes in by the one and is answered by the other.
    private List<string> Set(string parent, string made)
    {
        List<string> problems = [];
        Set(problems, $"ipv4/conf/{parent}/arp_ignore", "1");
        Set(problems, $"ipv4/conf/{parent}/arp_announce", "2");
        Set(problems, $"ipv4/conf/{made}/arp_ignore", "1");
        Set(problems, $"ipv4/conf/{made}/rp_filter", "2");
        if (Directory.Exists($"/proc/sys/net/ipv6/conf/{made}"))
        {
            Set(problems, $"ipv6/conf/{made}/addr_gen_mode", "1"); // no link-local address of its own, which all directors would share
            Set(problems, $"ipv6/conf/{made}/accept_ra", "0");
        }

        return problems;
    }

    private void Set(List<string> problems, string name, string value)
    {
        string path = $"/proc/sys/net/{name}";
        try
        {
            string before = File.ReadAllText(path).Trim();
            if (before == value)
                return;
            File.WriteAllText(path, value);
            _settings.Add((path, before));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{path} could not be set to {value}: {e.Message}");
        }
    }

    private static void TryWrite(string path, string value)
    {
        try
        {
            File.WriteAllText(path, value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return; // gone with its interface
        }
    }
}
