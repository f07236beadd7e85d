using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Notify;

/// <summary>A line to a log server by UDP (RFC 5424, RFC 5426), or to this machine's own log, in the older form that <c>/dev/log</c> is given.</summary>
internal sealed class SyslogCarrier(SyslogWay way) : Carrier
{
    private const string LocalSocket = "/dev/log";
    private const int Priority = (3 * 8) + 5; // RFC 5424 §6.2.1: facility 3 (daemons), severity 5 (notice)
    private const int LongestMessage = 1024; // RFC 5424 §6.1: what every receiver takes without cutting is 480, most take more

    // A datagram that was lost does not say so; one that was refused does.
    public override bool MayRepeat => true;

    public override async Task<string?> DeliverAsync(Letter letter, CancellationToken cancellation)
    {
        using Socket socket = way.Server is { } server
            ? new(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
            : new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        await socket.ConnectAsync(way.Server is { } to ? to : new UnixDomainSocketEndPoint(LocalSocket), cancellation);
        byte[] message = Encoding.UTF8.GetBytes(way.Server is null ? LocalForm(letter) : Rfc5424(letter));
        await socket.SendAsync(message.AsMemory(0, int.Min(message.Length, LongestMessage)), cancellation);
        return null;
    }

    /// <summary>RFC 5424 §6: header, no structured data, message.</summary>
    internal static string Rfc5424(Letter letter) => string.Create(CultureInfo.InvariantCulture,
        $"<{Priority}>1 {letter.About.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ} {HostName(letter.Node)} bascule {Environment.ProcessId} {letter.Type} - {Text(letter)}");

    // The log daemon adds the time and the machine itself.
    internal static string LocalForm(Letter letter) =>
        string.Create(CultureInfo.InvariantCulture, $"<{Priority}>bascule[{Environment.ProcessId}]: {Text(letter)}");

    private static string Text(Letter letter) => $"{letter.Sentence}: {letter.About.Why}".ReplaceLineEndings(" ");

    // RFC 5424 §6.2.4: printable ASCII, no space; "-" where there is none.
    private static string HostName(string node) => node.Length > 0 && node.All(c => c is > ' ' and < '\x7F') ? node : "-";
}
