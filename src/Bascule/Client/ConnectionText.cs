using System.Globalization;
using Bascule.Core.Api;

namespace Bascule.Client;

/// <summary>Recorded flows a line each, in the manner of <c>ipvsadm -L -c -n</c>. Columns have fixed widths: lines are written as they come.</summary>
internal sealed class ConnectionText(TextWriter to)
{
    private const int Ipv4Width = 21; // 255.255.255.255:65535

    public void WriteHeading() => to.WriteLine(Line("pro", "expire", "state", "source", "virtual", "destination"));

    public void Write(ConnectionEntry entry) => to.WriteLine(
        Line(entry.Protocol.ToUpperInvariant(), Minutes(entry.ExpiresIn), entry.State, entry.Client, entry.VirtualAddress, entry.RealServer ?? "(gone)"));

    private static string Line(string protocol, string expires, string state, string client, string virtualAddress, string realServer) =>
        $"{protocol,-3} {expires,-6} {state,-11} {client,-Ipv4Width} {virtualAddress,-Ipv4Width} {realServer}";

    /// <summary><c>14:58</c></summary>
    private static string Minutes(int seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:00}:{seconds % 60:00}");
}
