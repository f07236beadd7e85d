using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does it make a TLS connection, with a certificate that is trusted?</summary>
internal sealed class TlsProbe(TlsCheck check, IPEndPoint target, TimeProvider time) : StreamProbe(target)
{
    private readonly TlsClient _tls = new(check.Tls, time);

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation)
    {
        await using NetworkStream stream = new(socket);
        await using SslStream tls = await _tls.ConnectAsync(stream, cancellation);
        await tls.ShutdownAsync();
        return Verdict.Pass($"{InWords(tls)}") with { Warning = _tls.WarningOf(tls) };
    }

    private static string InWords(SslStream tls) => tls.SslProtocol switch
    {
        System.Security.Authentication.SslProtocols.Tls12 => "TLS 1.2",
        System.Security.Authentication.SslProtocols.Tls13 => "TLS 1.3",
        var old => $"{old}",
    };
}
