using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests.Peers;

/// <summary>A server of the test's own that speaks TLS, with a certificate for own.example.</summary>
internal sealed class TlsServer : IDisposable
{
    private const string Name = "own.example";

    private readonly WorkFolder _folder = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Certificates _authority;
    private readonly X509Certificate2 _certificate;

    public TlsServer()
    {
        _authority = new(_folder.Name);
        _authority.Sign(Name, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1)).Dispose();
        _certificate = X509Certificate2.CreateFromPemFile(Path.Combine(_folder.Name, $"{Name}.pem"), Path.Combine(_folder.Name, $"{Name}.key"));
        _listener.Start();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>TLS by which it is accepted.</summary>
    public TlsUse Tls(TlsBegin begin) =>
        new(begin, new() { ServerName = Name, Verifies = true, AuthorityFile = _authority.File, Pin = null, WarnBefore = TimeSpan.Zero });

    /// <summary>Takes a connection, and goes over to TLS.</summary>
    /// <param name="before">What is said without; null: nothing.</param>
    public async Task<SslStream> AcceptAsync(Func<NetworkStream, Task>? before = null)
    {
        NetworkStream stream = new(await _listener.AcceptSocketAsync(), ownsSocket: true);
        if (before is not null)
            await before(stream);
        SslStream tls = new(stream);
        await tls.AuthenticateAsServerAsync(_certificate);
        return tls;
    }

    public void Dispose()
    {
        _listener.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }
}
