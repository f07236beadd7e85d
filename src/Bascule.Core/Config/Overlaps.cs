using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Virtual servers that would take the same connections from each other. The one written later gets the problem.</summary>
internal static class Overlaps
{
    /// <summary>What of a virtual server matters here.</summary>
    private sealed record Claim(string Name, IPEndPoint Address, bool IsUdp, bool IsOnDatapath)
    {
        public bool IsEveryAddress => VirtualServerSection.IsEveryAddress(Address.Address);

        public bool IsEveryPort => Address.Port == 0;

        /// <summary>Whether all that the other would get is also for this one.</summary>
        public bool Covers(Claim other) => (IsEveryAddress || Address.Address.Equals(other.Address.Address)) && (IsEveryPort || Address.Port == other.Address.Port);
    }

    public static void Refuse(ImmutableArray<Named> virtualServers, ProblemList problems)
    {
        Dictionary<(IPEndPoint, bool IsUdp), Claim> taken = [];
        Dictionary<(AddressFamily, bool IsUdp), List<Claim>> wide = []; // those that may cover others; few
        Dictionary<(AddressFamily, bool IsUdp, int Port), Claim> firstOnPort = [];
        Dictionary<(IPAddress, bool IsUdp), Claim> firstOnAddress = [];
        foreach ((string name, Fields fields) in virtualServers)
        {
            if (fields.Find(VirtualServerSection.Address) is not { Port: { } port } written)
                continue;
            bool isUdp = !fields.IsBroken(VirtualServerSection.Protocol) && fields.Get(VirtualServerSection.Protocol) == VirtualServerProtocol.Udp;
            Claim claim = new(name, new(written.Ip, port), isUdp, ForwardRules.IsOnDatapath(fields) ?? false);
            AddressFamily family = written.Ip.AddressFamily;
            if (taken.GetValueOrDefault((claim.Address, isUdp)) is { } same)
                problems.Add(fields.AtOf(VirtualServerSection.Address), $"`{name}` listens on {Text(claim)}, and so does `{same.Name}`", "give one of them another address or port");
            else if (wide.GetValueOrDefault((family, isUdp))?.Find(before => Conflict(before, claim)) is { } wider)
                Add(wider, wider);
            else if (claim.IsEveryAddress && firstOnPort.GetValueOrDefault((family, isUdp, port)) is { } narrower && Conflict(claim, narrower))
                Add(narrower, claim);
            else if (claim.IsEveryPort && firstOnAddress.GetValueOrDefault((written.Ip, isUdp)) is { } one && Conflict(claim, one))
                Add(one, claim);

            taken.TryAdd((claim.Address, isUdp), claim);
            Keep(firstOnPort, (family, isUdp, port), claim);
            Keep(firstOnAddress, (written.Ip, isUdp), claim);
            if (claim.IsEveryAddress || claim.IsEveryPort)
                (wide.TryGetValue((family, isUdp), out List<Claim>? list) ? list : wide[(family, isUdp)] = []).Add(claim);

            void Add(Claim other, Claim taker) =>
                problems.Add(fields.AtOf(VirtualServerSection.Address), $"`{name}` listens on {Text(claim)}, which overlaps {Text(other)} of `{other.Name}`", Hint(taker));
        }
    }

    /// <summary>
    /// The datapath takes the narrowest of its own, and takes it before the proxy sees anything. So a wide one there is in the way of the
    /// proxy's, and a wide one of the proxy in the way of the proxy's alone.
    /// </summary>
    private static bool Conflict(Claim wide, Claim narrow) => wide.Covers(narrow) && !narrow.IsOnDatapath;

    // Of two on one port, the proxied one is the one that something wide could be in the way of.
    private static void Keep<T>(Dictionary<T, Claim> first, T key, Claim claim)
        where T : notnull
    {
        if (!first.TryGetValue(key, out Claim? before) || (before.IsOnDatapath && !claim.IsOnDatapath))
            first[key] = claim;
    }

    private static string Hint(Claim taker) => taker.IsEveryPort
        ? $"{Text(taker)} takes every port of its address; give one of them another address"
        : $"{Text(taker)} takes port {taker.Address.Port} of every address; give one of them another port";

    private static string Text(Claim claim) => claim.IsEveryPort ? AddressForm.Listener.Write(new(claim.Address.Address, 0)) : claim.Address.ToString();
}
