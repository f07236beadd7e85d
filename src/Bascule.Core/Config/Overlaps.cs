using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Addresses of virtual servers that would take the same connections from each other. The one written later gets the problem.</summary>
internal sealed class Overlaps(ProblemList problems)
{
    /// <summary>Addresses with their ports in one file, ranges counted port by port: more would want more sockets, or entries, than there are.</summary>
    private const int Most = 65_536;

    private readonly Dictionary<(IPEndPoint, bool IsUdp), Claim> _taken = [];
    private readonly Dictionary<(AddressFamily, bool IsUdp), List<Claim>> _wide = []; // those that may cover others; few
    private readonly Dictionary<(AddressFamily, bool IsUdp, int Port), Claim> _firstOnPort = [];
    private readonly Dictionary<(IPAddress, bool IsUdp), Claim> _firstOnAddress = [];

    /// <summary>What of a listener matters here.</summary>
    private sealed record Claim(string Name, ListenAddress Listener, Location At, bool IsUdp, bool IsOnDatapath)
    {
        public bool IsWide => Listener.IsEveryAddress || Listener.IsEveryPort;

        /// <summary>Whether it is for all that comes to this port of the other.</summary>
        public bool Covers(Claim other, int port) =>
            (Listener.IsEveryAddress || Listener.Ip.Equals(other.Listener.Ip)) && (Listener.IsEveryPort || (port >= Listener.FirstPort && port <= Listener.LastPort));
    }

    public static void Refuse(ImmutableArray<Named> virtualServers, ProblemList problems)
    {
        Overlaps overlaps = new(problems);
        int count = 0;
        foreach ((string name, Fields fields) in virtualServers)
        {
            bool isUdp = !fields.IsBroken(VirtualServerSection.Protocol) && fields.Get(VirtualServerSection.Protocol) == VirtualServerProtocol.Udp;
            bool isOnDatapath = ForwardRules.IsOnDatapath(fields) ?? false;
            foreach ((ListenAddress listener, Location at) in VirtualServerSection.Listeners(fields))
            {
                count += listener.Ports;
                if (count > Most)
                {
                    problems.Add(at, $"with {listener} of `{name}` the file has more than {Most} addresses with ports", "write `*` for every port, on the packet datapath, or divide the file among several directors");
                    return;
                }

                overlaps.Add(new(name, listener, at, isUdp, isOnDatapath));
            }
        }
    }

    private void Add(Claim claim)
    {
        if (claim.Listener.EndPoints.Select(e => Find(claim, e)).FirstOrDefault(found => found.Other is not null) is { Other: { } other, Taker: { } taker })
            Refuse(claim, other, taker);
        foreach (IPEndPoint address in claim.Listener.EndPoints)
        {
            _taken.TryAdd((address, claim.IsUdp), claim);
            Keep(_firstOnPort, (claim.Listener.Family, claim.IsUdp, address.Port), claim);
        }

        Keep(_firstOnAddress, (claim.Listener.Ip, claim.IsUdp), claim);
        if (claim.IsWide)
            (_wide.TryGetValue((claim.Listener.Family, claim.IsUdp), out List<Claim>? list) ? list : _wide[(claim.Listener.Family, claim.IsUdp)] = []).Add(claim);
    }

    /// <summary>Another that is for what comes to this address, or gets less because of it; and of the two the one that takes from the other.</summary>
    private (Claim? Other, Claim? Taker) Find(Claim claim, IPEndPoint address)
    {
        (ListenAddress listener, bool isUdp) = (claim.Listener, claim.IsUdp);
        if (_taken.GetValueOrDefault((address, isUdp)) is { } same)
            return (same, same);
        if (_wide.GetValueOrDefault((listener.Family, isUdp))?.Find(before => Conflict(before, claim, address.Port)) is { } wider)
            return (wider, wider);
        if (listener.IsEveryAddress && _firstOnPort.GetValueOrDefault((listener.Family, isUdp, address.Port)) is { } narrower && Conflict(claim, narrower, address.Port))
            return (narrower, claim);
        if (listener.IsEveryPort && _firstOnAddress.GetValueOrDefault((listener.Ip, isUdp)) is { } one && Conflict(claim, one, one.Listener.FirstPort))
            return (one, claim);
        return default;
    }

    private void Refuse(Claim claim, Claim other, Claim taker)
    {
        string where = other.Name == claim.Name ? $"the {other.Listener} on line {other.At.Line}" : $"{other.Listener} of `{other.Name}` on line {other.At.Line}";
        if (!claim.Listener.Equals(other.Listener))
            problems.Add(claim.At, $"`{claim.Name}` listens on {claim.Listener}, which overlaps {where}", Hint(taker));
        else if (other.Name == claim.Name)
            problems.Add(claim.At, $"`{claim.Name}` listens on {claim.Listener} twice; the first is on line {other.At.Line}", "keep one");
        else
            problems.Add(claim.At, $"`{claim.Name}` listens on {claim.Listener}, and so does `{other.Name}` on line {other.At.Line}", "give one of them another address or port");
    }

    /// <summary>
    /// The datapath takes the narrowest of its own, and takes it before the proxy sees anything. So a wide one there is in the way of the
    /// proxy's, and a wide one of the proxy in the way of the proxy's alone.
    /// </summary>
    private static bool Conflict(Claim wide, Claim narrow, int port) => wide.Covers(narrow, port) && !narrow.IsOnDatapath;

    // Of two on one port, the proxied one is the one that something wide could be in the way of.
    private static void Keep<T>(Dictionary<T, Claim> first, T key, Claim claim)
        where T : notnull
    {
        if (!first.TryGetValue(key, out Claim? before) || (before.IsOnDatapath && !claim.IsOnDatapath))
            first[key] = claim;
    }

    private static string Hint(Claim taker) =>
        taker.Listener.IsEveryPort ? $"{taker.Listener} takes every port of its address; give one of them another address"
        : !taker.Listener.IsEveryAddress ? "give one of them other ports, or another address"
        : taker.Listener.Ports == 1 ? $"{taker.Listener} takes port {taker.Listener.FirstPort} of every address; give one of them another port"
        : $"{taker.Listener} takes ports {taker.Listener.FirstPort} to {taker.Listener.LastPort} of every address; give one of them other ports";
}
