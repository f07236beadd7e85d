using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using Bascule.Linux.Netlink;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;
using Microsoft.Extensions.Logging;

namespace Bascule.Packets.Engine;

/// <summary>
/// Follows the way to each real server: its route, the interface that leads there, the MAC of the next hop. Has the kernel ask for next hops it does not
/// know and confirm those it has not heard of for a while, because no packet of the datapath ever does. The engine's thread alone.
/// </summary>
internal sealed class Ways(TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);     // as the kernel repeats ARP requests
    private static readonly TimeSpan ConfirmAfter = TimeSpan.FromSeconds(15);

    private readonly NetworkWatch _watch = new(); // before the first question, so that no change falls between
    private readonly Network _network = new();
    private readonly Dictionary<(int Interface, IPAddress Address), Neighbour> _neighbours = [];
    private readonly Dictionary<(int Interface, IPAddress Address), long> _asked = [];
    private readonly Dictionary<IPAddress, string> _said = [];
    private readonly Dictionary<IPAddress, (int Interface, IPAddress Address)> _hops = [];
    private Dictionary<int, NetworkLink> _links = [];
    private HashSet<IPAddress> _wanted = [];
    private bool _isRead;

    /// <summary>What is known.</summary>
    public Surroundings Surroundings { get; private set; } = Surroundings.Unknown;

    /// <summary>All interfaces' indexes.</summary>
    public IReadOnlyCollection<int> Interfaces => _links.Keys;

    /// <summary>An interface's index; null when there is none of that name.</summary>
    public int? IndexOf(string name) => _links.Values.FirstOrDefault(link => link.Name == name)?.Index;

    /// <summary>An interface's name; null when there is none of that index.</summary>
    public string? NameOf(int index) => _links.GetValueOrDefault(index)?.Name;

    /// <summary>An interface's MAC address; empty where it has none.</summary>
    public byte[] MacOf(int index) => _links.GetValueOrDefault(index)?.Mac.GetAddressBytes() ?? [];

    /// <summary>Hears what changed since the last look.</summary>
    /// <param name="wanted">The real servers.</param>
    /// <returns>Whether <see cref="Surroundings"/> is another now.</returns>
    public bool Look(IEnumerable<IPAddress> wanted)
    {
        HashSet<IPAddress> now = [.. wanted];
        IReadOnlyList<NetworkEvent> changes = _watch.Read(TimeSpan.Zero);
        bool readAgain = !_isRead || changes.Any(change => change.IsOverrun || change.Link is not null || change.Address is not null);
        bool routesChanged = readAgain || changes.Any(change => change.IsRoute) || !now.SetEquals(_wanted);
        bool neighboursChanged = changes.Where(TakeNeighbour).ToList().Count > 0;
        _wanted = now;
        Surroundings before = Surroundings;
        if (readAgain)
            ReadAll();
        if (routesChanged || neighboursChanged)
            Surroundings = Surroundings with { NextHops = NextHops() };
        AskForNextHops();
        return routesChanged || (neighboursChanged && !Same(before, Surroundings));
    }

    /// <summary>Ends listening.</summary>
    public void Dispose()
    {
        _watch.Dispose();
        _network.Dispose();
    }

    private void ReadAll()
    {
        _links = _network.Links().ToDictionary(link => link.Index);
        _neighbours.Clear();
        foreach (Neighbour neighbour in _network.Neighbours())
            _neighbours[(neighbour.InterfaceIndex, neighbour.Address)] = neighbour;
        Surroundings = Surroundings with { Own = [.. _network.Addresses().Select(address => address.Address)] };
        _isRead = true;
    }

    private bool TakeNeighbour(NetworkEvent change)
    {
        if (change.Neighbour is not { } neighbour)
            return false;
        (int, IPAddress) key = (neighbour.InterfaceIndex, neighbour.Address);
        if (change.IsGone)
            _neighbours.Remove(key);
        else
            _neighbours[key] = neighbour;
        return _hops.ContainsValue(key);
    }

    private ImmutableDictionary<IPAddress, NextHop> NextHops()
    {
        _hops.Clear();
        ImmutableDictionary<IPAddress, NextHop>.Builder ways = ImmutableDictionary.CreateBuilder<IPAddress, NextHop>();
        foreach (IPAddress address in _wanted.Where(address => !Surroundings.Own.Contains(address)))
        {
            if (_network.FindRoute(address, out _) is { Kind: RouteKind.Unicast } route && _links.TryGetValue(route.InterfaceIndex, out NetworkLink? link))
                ways[address] = Hop(address, route, link);
            else
                Say(address, "no route", () => Log.NoRoute(logger, address));
        }

        return ways.ToImmutable();
    }

    private NextHop Hop(IPAddress address, NetworkRoute route, NetworkLink link)
    {
        (int, IPAddress) key = _hops[address] = (link.Index, route.Gateway ?? address);
        Neighbour? neighbour = _neighbours.GetValueOrDefault(key);
        Mac? mac = neighbour is { IsUsable: true } ? MacOf(neighbour.Mac!) : null;
        if (mac is not null)
            Say(address, $"{mac}", () => Log.Resolved(logger, address, $"{mac}", link.Index));
        else if (neighbour?.State == NeighbourState.Failed)
            Say(address, "no neighbour", () => Log.NoNeighbour(logger, address));
        return new(link.Index, route.Mtu > 0 ? route.Mtu : link.Mtu, MacOf(link.Mac), mac, route.Source);
    }

    private void AskForNextHops()
    {
        long now = time.GetTimestamp();
        foreach ((int, IPAddress) key in _hops.Values.Distinct())
        {
            Neighbour? neighbour = _neighbours.GetValueOrDefault(key);
            if (neighbour is { State: NeighbourState.Permanent or NeighbourState.NoArp or NeighbourState.Reachable })
                continue;
            TimeSpan patience = neighbour is { IsUsable: true } ? ConfirmAfter : AskAgain;
            if (_asked.TryGetValue(key, out long asked) && time.GetElapsedTime(asked, now) < patience)
                continue;
            _asked[key] = now;
            _network.Resolve(key.Item1, key.Item2);
        }
    }

    // Once, and again when it is otherwise.
    private void Say(IPAddress address, string what, Action say)
    {
        if (_said.TryGetValue(address, out string? before) && before == what)
            return;
        _said[address] = what;
        say();
    }

    private static Mac? MacOf(PhysicalAddress address) => address.GetAddressBytes() is { Length: 6 } bytes ? Mac.Of(bytes) : null;

    private static bool Same(Surroundings one, Surroundings other) =>
        one.NextHops.Count == other.NextHops.Count && one.NextHops.All(pair => other.NextHops.TryGetValue(pair.Key, out NextHop? way) && way == pair.Value);
}
