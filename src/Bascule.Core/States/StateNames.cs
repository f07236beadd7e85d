using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Core.States;

/// <summary>What an operator means by <c>web</c>, <c>web/10.0.0.11:8080</c> or <c>web/10.0.0.11</c>.</summary>
public static class StateNames
{
    /// <summary>Finds it among what is configured.</summary>
    /// <param name="refusal">Why it was not found, and what there is; null on success.</param>
    public static StateTarget? Find(Configuration configuration, string text, out ApiError? refusal)
    {
        (string name, string? address) = text.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? (text[..slash], text[(slash + 1)..]) : (text, null);
        if (configuration.VirtualServers.FirstOrDefault(v => v.Name == name) is not { } virtualServer)
        {
            refusal = new($"there is no virtual server {name}", $"there {Are(configuration.VirtualServers.Select(v => v.Name))}");
            return null;
        }

        refusal = null;
        if (address is null)
            return new(name, null);
        IPEndPoint[] found = [.. FindRealServers(virtualServer, address)];
        if (found is [var one])
            return new(name, one);
        refusal = found.Length == 0
            ? new($"{name} has no real server {address}", $"there {Are(virtualServer.RealServers.Select(r => StatusReader.AddressText(r.Address)))}")
            : new($"{name} has several real servers at {address}", $"say which port: there {Are(found.Select(StatusReader.AddressText))}");
        return null;
    }

    /// <summary>Its real servers of this address; of every port where none is written.</summary>
    public static IEnumerable<IPEndPoint> FindRealServers(VirtualServer virtualServer, string text)
    {
        ImmutableArray<IPEndPoint> all = [.. virtualServer.RealServers.Select(r => r.Address)];
        IPEndPoint[] exact = [.. all.Where(a => StatusReader.AddressText(a) == text)];
        if (exact.Length > 0)
            return exact;
        string bare = text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text;
        if (IPAddress.TryParse(bare, out IPAddress? ip))
            return all.Where(a => a.Address.Equals(ip));
        return IPEndPoint.TryParse(text, out IPEndPoint? whole) ? all.Where(a => a.Equals(whole)) : [];
    }

    private static string Are(IEnumerable<string> names) => names.ToArray() switch
    {
        [] => "is none",
        [var one] => $"is {one}",
        var many => $"are {string.Join(", ", many.Take(20))}{(many.Length > 20 ? " and more" : "")}",
    };
}
