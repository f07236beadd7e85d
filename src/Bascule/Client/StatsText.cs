using System.Globalization;
using Bascule.Core.Api;

namespace Bascule.Client;

/// <summary>What went through each virtual server since the start, and how it ended.</summary>
internal static class StatsText
{
    public static void Write(TextWriter to, IEnumerable<VirtualServerStatus> virtualServers)
    {
        bool isFirst = true;
        foreach (VirtualServerStatus virtualServer in virtualServers)
        {
            if (!isFirst)
                to.WriteLine();
            isFirst = false;
            Write(to, virtualServer);
        }
    }

    private static void Write(TextWriter to, VirtualServerStatus virtualServer)
    {
        to.WriteLine($"{virtualServer.Name}: {ListText.Protocol(virtualServer.Protocol)} {string.Join(",", virtualServer.Addresses)}");
        to.WriteLine($"  {Number(virtualServer.Connections)} connections, {Number(virtualServer.OpenConnections)} open now{Now(virtualServer.Rate)}");
        if (!virtualServer.Outcomes.IsEmpty)
            to.WriteLine($"  {Number(virtualServer.Requests)} ended: {string.Join(", ", virtualServer.Outcomes.Select(o => $"{o.Key} {Number(o.Value)}"))}");
        Table table = new("  RealServer", "State", ">Weight", ">Requests", ">Failures", ">Conns", ">In", ">Out", ">Share");
        long all = virtualServer.RealServers.Sum(r => r.Requests);
        foreach (RealServerStatus realServer in virtualServer.RealServers)
        {
            table.Add($"  {realServer.Address}", realServer.State.ToString().ToLowerInvariant(), realServer.Weight.ToString(CultureInfo.InvariantCulture), Number(realServer.Requests),
                Number(realServer.Failures), Number(realServer.Connections), StatusText.Bytes(realServer.BytesIn), StatusText.Bytes(realServer.BytesOut),
                all == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * realServer.Requests / all:0.0} %"));
        }

        table.Write(to);
    }

    private static string Now(TrafficRate? rate) => rate is null
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"; in a second {rate.Connections:0.#} new, {StatusText.Bytes(rate.Bytes)} in{(rate.ReplyBytes is { } back ? $", {StatusText.Bytes(back)} out" : "")}");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
