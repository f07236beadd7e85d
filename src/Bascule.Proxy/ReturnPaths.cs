using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace Bascule.Proxy;

/// <summary>
/// Brings home what real servers answer to clients whose addresses the connections came from (<c>transparent</c>). Such a packet is for somebody else
/// by its address; what comes from a real server's port is taken for this machine all the same:
/// <code>
/// ip rule add from 10.0.0.11 ipproto tcp sport 80 lookup 47708
/// ip route add local default dev lo table 47708
/// </code>
/// It is taken away when it is no longer configured, and when the director ends; what a former life left, when it starts.
/// </summary>
internal sealed class ReturnPaths(ILogger logger)
{
    /// <summary>Who added it: rules and routes of ours bear this number. 181 are the virtual addresses' own.</summary>
    private const byte Mark = 182;

    private const int Table = 47708;

    /// <summary>Before the main table's, 32766, and whatever somebody has put between.</summary>
    private const int Priority = 182;

    private HashSet<RuleEntry> _rules = [];
    private HashSet<RouteEntry> _routes = [];
    private bool _hasLookedForLeftovers;

    /// <summary>Adds what the snapshot needs and is missing, and removes what it does not need any more.</summary>
    public void Apply(Snapshot snapshot) => Change([.. snapshot.Proxied.Select(v => v.Configured).Where(v => v.IsTransparent).SelectMany(RulesOf)]);

    /// <summary>Removes everything.</summary>
    public void Remove() => Change([]);

    private void Change(HashSet<RuleEntry> rules)
    {
        if (_hasLookedForLeftovers && rules.SetEquals(_rules))
            return;
        try
        {
            using Network network = new();
            if (!_hasLookedForLeftovers)
                RemoveLeftovers(network);
            if (rules.Count + _rules.Count > 0)
                Change(network, rules);
        }
        catch (KernelException e)
        {
            Log.ReturnPathFailed(logger, "routing", e.Message);
        }
    }

    private void RemoveLeftovers(Network network)
    {
        _hasLookedForLeftovers = true;
        if (network.RemoveRules(Mark) > 0)
            network.RemoveRoutes(Mark);
    }

    private void Change(Network network, HashSet<RuleEntry> rules)
    {
        int loopback = network.Links().First(link => link.IsLoopback).Index;
        HashSet<RouteEntry> routes = [.. rules.Select(rule => rule.To).Distinct().Select(all => new RouteEntry(all, null, loopback, null, Table, Metric: 0) { IsLocal = true })];
        NetworkChanges changes = new();
        foreach (RouteEntry route in routes.Except(_routes))
            changes.AddRoute($"route to {route.Destination} in table {Table}", route, Mark);
        foreach (RuleEntry rule in rules.Except(_rules))
            changes.AddRule($"rule from {rule.From}", rule, Mark);
        foreach (RuleEntry rule in _rules.Except(rules))
            changes.RemoveRule($"rule from {rule.From}", rule, Mark);
        foreach (RouteEntry route in _routes.Except(routes))
            changes.RemoveRoute($"route to {route.Destination} in table {Table}", route, Mark);
        (_rules, _routes) = (rules, routes);
        if (network.Make(changes) == 0)
            return;
        foreach (int failed in Enumerable.Range(0, changes.Count).Where(i => changes.Error(i) is not (Errno.None or Errno.Exists)))
            Log.ReturnPathFailed(logger, changes.Name(failed), changes.Reason(failed));
    }

    private static IEnumerable<RuleEntry> RulesOf(VirtualServer virtualServer) =>
        from address in virtualServer.RealServers.Select(r => r.Address).Concat(virtualServer.SorryServer is { } sorry ? [sorry] : [])
        where !IPAddress.IsLoopback(address.Address) // what comes from there is never routed
        from ports in address.Port != 0 ? [((ushort)address.Port, (ushort)address.Port)] : virtualServer.Addresses.Select(a => ((ushort)a.FirstPort, (ushort)a.LastPort))
        let isIpv4 = address.AddressFamily == AddressFamily.InterNetwork
        select new RuleEntry(new(address.Address, isIpv4 ? 32 : 128), new(isIpv4 ? IPAddress.Any : IPAddress.IPv6Any, 0), Table, Priority) { FromPorts = ports };
}
